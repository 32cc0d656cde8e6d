# shellcheck shell=bash disable=SC2034,SC2154 # for the scripts that source it, and of them
# What postgres.sh, redis.sh, nginx.sh and serve.sh share; each of them sources it. A server has a directory DIR, with
# its log in DIR/log. It is known by $pidfile and $word, a part of its command line: a pid file that a crash has left
# may name another process by now.
set -euo pipefail
trap '' INT # Ctrl-C is for the caller to act upon: nothing here is left half done

here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
command=$1 dir=$(realpath -m "$2") pidfile=$dir/pid abort=KILL
shift 2

running() { [[ $({ tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null) == *"$word"* ]]; } # a zombie has an empty one
alive() { read -r pid 2>/dev/null <"$pidfile" && running "$pid"; }

end() { # SIGNAL SECONDS
  local deadline=$((SECONDS + $2))
  alive || return 0
  kill -s "$1" "$pid" || true
  while running "$pid"; do
    ((SECONDS <= deadline)) || {
      echo "Process $pid ($word) is still there $2 s after SIG$1." >&2
      return 1
    }
    sleep 0.02
  done
}

stop() { end TERM 30; }
crash() { end KILL 30; } # as a power cut does it

discard() { # stops it and deletes DIR
  end "$abort" 60
  [[ $(cat "$dir/socket-dir" 2>/dev/null) != /tmp/order-api.* ]] || rm -rf "$(cat "$dir/socket-dir")"
  rm -rf "$dir"
}

launch() { # COMMAND...
  setsid "$@" </dev/null >>"$dir/log" 2>&1 &
  echo $! >"$dir/pid"
}

until_ready() { # COMMAND...
  local deadline=$((SECONDS + 600)) # a large Redis takes its time to load
  until "$@"; do
    if ((SECONDS > deadline)) || ! kill -0 $! 2>/dev/null; then
      echo "$name did not start; the end of $dir/log:" >&2
      tail -n 20 "$dir/log" >&2
      stop
      exit 1
    fi
    sleep 0.02
  done
}

# Takes over the one that runs, if it answers, else starts one.
start_unless_it_answers() { # COMMAND...
  if alive && ! answers; then end "$abort" 60; fi
  alive || {
    launch "$@"
    until_ready answers
  }
}

# Sets $sockets to a directory that OWNER alone can enter. It is under /tmp because the path of a socket is limited to
# 107 bytes, and DIR/socket-dir remembers it, so that the address stays the same from one start to the next.
make_socket_dir() { # OWNER
  sockets=$(cat "$dir/socket-dir" 2>/dev/null) || true
  if [[ $sockets == /tmp/order-api.* ]] && mkdir -m 700 "$sockets" 2>/dev/null; then
    chown "$1" "$sockets" # /tmp was emptied
  elif [[ -z $sockets || -L $sockets || $(stat -c '%U %a' "$sockets" 2>/dev/null) != "$1 700" ]]; then
    sockets=$(mktemp -d /tmp/order-api.XXXXXX)
    chown "$1" "$sockets"
    echo "$sockets" >"$dir/socket-dir"
  fi
}
