-- nonce, then ids that were received and never reached the client: undoes the receive
for index = 3, #ARGV do
  local id = ARGV[index]
  local attempts, last = delivery(deliveries, id)
  if last == ARGV[2] and redis.call('ZSCORE', in_flight, id) then
    redis.call('HSET', deliveries, id, (attempts - 1) .. ' ' .. last)
    redis.call('ZADD', ready, id, id)
    redis.call('ZREM', in_flight, id)
  end
end
