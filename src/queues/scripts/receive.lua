-- maximum of bytes of all answers, of one answer, nonce; for each receiver: maximum of messages, visibility in seconds
-- → {whether more are ready, for each receiver {{id, message, attempts}, ...}}
-- The first receiver gets a message of any size.
local most_bytes, most_bytes_each, nonce = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local most_received = 1000
settle()
local wanted = 0
for index = 5, #ARGV, 2 do
  wanted = wanted + ARGV[index]
end
local ids = redis.call('ZRANGE', ready, 0, math.min(wanted, most_received) - 1)
local noted = #ids > 0 and redis.call('HMGET', deliveries, unpack(ids)) or {}
local answers, counted, flying, gone = {}, {}, {}, {}
local at, all_bytes = 1, 0
for index = 5, #ARGV, 2 do
  local most, until_visible = tonumber(ARGV[index]), after(ARGV[index + 1])
  local answer, bytes = {}, 0
  while #answer < most and ids[at] do
    local id = ids[at]
    local message = redis.call('HGET', messages, id) or ''
    bytes = bytes + #message
    if (#answer > 0 and bytes > most_bytes_each) or (at > 1 and all_bytes + #message > most_bytes) then
      break
    end
    all_bytes, at = all_bytes + #message, at + 1
    local attempts = parse(noted[at - 1]) + 1
    answer[#answer + 1] = { id, message, attempts }
    counted[#counted + 1], counted[#counted + 2] = id, attempts .. ' ' .. nonce
    flying[#flying + 1], flying[#flying + 2] = until_visible, id
    gone[#gone + 1] = id
  end
  answers[#answers + 1] = answer
end
many('HSET', deliveries, counted)
many('ZADD', in_flight, flying)
if #flying > 0 then
  note_time()
end
many('ZREM', ready, gone)
return { redis.call('ZCARD', ready) > 0 and 1 or 0, answers }
