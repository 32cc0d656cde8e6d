-- id, nonce → 1, or 0 if this is not the receipt of the last delivery
local id, nonce = ARGV[2], ARGV[3]
local _, last = delivery(deliveries, id)
if last == nonce then
  redis.call('ZREM', in_flight, id)
  redis.call('ZREM', ready, id)
  redis.call('HDEL', messages, id)
  redis.call('HDEL', deliveries, id)
  return 1
end
_, last = delivery(dead_deliveries, id)
if last == nonce then
  redis.call('ZREM', dead, id)
  redis.call('HDEL', dead_messages, id)
  redis.call('HDEL', dead_deliveries, id)
  return 1
end
return 0
