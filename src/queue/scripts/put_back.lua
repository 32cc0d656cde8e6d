#!lua flags=allow-oom
-- seconds, then popped messages that no client has received, the newest first → the oldest is at the head, once
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('LPUSH', KEYS[1], unpack(ARGV, 2))
  redis.call('SET', KEYS[2], '1', 'EX', ARGV[1])
end
