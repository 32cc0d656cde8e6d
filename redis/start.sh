#!/bin/sh
# Writes the users, with hashes of the passwords in /run/secrets, then starts Redis.
#   default    disabled: a client without a name and password can do nothing
#   health     PING, for the health check
#   order-api  the service: the keys of each feature's keys.rs, and the command categories that it uses on them
set -eu

hash() { printf %s "$(cat "/run/secrets/$1")" | sha256sum | cut -d ' ' -f 1; }

umask 077
cat >/tmp/users.acl <<END
user default off resetpass resetkeys resetchannels -@all
user health on #$(hash REDIS_HEALTH_PASSWORD) resetkeys resetchannels -@all +ping
user order-api on #$(hash REDIS_PASSWORD) resetkeys resetchannels ~message_queue ~kv:* ~queues ~queue:* &queue:* -@all +@string +@list +@hash +@set +@sortedset +@transaction +@connection +exists +del +unlink +dbsize +expire +pexpire +ttl +pttl +type +time +eval +evalsha +script|load +script|exists +publish +subscribe +unsubscribe -@admin -@dangerous
END
# Swaps in the complete state that scripts/restore.sh has put next to the current one. After a crash at any step the
# next start continues: `restored` exists until the swap is done.
if [ -e /data/restored/READY ]; then
  rm -rf /data/replaced
  if [ -d /data/restored/appendonlydir ]; then
    [ ! -d /data/appendonlydir ] || mv /data/appendonlydir /data/replaced
    mv /data/restored/appendonlydir /data/appendonlydir
  fi
  rm -rf /data/restored /data/replaced
fi

exec redis-server /etc/order-api/redis.conf --aclfile /tmp/users.acl "$@"
