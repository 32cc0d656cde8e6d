# Two images: `builder` is deployed, `test_builder` runs the tests (make image BUILD_TARGET=).

FROM rust:1.95-slim-trixie AS rust
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends libpq-dev libssl-dev make pkg-config
WORKDIR /order-api

FROM rust AS compiled
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
# Members of the workspace: cargo requires their manifests.
COPY bench/Cargo.toml bench/
COPY loadtests/Cargo.toml loadtests/
COPY migrations migrations
COPY src src
# The cache keeps the compiled dependencies. Cargo compares modification times, which mean nothing in a cache shared
# with other checkouts, so our own sources always count as new.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/order-api/target,sharing=locked \
    find src migrations -type f -exec touch {} + \
    && CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --locked \
    && cp target/release/order-api /usr/local/bin/

FROM debian:trixie-slim AS builder
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates libpq5 libssl3t64 \
    && useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin order-api \
    && install --directory --owner order-api --group order-api /var/log/order-api \
    && rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old
COPY --from=compiled /usr/local/bin/order-api /usr/local/bin/
COPY --chmod=755 start.sh /usr/local/bin/
USER order-api
WORKDIR /
ENV LISTEN=0.0.0.0:8000 LOG_DIR=/var/log/order-api
EXPOSE 8000
HEALTHCHECK --interval=3s --timeout=5s --start-period=60s --retries=3 CMD ["order-api", "healthcheck"]
ENTRYPOINT ["start.sh"]
CMD ["serve"]

# Debug binaries are in layers, not in a cache: cargo checks them again when the container runs.
FROM rust AS test_builder
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    ca-certificates curl nginx openssl postgresql redis-server \
    && useradd --uid 10001 --create-home order-api && chown order-api .
USER order-api
ENV CARGO_HOME=/home/order-api/.cargo
COPY --chown=order-api .cargo .cargo
COPY --chown=order-api Cargo.toml Cargo.lock ./
COPY --chown=order-api bench/Cargo.toml bench/
COPY --chown=order-api loadtests loadtests
RUN mkdir -p src tests/api && touch src/lib.rs && echo 'fn main() {}' | tee src/main.rs >tests/api/main.rs \
    && cargo test --no-run --locked
COPY --chown=order-api . .
RUN find src tests migrations -type f -exec touch {} + && cargo test --no-run --locked && cargo build --locked
CMD ["./start_test.sh"]
