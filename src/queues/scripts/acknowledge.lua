-- id, nonce of each → for each 1, or 0 if this is not the receipt of the last delivery
local ids, answers, done = {}, {}, {}
for index = 2, #ARGV, 2 do
  ids[#ids + 1] = ARGV[index]
end
local noted = redis.call('HMGET', deliveries, unpack(ids))
local acknowledged = {}
for index, id in ipairs(ids) do
  local nonce = ARGV[2 * index + 1]
  local _, last = parse(noted[index])
  local _, last_of_dead
  if last ~= nonce then
    _, last_of_dead = delivery(dead_deliveries, id)
  end
  if last == nonce and not done[id] then
    done[id] = true
    acknowledged[#acknowledged + 1] = id
    answers[index] = 1
  elseif last_of_dead == nonce then
    exhume(id)
    answers[index] = 1
  else
    answers[index] = 0
  end
end
many('ZREM', in_flight, acknowledged)
many('ZREM', ready, acknowledged)
many('HDEL', messages, acknowledged)
many('HDEL', deliveries, acknowledged)
return answers
