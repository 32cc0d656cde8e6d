#!/bin/sh
# Unpacks the append-only file of a backup, standard input, beside the present one, and loads it once as Redis will: what
# cannot be loaded never takes the place of what can. scripts/restore.sh runs it in a container of its own.
set -eu

rm -rf /data/restored
mkdir /data/restored
tar --extract --directory=/data/restored appendonlydir
redis-server /etc/order-api/redis.conf --dir /data/restored --port 0 --unixsocket /tmp/redis.sock \
  --auto-aof-rewrite-percentage 0 >/tmp/log &
server=$!
until redis-cli -s /tmp/redis.sock ping 2>/dev/null | grep -qx PONG; do
  kill -0 "$server" 2>/dev/null || {
    tail -n 5 /tmp/log >&2
    exit 1
  }
  sleep 0.2
done
redis-cli -s /tmp/redis.sock shutdown nosave
wait "$server"
