#!/usr/bin/env bash
# Asks after, or ends, the process that a pid file names:
#   process.sh alive PIDFILE WORD
#   process.sh end   PIDFILE WORD SIGNAL SECONDS    waits that long until it is gone
# WORD has to be part of its command line: a file left by a crash may name a stranger by now.
set -euo pipefail

pidfile=$2 word=$3

pid=
[[ ! -r $pidfile ]] || read -r pid <"$pidfile" || true

alive() { # a zombie has no command line any more, so it counts as gone
  [[ -n $pid && $({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null) == *"$word"* ]]
}

case $1 in
  alive) alive ;;
  end)
    alive || exit 0
    kill -s "$4" "$pid" || true
    deadline=$((SECONDS + $5))
    while alive; do
      ((SECONDS <= deadline)) || {
        echo "Process $pid ($word) is still there $5 s after SIG$4." >&2
        exit 1
      }
      sleep 0.02
    done
    ;;
esac
