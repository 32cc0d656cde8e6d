-- delay in seconds, then the messages → their ids
local delay, due = tonumber(ARGV[2]), after(ARGV[2])
-- The time, unless that has been given out or the clock was set back.
local first = math.max(now, (redis.call('GET', sequence) or 0) + 1)
redis.call('SET', sequence, digits(first + #ARGV - 3))
local ids = {}
for index = 3, #ARGV do
  local id = digits(first + index - 3)
  redis.call('HSET', messages, id, ARGV[index])
  if delay > 0 then
    redis.call('ZADD', delayed, due, id)
  else
    redis.call('ZADD', ready, id, id)
  end
  ids[#ids + 1] = id
end
return ids
