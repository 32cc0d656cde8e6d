#!/usr/bin/env bash
# docker compose for this stack, with the secrets of .env as files that the containers can read:
#   compose.sh up --detach      any command of docker compose
set -euo pipefail

cd "$(dirname "$0")/.."
passwords=(POSTGRES_PASSWORD POSTGRES_MIGRATE_PASSWORD POSTGRES_SERVICE_PASSWORD REDIS_PASSWORD REDIS_HEALTH_PASSWORD
  GRAFANA_PASSWORD)
scripts/secrets.sh API_TOKEN "${passwords[@]}"

value() { sed -n "s/^$1=//p" .env | tail -n 1; }

# Only its owner can enter the directory. The files themselves are read by other users, inside containers.
secret() {
  [[ $(cat "$dir/$1" 2>/dev/null) == "$2" && -e $dir/$1 ]] || {
    printf %s "$2" >"$dir/$1.new"
    chmod 444 "$dir/$1.new"
    mv -f "$dir/$1.new" "$dir/$1" # its owner cannot write it in place
  }
}

dir=var/secrets
mkdir -p "$dir"
chmod 700 "$dir"
for name in API_TOKEN GMAP_TOKEN "${passwords[@]}"; do
  secret "$name" "$(value "$name")"
done
at=order-api-db:5432/order_api
secret DATABASE_URL "postgresql://order_api_service:$(value POSTGRES_SERVICE_PASSWORD)@$at"
secret MIGRATE_DATABASE_URL "postgresql://order_api_migrate:$(value POSTGRES_MIGRATE_PASSWORD)@$at"
secret REDIS_URL "redis://order-api:$(value REDIS_PASSWORD)@order-api-redis:6379/0"

# Nginx's settings are written when it starts, and checked before anything starts, so that an error stops everything at
# the beginning and not Nginx at the end. The directory of secrets protects its key.
nginx_settings() {
  local word nginx=yes
  for word in "$@"; do
    [[ $word != order-api-* || $word == *=* ]] || nginx=
  done
  [[ " $* " != *" order-api-nginx "* ]] || nginx=yes
  scripts/nginx-settings.sh check
  [[ -n $nginx || ! -e $site/listen.conf ]] || return 0
  mkdir -p "$site"
  chmod 755 "$site"
  KEY_MODE=444 scripts/nginx-settings.sh write "$site" /run/order-api 8080 8443 1.30 2>/dev/null
}

site=$dir/nginx-${COMPOSE_PROJECT_NAME:-order-api}
for name in TLS_CERTIFICATE TLS_KEY TLS_PORT TRUSTED_PROXIES PORT; do
  [[ -v $name ]] || export "$name=$(value "$name")"
done
[[ -z $TLS_CERTIFICATE ]] || export COMPOSE_FILE=docker-compose.yml:docker-compose.tls.yml
case " $* " in
  *" config "*) scripts/nginx-settings.sh check ;;
  *" up "* | *" create "*) nginx_settings "$@" ;;
esac

# Where Nginx spools bodies; inside the container it runs as another user.
spool=var/spool/${COMPOSE_PROJECT_NAME:-order-api}
mkdir -p "$spool"
chmod 1777 "$spool"

# Containers read these as other users, whatever the umask of the clone.
chmod -R go+rX nginx postgres redis monitoring

exec docker compose "$@" 9>&- # what outlives a command that was killed does not keep its lock (scripts/alone.sh)
