#!/usr/bin/env bash
# A private PostgreSQL in DIR, reached through a Unix socket alone:
#   postgres.sh start DIR [-c name=value ...]   makes it if need be, prints its URL
#   postgres.sh standby DIR URL                 makes DIR a copy of the server there, which follows it once started
#   postgres.sh stop DIR [fast|immediate]
#   postgres.sh kill DIR                        like a crash: SIGKILL to all of it
#   postgres.sh discard DIR                     stops it and deletes DIR
set -euo pipefail
trap '' INT # Ctrl-C is the caller's to act upon: nothing here is left half done

here=$(cd "$(dirname "$0")" && pwd)
command=$1 dir=$(realpath -m "$2")
shift 2
data=$dir/data

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

alive() { "$here/process.sh" alive "$data/postmaster.pid" "$data"; }
end() { "$here/process.sh" end "$data/postmaster.pid" "$data" "$1" 60; }

make_cluster() {
  rm -rf "$data.new"
  "${as[@]}" "$bin/initdb" --pgdata="$data.new" --username=order_api --encoding=UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=reject --no-instructions >/dev/null
  "${as[@]}" "$bin/postgres" --single -D "$data.new" postgres >/dev/null 2>&1 <<<'CREATE DATABASE order_api'
  mv "$data.new" "$data"
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

standby() {
  enter
  "${as[@]}" "$bin/pg_basebackup" --dbname="$1" --pgdata="$data" --checkpoint=fast --write-recovery-conf
}

start() {
  enter
  [[ -d $data ]] || make_cluster

  local sockets
  sockets=$("$here/socket-dir.sh" "$dir/socket-dir" "$owner")
  if alive && ! "$bin/pg_isready" -q -h "$sockets" -p 5432 -U order_api -t 5; then
    end QUIT
  fi
  if ! alive; then
    rm -f "$data/postmaster.pid" "$sockets"/.s.PGSQL.5432* # of a crash; its number may be another process's by now
    set -- -c listen_addresses= -c "unix_socket_directories=$sockets" -c port=5432 -c max_connections=200 "$@"
    "${as[@]}" "$bin/pg_ctl" start --silent --wait --timeout=120 --pgdata="$data" --log="$dir/log" \
      --options="${*@Q}" </dev/null >/dev/null || {
      tail -n 20 "$dir/log" >&2
      exit 1
    }
  fi
  echo "postgresql:///order_api?host=${sockets//\//%2F}&port=5432&user=order_api"
}

crash() {
  alive || return 0
  local postmaster children
  read -r postmaster <"$data/postmaster.pid"
  kill -STOP "$postmaster" # so that it has no more children while they are counted
  read -ra children <"/proc/$postmaster/task/$postmaster/children" || true
  kill -KILL "$postmaster" "${children[@]}" 2>/dev/null || true
  for pid in "$postmaster" "${children[@]}"; do
    while grep -qz . "/proc/$pid/cmdline" 2>/dev/null; do sleep 0.01; done
  done
}

case $command in
  start) start "$@" ;;
  standby) standby "$@" ;;
  stop) if [[ ${1:-fast} == immediate ]]; then end QUIT; else end INT; fi ;;
  kill) crash ;;
  discard)
    end QUIT
    sockets=$(cat "$dir/socket-dir" 2>/dev/null || true)
    [[ $sockets != /tmp/order-api.* ]] || rm -rf "$sockets"
    rm -rf "$dir"
    ;;
esac
