-- What every script of a reliable queue begins with. Times are microseconds of Redis's own clock.
local sequence, messages, ready, delayed, in_flight, deliveries, dead, dead_messages, dead_deliveries = unpack(KEYS)
local max_attempts = tonumber(ARGV[1])

-- How much one call moves at most, so that none keeps Redis from its other clients for long.
local most_moved = 500
local most_bytes_copied = 4 * 1024 * 1024

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

-- All the digits: tostring would round.
local function digits(number)
  return string.format('%.0f', number)
end

local function after(seconds)
  return digits(now + seconds * 1000000)
end

-- How often a message was delivered, and the nonce of the last delivery.
local function delivery(hash, id)
  local attempts, nonce = string.match(redis.call('HGET', hash, id) or '', '^(%d+) (%S+)$')
  return tonumber(attempts or 0), nonce
end

-- In all that follows what adds comes before what removes: a Redis that is out of memory refuses the
-- first command that adds, and then nothing has been done.

-- Returns the bytes that were copied.
local function bury(id)
  local body = redis.call('HGET', messages, id) or ''
  redis.call('HSET', dead_messages, id, body)
  redis.call('HSET', dead_deliveries, id, redis.call('HGET', deliveries, id))
  redis.call('ZADD', dead, digits(now), id)
  redis.call('ZREM', in_flight, id)
  redis.call('HDEL', messages, id)
  redis.call('HDEL', deliveries, id)
  return #body
end

-- Whose visibility is over: back to its old place, or to the dead letters.
local function release(id)
  if delivery(deliveries, id) >= max_attempts then
    return bury(id)
  end
  redis.call('ZADD', ready, id, id)
  redis.call('ZREM', in_flight, id)
  return 0
end

-- Moves what is due.
local function settle()
  local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', digits(now), 'LIMIT', 0, most_moved)
  for _, id in ipairs(due) do
    redis.call('ZADD', ready, id, id)
    redis.call('ZREM', delayed, id)
  end
  local expired = redis.call('ZRANGEBYSCORE', in_flight, '-inf', digits(now), 'LIMIT', 0, most_moved)
  local copied = 0
  for _, id in ipairs(expired) do
    copied = copied + release(id)
    if copied > most_bytes_copied then
      break
    end
  end
end

