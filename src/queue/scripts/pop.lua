#!lua flags=allow-oom
-- maximum of messages, maximum of bytes → {whether there are more, the messages}; the first one may be of any size
local most, most_bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local chunk = 32 -- messages per read, since some of them may not fit
local popped, bytes, full = {}, 0, false
repeat
  local read = redis.call('LRANGE', KEYS[1], #popped, math.min(#popped + chunk, most) - 1)
  for _, message in ipairs(read) do
    bytes = bytes + #message
    if #popped > 0 and bytes > most_bytes then
      full = true
      break
    end
    popped[#popped + 1] = message
  end
until full or #read < chunk or #popped >= most
if #popped > 0 then
  redis.call('LTRIM', KEYS[1], #popped, -1)
end
return { redis.call('EXISTS', KEYS[1]), popped }
