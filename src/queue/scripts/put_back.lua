#!lua flags=allow-oom
-- messages that were popped and that nobody has got, the newest first → the oldest is at the head
redis.call('LPUSH', KEYS[1], unpack(ARGV))
