-- the most messages, the most bytes, visibility in seconds, nonce → {id, message, attempts} of each
local most_bytes, until_visible, nonce = tonumber(ARGV[3]), after(ARGV[4]), ARGV[5]
settle()
local received, bytes = {}, 0
for _, id in ipairs(redis.call('ZRANGE', ready, 0, ARGV[2] - 1)) do
  local message = redis.call('HGET', messages, id)
  bytes = bytes + #message
  if #received > 0 and bytes > most_bytes then
    break
  end
  local attempts = delivery(deliveries, id) + 1
  redis.call('HSET', deliveries, id, attempts .. ' ' .. nonce)
  redis.call('ZADD', in_flight, until_visible, id)
  redis.call('ZREM', ready, id)
  received[#received + 1] = { id, message, attempts }
end
return received
