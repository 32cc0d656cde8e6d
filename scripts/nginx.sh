#!/usr/bin/env bash
# Nginx in front of the service, with the configuration in nginx/, its log in DIR/log:
#   nginx.sh start DIR LISTEN UPSTREAM...     nginx.sh start var/nginx 127.0.0.1:8080 127.0.0.1:8000
#                                             HTTPS and proxies as the environment has them (nginx-settings.sh)
#   nginx.sh renew DIR                        takes the certificate and key as their files are now
#   nginx.sh alive DIR
#   nginx.sh stop DIR                         lets requests under way finish first
# shellcheck source=scripts/process.sh
source "$(dirname "$0")/process.sh"

PATH=$PATH:/usr/sbin:/sbin
name=Nginx

# What it runs with is in PREFIX, under /tmp, because as root its workers are another user, who may not get to DIR.
use() { # PREFIX
  prefix=$1 word="-p $1"
  nginx=(nginx -e stderr -p "$1" -c "$1/nginx.conf" -g 'daemon off; worker_processes auto;')
}
use "$(cat "$dir/prefix" 2>/dev/null || echo none)"

# The one file in which this place differs from others: where to listen, whom to ask, where to keep bodies.
site() { # UPSTREAM...
  echo "client_body_temp_path client_body;"
  echo "proxy_temp_path proxy;"
  echo "upstream order_api {"
  echo "    zone order_api 64k;"
  printf '    server %s max_fails=3 fail_timeout=2s;\n' "$@"
  echo "    include upstream.conf;"
  echo "}"
  echo "include listen.conf;"
}

configure() { # PREFIX LISTEN UPSTREAM...
  chmod 711 "$1"
  cp "$here"/../nginx/*.conf "$1"
  site "${@:3}" >"$1/site.conf"
  "$here/nginx-settings.sh" write "$1" "$1" "$2" "$tls_listen" "$(nginx -v 2>&1 | sed 's:.*/::; s/ .*//')"
}

start() { # LISTEN UPSTREAM...
  local new tls_listen=${1%:*}:${TLS_PORT:-8443}
  new=$(mktemp -d /tmp/order-api.XXXXXX)
  configure "$new" "$@" || { # before anything is stopped
    rm -rf "$new"
    return 1
  }
  mkdir -p "$dir"
  stop
  echo "$new" >"$dir/prefix"
  use "$new"
  "$here/free-port.sh" "$1"
  [[ -z ${TLS_CERTIFICATE:-} ]] || "$here/free-port.sh" "$tls_listen" TLS_PORT
  [[ ! -e $dir/log ]] || mv "$dir/log" "$dir/log.old"
  launch "${nginx[@]}"
  until_ready test -s "$prefix/nginx.pid" # written once it listens
}

renew() {
  alive || {
    echo "Nginx does not run in $dir." >&2
    return 1
  }
  "$here/nginx-settings.sh" renew "$prefix"
  "${nginx[@]}" -t -q | cat || { # it opens its standard output, and may not if that is another user's, or a socket
    "$here/nginx-settings.sh" undo "$prefix"
    return 1
  }
  kill -HUP "$pid"
}

# The workers that outlived a killed master: they are in the session that began with it.
orphans() {
  { cat /proc/[0-9]*/stat 2>/dev/null || true; } |
    awk -v session="$(cat "$dir/pid" 2>/dev/null)" '$2 == "(nginx)" && $3 != "Z" && $6 == session { print $1 }'
}

stop() {
  local pids status=0
  [[ -e $dir/prefix ]] || return 0
  end QUIT 20 || { end TERM 5 && status=1; }
  while pids=$(orphans) && [[ -n $pids ]]; do
    xargs kill -KILL <<<"$pids" || true
    sleep 0.02
  done
  [[ $prefix != /tmp/order-api.* ]] || rm -rf "$prefix"
  rm -f "$dir/prefix" "$dir/pid"
  return $status
}

"$command" "$@"
