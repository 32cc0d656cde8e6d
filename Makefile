# Everything there is to do with this repository, one target each.

BASE_URL ?= http://127.0.0.1:8080
ARGS ?=
BUILD_TARGET ?= builder

.DEFAULT_GOAL := help
.PHONY: help run build test test-faults reliability test-e2e test-load test-load-headless race test-loadtests bench bench-smoke check fmt lint settings docs metrics-page packages \
	docker-compose down logs ps psql redis-cli image rolling-restart renew-certificate backup restore upgrade-postgres alerts test-containers

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## build and run all of it on 127.0.0.1:8080 (PORT=) until Ctrl-C; data in var/
	@scripts/stack.sh run

build: ## build the release binary
	cargo build --release --locked

test: ## run every test, on databases of its own (ARGS="a_filter -- --nocapture")
	@scripts/stack.sh test $(ARGS)

test-faults: ## play every fault of every dependency under load, in minutes (FAULTS="Redis is": these alone)
	@scripts/stack.sh test --test faults $(ARGS) -- --nocapture

reliability: ## the same, and write the result into docs/RELIABILITY.md
	@WRITE_PAGE=yes scripts/stack.sh test --test faults -- --nocapture

metrics-page: ## write the table of docs/METRICS.md from the metrics that the source declares
	@WRITE_PAGE=yes cargo test --locked --lib metrics_page

test-e2e: ## run tests/e2e against what runs at BASE_URL, with the API_TOKEN of .env
	@set -a; [ ! -e .env ] || . ./.env; BASE_URL=$(BASE_URL) cargo test --locked --test e2e $(ARGS)

# API_TOKEN from the environment, else from .env.
LOADTESTS = @set -a; [ ! -e .env ] || [ -n "$$API_TOKEN" ] || . ./.env; \
	exec cargo run --quiet --profile quick --locked --package order-api-loadtests --
HOST ?= http://127.0.0.1:8080
LOAD = --host $(HOST) $(if $(USERS),--users $(USERS)) $(if $(RATE),--increase-rate $(RATE)) \
	$(if $(TIME),--run-time $(TIME)) $(if $(SCENARIO),--scenarios $(SCENARIO)) \
	$(if $(WEIGHTS),--weights $(WEIGHTS)) $(if $(filter 1,$(YES_REALLY)),--yes-really) $(ARGS)

test-load: ## load tests from a page at http://localhost:8089, against HOST (docs/LOADTESTS.md)
	$(LOADTESTS) dashboard $(LOAD)

test-load-headless: ## the same without a page (USERS= RATE= TIME= SCENARIO= HOST=)
	$(LOADTESTS) headless $(LOAD)

race: ## many couriers after the same order for 10 s (USERS= RATE= TIME= HOST=)
	$(LOADTESTS) race $(LOAD)

test-loadtests: ## test the load tests, against a stack of their own and in Chromium
	@PROFILE=quick scripts/stack.sh 1 cargo test --profile quick --locked --package order-api-loadtests $(ARGS)

# A case alone: ARGS="nginx"; into its page: ARGS=--publish; beside another build: COMPARE=path.
BENCH = REDIS_PORT=$$(scripts/free-port.sh) STACK_DIR=var/bench scripts/stack.sh 1 \
	cargo run --quiet --locked --package order-api-bench -- $(if $(COMPARE),--compare $(COMPARE)) $(ARGS)

bench: ## measure the service beside pgbench and others, in ten minutes (bench/README.md; COMPARE=another-build)
	@scripts/packages.sh also wrk webdis
	@$(BENCH)

bench-smoke: ## the same within a minute: it says whether all of it is measured, nothing of speed
	@scripts/packages.sh also wrk webdis
	@PROFILE=quick $(BENCH) --smoke

check: lint docs test ## lint, docs and test: what has to pass before a merge

fmt: ## format the Rust code
	cargo fmt --all

lint: ## check format, clippy, licenses and the shell scripts; any warning fails
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --test containers --test faults --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check bans licenses sources; \
	else echo "cargo-deny is not installed: licenses and sources were not checked"; fi
	@if command -v shellcheck >/dev/null; then \
	shellcheck --external-sources start.sh start_test.sh .ci/run scripts/*.sh redis/*.sh postgres/*.sh; \
	else echo "shellcheck is not installed: the scripts were not checked"; fi

settings: ## write .env.example and docs/SETTINGS.md from the table in src/config/settings.rs
	cargo build --locked
	"$$(scripts/target-dir.sh)/debug/order-api" config --format env >.env.example
	"$$(scripts/target-dir.sh)/debug/order-api" config --format markdown >docs/SETTINGS.md

docs: ## build the Rust documentation; any warning fails
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

docker-compose: ## run all of it in containers, healthy on 127.0.0.1:8080 (PORT=, REPLICAS=); data in volumes
	@scripts/up.sh

down: ## stop and remove the containers; the data stays
	@scripts/compose.sh --profile grafana down

logs: ## follow what the containers log (ARGS=order-api-app)
	@scripts/compose.sh logs --follow --tail 100 $(ARGS)

ps: ## list the containers and their health
	@scripts/compose.sh ps --all

psql: ## open psql in the containers' PostgreSQL
	@scripts/compose.sh exec order-api-db psql --username=order_api order_api

redis-cli: ## open redis-cli in the containers' Redis, as the service's user
	@scripts/compose.sh exec order-api-redis sh -c \
	'REDISCLI_AUTH=$$(cat /run/secrets/REDIS_PASSWORD) exec redis-cli --user order-api --no-auth-warning'

image: ## build the image (BUILD_TARGET=test_builder: the one that runs the tests)
	docker build --target $(BUILD_TARGET) --tag $(if $(filter builder,$(BUILD_TARGET)),order-api,order-api:$(BUILD_TARGET)) .

rolling-restart: ## replace every replica, one at a time, while all are served
	@scripts/rolling-restart.sh

renew-certificate: ## let Nginx take the files of TLS_CERTIFICATE and TLS_KEY as they are now
	@scripts/renew-certificate.sh

backup: ## save the containers' orders and messages in one file under backups/
	@scripts/backup.sh

restore: ## bring back FILE=backups/….tar, into empty volumes (or OVERWRITE=yes)
	@scripts/restore.sh "$(FILE)"

upgrade-postgres: ## move the containers' PostgreSQL to the major version TO=19
	@scripts/upgrade-postgres.sh "$(TO)"

alerts: ## check Prometheus' configuration and the alert rules
	@scripts/alerts.sh

test-containers: ## run tests/containers against a stack of containers of its own
	@scripts/test-containers.sh $(ARGS)

packages: ## install the Debian packages that are missing for run and test
	@scripts/packages.sh
