-- id, nonce, visibility in seconds → 1, or 0 if this is not the receipt of the last delivery
local id, nonce, visibility = ARGV[2], ARGV[3], tonumber(ARGV[4])
local _, last = delivery(deliveries, id)
if last ~= nonce then
  return 0
end
if visibility == 0 then
  release(id)
else
  redis.call('ZADD', in_flight, after(visibility), id)
  redis.call('ZREM', ready, id)
  note_time()
end
return 1
