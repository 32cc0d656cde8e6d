-- maximum of messages → {number redriven, number left}
settle()
local redriven, moved = 0, 0
for _, id in ipairs(redis.call('ZRANGE', dead, 0, math.min(ARGV[2], most_moved) - 1)) do
  local message = exhume(id)
  redis.call('HSET', messages, id, message)
  redis.call('ZADD', ready, id, id)
  redriven, moved = redriven + 1, moved + #message
  if moved > most_bytes_copied then
    break
  end
end
return { redriven, redis.call('ZCARD', dead) }
