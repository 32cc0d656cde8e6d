#!/usr/bin/env bash
# Makes Nginx, in containers or under `make run`, load the current files of TLS_CERTIFICATE and TLS_KEY. Requests in
# flight are finished; new connections get the new certificate.
set -euo pipefail

cd "$(dirname "$0")/.."
site=var/secrets/nginx-${COMPOSE_PROJECT_NAME:-order-api}
for name in TLS_CERTIFICATE TLS_KEY TLS_PORT TRUSTED_PROXIES PORT; do
  [[ -v $name || ! -e .env ]] || export "$name=$(sed -n "s/^$name=//p" .env | tail -n 1)"
done
[[ -n ${TLS_CERTIFICATE:-}${TLS_KEY:-} ]] || {
  echo "TLS_CERTIFICATE and TLS_KEY are not set: there is no certificate to renew." >&2
  exit 1
}

# Of all certificates: the first one alone may have got the chain that it lacked.
fingerprint() {
  sed -n '/-----BEGIN CERTIFICATE-----/, /-----END CERTIFICATE-----/ p' |
    openssl crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER 2>/dev/null | sha256sum
}
served() { openssl s_client -showcerts -connect "$1" </dev/null 2>/dev/null | fingerprint || true; }

until_served() { # ADDRESS
  local wanted deadline=$((SECONDS + 10))
  wanted=$(fingerprint <"$TLS_CERTIFICATE")
  until [[ $(served "$1") == "$wanted" ]]; do
    ((SECONDS < deadline)) || {
      echo "Nginx still serves others than the certificates in $TLS_CERTIFICATE; look at its log." >&2
      exit 1
    }
    sleep 0.1
  done
  echo "https://$1 serves the certificate of $TLS_CERTIFICATE: its $(openssl x509 -noout -enddate <"$TLS_CERTIFICATE")."
}

found=
renew() { # ADDRESS COMMAND...
  found=yes
  scripts/nginx-settings.sh check # first, for its error message
  [[ $(served "$1") == "$(fingerprint <"$TLS_CERTIFICATE")" ]] || "${@:2}"
  until_served "$1"
}

in_container() {
  KEY_MODE=444 scripts/nginx-settings.sh renew "$site"
  scripts/compose.sh exec -T order-api-nginx nginx -e stderr -p /tmp -c /etc/order-api/nginx.conf -t -q || {
    scripts/nginx-settings.sh undo "$site"
    exit 1
  }
  scripts/compose.sh --progress quiet kill --signal HUP order-api-nginx
}

if scripts/nginx.sh alive var/nginx; then
  renew "127.0.0.1:${TLS_PORT:-8443}" scripts/nginx.sh renew var/nginx
fi
if address=$(scripts/compose.sh port order-api-nginx 8443 2>/dev/null) && [[ $address == *:[1-9]* ]]; then
  renew "$address" in_container
fi
[[ -n $found ]] || {
  echo "No Nginx started with TLS_CERTIFICATE and TLS_KEY is running here: make run, or make docker-compose." >&2
  exit 1
}
