-- for each push: delay in seconds, number of messages, the messages → the first id; each further one is one higher
local bodies, now_ready, now_delayed = {}, {}, {}
-- The time, unless that id was already assigned or the clock was set back.
local first = math.max(now, (redis.call('GET', sequence) or 0) + 1)
local index, next_id = 2, first
while index < #ARGV do
  local delay, last = tonumber(ARGV[index]), index + 1 + ARGV[index + 1]
  local set = delay > 0 and now_delayed or now_ready
  local due = after(delay)
  for message = index + 2, last do
    local id = digits(next_id)
    next_id = next_id + 1
    bodies[#bodies + 1], bodies[#bodies + 2] = id, ARGV[message]
    set[#set + 1], set[#set + 2] = delay > 0 and due or id, id
  end
  index = last + 1
end
redis.call('SET', sequence, digits(next_id - 1))
many('HSET', messages, bodies)
many('ZADD', ready, now_ready)
many('ZADD', delayed, now_delayed)
if #now_delayed > 0 then
  note_time()
end
return digits(first)
