-- maximum of messages, maximum of bytes → {id, message, attempts, time of death} of each, the oldest dead letter first
local most_bytes = tonumber(ARGV[3])
settle()
local ranked = redis.call('ZRANGE', dead, 0, ARGV[2] - 1, 'WITHSCORES')
local found, bytes = {}, 0
for index = 1, #ranked, 2 do
  local id, died = ranked[index], ranked[index + 1]
  local message = redis.call('HGET', dead_messages, id)
  bytes = bytes + #message
  if #found > 0 and bytes > most_bytes then
    break
  end
  found[#found + 1] = { id, message, (delivery(dead_deliveries, id)), died }
end
return found
