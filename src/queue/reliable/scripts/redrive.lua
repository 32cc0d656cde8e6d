-- the most messages → {how many were sent back, how many are left}
settle()
local redriven, copied = 0, 0
for _, id in ipairs(redis.call('ZRANGE', dead, 0, math.min(ARGV[2], most_moved) - 1)) do
  local message = redis.call('HGET', dead_messages, id)
  redis.call('HSET', messages, id, message)
  redis.call('ZADD', ready, id, id)
  redis.call('ZREM', dead, id)
  redis.call('HDEL', dead_messages, id)
  redis.call('HDEL', dead_deliveries, id)
  redriven, copied = redriven + 1, copied + #message
  if copied > most_bytes_copied then
    break
  end
end
return { redriven, redis.call('ZCARD', dead) }
