#!/usr/bin/env bash
# Nginx in front of the service, with the configuration in nginx/, its log in DIR/log:
#   nginx.sh check LISTEN [SETTING]           fails with a sentence when the port, that of SETTING, is in use
#   nginx.sh start DIR LISTEN UPSTREAM...     nginx.sh start var/nginx 127.0.0.1:8080 127.0.0.1:8000
#                                             HTTPS and proxies as the environment has them (nginx-settings.sh)
#   nginx.sh renew DIR                        takes the certificate and key as their files are now
#   nginx.sh alive DIR
#   nginx.sh stop DIR                         lets requests under way finish first
set -euo pipefail
trap '' INT # Ctrl-C is the caller's to act upon: nothing here is left half done

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)

check() {
  local host=${1%:*} port=${1##*:}
  if (: >"/dev/tcp/$host/$port") 2>/dev/null; then
    echo "Port $port is in use. Take another one: ${2:-PORT}=$((port + 1)) make run" >&2
    return 1
  fi
}

# The one file in which this place differs from others: where to listen, whom to ask, where to keep bodies.
site() {
  echo "client_body_temp_path client_body;"
  echo "proxy_temp_path proxy;"
  echo "upstream order_api {"
  echo "    zone order_api 64k;"
  printf '    server %s max_fails=3 fail_timeout=2s;\n' "$@"
  echo "    include upstream.conf;"
  echo "}"
  echo "include listen.conf;"
}

version() { nginx -v 2>&1 | sed 's:.*/::; s/ .*//'; }

# The same address, at the port of HTTPS.
tls_listen() { echo "${1%:*}:${TLS_PORT:-8443}"; }

prefix() { cat "$1/prefix" 2>/dev/null || echo none; }
alive() { "$here/process.sh" alive "$1/pid" "-p $(prefix "$1")"; }
end() { "$here/process.sh" end "$1/pid" "-p $(prefix "$1")" "$2" "$3"; }

# What it runs with is in PREFIX, under /tmp, because as root its workers are another user, who may not get to DIR.
configure() { # LISTEN UPSTREAM...
  chmod 711 "$run"
  cp "$here"/../nginx/*.conf "$run"
  site "${@:2}" >"$run/site.conf"
  "$here/nginx-settings.sh" write "$run" "$run" "$1" "$(tls_listen "$1")" "$(version)"
}

start() {
  local dir=$1 listen=$2 run
  run=$(mktemp -d /tmp/order-api.XXXXXX)
  configure "${@:2}" || { # before anything is stopped
    rm -rf "$run"
    return 1
  }
  mkdir -p "$dir"
  stop "$dir"
  echo "$run" >"$dir/prefix"
  echo none >"$dir/pid"
  check "$listen"
  [[ -z ${TLS_CERTIFICATE:-} ]] || check "$(tls_listen "$listen")" TLS_PORT

  [[ ! -e $dir/log ]] || mv "$dir/log" "$dir/log.old"
  nginx_at "$run"
  "${command[@]}" -t -q >"$dir/log" 2>&1 || failed "$dir"
  setsid "${command[@]}" </dev/null >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
  until [[ -s $run/nginx.pid ]]; do # written once it listens
    kill -0 $! 2>/dev/null || failed "$dir"
    sleep 0.02
  done
}

nginx_at() { command=(nginx -e stderr -p "$1" -c "$1/nginx.conf" -g 'daemon off; worker_processes auto;'); }

renew() {
  local run
  run=$(prefix "$1")
  alive "$1" || {
    echo "Nginx does not run in $1." >&2
    return 1
  }
  "$here/nginx-settings.sh" renew "$run"
  nginx_at "$run"
  "${command[@]}" -t -q | cat || { # it opens its standard output, and may not if that is another user's, or a socket
    "$here/nginx-settings.sh" undo "$run"
    return 1
  }
  kill -HUP "$(cat "$1/pid")"
}

failed() {
  echo "Nginx did not start:" >&2
  cat "$1/log" >&2
  stop "$1"
  exit 1
}

# The workers that outlived a killed master: they are in the session that began with it.
orphans() {
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
    awk -v session="$(cat "$1/pid")" '$2 == "(nginx)" && $3 != "Z" && $6 == session { print $1 }'
}

stop() {
  local run pids status=0
  [[ -e $1/prefix ]] || return 0
  end "$1" QUIT 20 || { end "$1" TERM 5 && status=1; }
  while pids=$(orphans "$1") && [[ -n $pids ]]; do
    xargs kill -KILL <<<"$pids" || true
    sleep 0.02
  done
  run=$(prefix "$1")
  [[ $run != /tmp/order-api.* ]] || rm -rf "$run"
  rm -f "$1/prefix" "$1/pid"
  return $status
}

"$@"
