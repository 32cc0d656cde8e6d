#!/usr/bin/env bash
# A private PostgreSQL in DIR, reached through a Unix socket alone:
#   postgres.sh start DIR [-c name=value ...]   makes it if need be, prints its URL
#   postgres.sh standby DIR URL                 makes DIR a copy of the server there, which follows it once started
#   postgres.sh stop|crash|discard DIR
# shellcheck source=scripts/process.sh
source "$(dirname "$0")/process.sh"

name=PostgreSQL data=$dir/data word=$dir/data pidfile=$dir/data/postmaster.pid abort=QUIT

# The programs of the version that made the data, else the newest.
bin=/usr/lib/postgresql/$(cat "$data/PG_VERSION" 2>/dev/null || true)/bin
[[ -x $bin/postgres ]] || bin=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1 | xargs dirname)
[[ -x $bin/postgres ]] || bin=$(dirname "$(command -v postgres)") || {
  echo "PostgreSQL is not installed: make packages" >&2
  exit 1
}

# PostgreSQL refuses to run as root: then it runs as user postgres, or, where that user cannot get
# to DIR, as what root is called in a user namespace of its own.
as=() owner=$(id -un)
choose_owner() {
  [[ $owner == root ]] || return 0
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
  if "${as[@]}" test -x "$(dirname "$dir")" 2>/dev/null; then
    owner=postgres
    return
  fi
  as=(unshare --user --map-user=65534 --map-group=65534 --)
  "${as[@]}" true 2>/dev/null || {
    echo "PostgreSQL does not run as root, and user postgres cannot reach $dir:" \
      "clone to where all users can go (such as /srv), or run this as an ordinary user." >&2
    exit 1
  }
}

enter() {
  mkdir -p "$dir"
  cd "$dir"
  choose_owner
  [[ $(stat -c %U .) == "$owner" ]] || chown -R "$owner" . 2>/dev/null || {
    echo "$dir belongs to user $(stat -c %U .): run this as that user, or remove it." >&2
    exit 1
  }
}

make_cluster() {
  rm -rf "$data.new"
  "${as[@]}" "$bin/initdb" --pgdata="$data.new" --username=order_api --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=reject --no-instructions >/dev/null
  "${as[@]}" "$bin/postgres" --single -D "$data.new" postgres >/dev/null 2>&1 <<<'CREATE DATABASE order_api'
  mv "$data.new" "$data"
}

answers() { "$bin/pg_isready" -q -h "$sockets" -p 5432 -U order_api -t 5; }

start() {
  enter
  [[ -d $data ]] || make_cluster
  make_socket_dir "$owner"
  # Of a crash; the number may be another process's by now.
  alive || rm -f "$pidfile" "$sockets"/.s.PGSQL.5432*
  start_unless_it_answers "${as[@]}" "$bin/postgres" -D "$data" -c listen_addresses= \
    -c "unix_socket_directories=$sockets" -c port=5432 -c max_connections=200 "$@"
  echo "postgresql:///order_api?host=${sockets//\//%2F}&port=5432&user=order_api"
}

standby() { # URL
  enter
  "${as[@]}" "$bin/pg_basebackup" --dbname="$1" --pgdata="$data" --checkpoint=fast --write-recovery-conf
}

stop() { end INT 60; }

crash() {
  alive || return 0
  local children process
  kill -STOP "$pid" # so that it has no more children while they are counted
  read -ra children <"/proc/$pid/task/$pid/children" || true
  kill -KILL "$pid" "${children[@]}" 2>/dev/null || true
  for process in "$pid" "${children[@]}"; do
    while grep -qz . "/proc/$process/cmdline" 2>/dev/null; do sleep 0.01; done
  done
}

"$command" "$@"
