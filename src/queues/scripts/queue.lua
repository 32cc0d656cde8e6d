-- The common part of every script of a reliable queue. Times are microseconds of Redis's own clock.
local sequence, messages, ready, delayed, in_flight, deliveries, dead, dead_messages, dead_deliveries,
  dead_totals, clock = unpack(KEYS)
local max_attempts = tonumber(ARGV[1])

-- The maximum that one call moves, so that none blocks the other clients of Redis for long.
local most_moved = 500
local most_bytes_copied = 4 * 1024 * 1024

-- The maximum of dead letters and of their bytes; beyond that the oldest are dropped.
local most_dead = 10000
local most_dead_bytes = 64 * 1024 * 1024

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- A queue's time never goes back: if Redis's clock is set back, waiting messages would wait for that much longer. The
-- time then continues from the last recorded one, and is ahead of the clock until no message waits any more.
local noted = redis.call('HMGET', clock, 'last', 'ahead')
local last, ahead = tonumber(noted[1] or 0), tonumber(noted[2] or 0)
if noted[1] and redis.call('EXISTS', in_flight, delayed) == 0 then
  redis.call('UNLINK', clock)
  last, ahead = 0, 0
end
now = now + ahead
if now < last then
  redis.call('HSET', clock, 'ahead', string.format('%.0f', ahead + last - now))
  now = last
end

-- All the digits: tostring would round.
local function digits(number)
  return string.format('%.0f', number)
end

-- Every command that delays a message records the time.
local function note_time()
  redis.call('HSET', clock, 'last', digits(now))
end

local function after(seconds)
  return digits(now + seconds * 1000000)
end

-- One command for many arguments; Lua's stack has no room for all of them.
local function many(command, key, arguments)
  for from = 1, #arguments, 1000 do
    redis.call(command, key, unpack(arguments, from, math.min(from + 999, #arguments)))
  end
end

-- The number of deliveries of a message, and the nonce of the last one.
local function parse(noted)
  local attempts, nonce = string.match(noted or '', '^(%d+) (%S+)$')
  return tonumber(attempts or 0), nonce
end

local function delivery(hash, id)
  return parse(redis.call('HGET', hash, id))
end

-- Removes a dead letter, and returns its text.
local function exhume(id)
  local body = redis.call('HGET', dead_messages, id) or ''
  redis.call('ZREM', dead, id)
  redis.call('HDEL', dead_messages, id)
  redis.call('HDEL', dead_deliveries, id)
  redis.call('HINCRBY', dead_totals, 'bytes', -#body)
  return body
end

local function drop_the_oldest()
  for _ = 1, most_moved do
    local bytes = tonumber(redis.call('HGET', dead_totals, 'bytes') or 0)
    if redis.call('ZCARD', dead) <= most_dead and bytes <= most_dead_bytes then
      return
    end
    local oldest = redis.call('ZRANGE', dead, 0, 0)[1]
    if not oldest then
      return
    end
    exhume(oldest)
    redis.call('HINCRBY', dead_totals, 'dropped', 1)
  end
end

-- Returns the number of bytes moved.
local function bury(id)
  local body = redis.call('HGET', messages, id) or ''
  local noted = redis.call('HGET', deliveries, id)
  redis.call('ZREM', in_flight, id)
  redis.call('HDEL', messages, id)
  redis.call('HDEL', deliveries, id)
  redis.call('HSET', dead_messages, id, body)
  redis.call('HSET', dead_deliveries, id, noted)
  redis.call('ZADD', dead, digits(now), id)
  redis.call('HINCRBY', dead_totals, 'bytes', #body)
  drop_the_oldest()
  return #body
end

-- A message after its visibility timeout: back to its old position, or to the dead letters.
local function release(id)
  if delivery(deliveries, id) >= max_attempts then
    return bury(id)
  end
  redis.call('ZADD', ready, id, id)
  redis.call('ZREM', in_flight, id)
  return 0
end

-- Moves the due messages.
local function settle()
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', digits(now), 'LIMIT', 0, most_moved)
  if #due > 0 then
    local scored = {}
    for index, id in ipairs(due) do
      scored[2 * index - 1], scored[2 * index] = id, id
    end
    many('ZADD', ready, scored)
    many('ZREM', delayed, due)
  end
  local expired = redis.call('ZRANGEBYSCORE', in_flight, '-inf', digits(now), 'LIMIT', 0, most_moved)
  local moved = 0
  for _, id in ipairs(expired) do
    moved = moved + release(id)
    if moved > most_bytes_copied then
      break
    end
  end
end

