-- the keys of some queues → {existing queues, ready, delayed, in flight, dead, dropped dead letters, age of the
--    oldest that is ready, the oldest nonce of the messages in flight that are read}
-- It changes nothing, so unlike the other scripts it does not move due messages, but counts them as ready.
local keys_of_one = 11
local time = redis.call('TIME')
local clock_now = time[1] * 1000000 + time[2]
local queues, ready_in_all, delayed_in_all, flying_in_all, dead_in_all, dropped_in_all, oldest_age = 0, 0, 0, 0, 0, 0, 0
local oldest_nonce = ''

-- The queue's own time, which never goes back (see queue.lua).
local function time_of(clock, waiting)
  if not waiting then
    return clock_now
  end
  local noted = redis.call('HMGET', clock, 'last', 'ahead')
  return math.max(clock_now + (noted[2] or 0), tonumber(noted[1] or 0))
end

for from = 1, #KEYS, keys_of_one do
  local sequence, _, ready, delayed, in_flight, deliveries, dead, _, _, dead_totals, clock =
    unpack(KEYS, from, from + keys_of_one - 1)
  local delays, flying = redis.call('ZCARD', delayed), redis.call('ZCARD', in_flight)
  local now = time_of(clock, delays + flying > 0)
  local now_in_digits = string.format('%.0f', now)
  local due_delays, due_flying = 0, 0

  local function note_age(set)
    local id = redis.call('ZRANGE', set, 0, 0)[1]
    if id then
      oldest_age = math.max(oldest_age, now - id)
    end
  end
  local function note_nonce(id)
    local nonce = string.match(redis.call('HGET', deliveries, id) or '', '^%d+ (%S+)$')
    if nonce and (oldest_nonce == '' or nonce < oldest_nonce) then
      oldest_nonce = nonce
    end
  end

  note_age(ready)
  if delays > 0 then
    due_delays = redis.call('ZCOUNT', delayed, '-inf', now_in_digits)
    if due_delays > 0 then
      note_age(delayed)
    end
  end
  if flying > 0 then
    due_flying = redis.call('ZCOUNT', in_flight, '-inf', now_in_digits)
    if due_flying > 0 then
      note_age(in_flight)
    end
    -- The messages whose visibility timeouts end first and last.
    if due_flying < flying then
      note_nonce(redis.call('ZRANGE', in_flight, due_flying, due_flying)[1])
      note_nonce(redis.call('ZRANGE', in_flight, -1, -1)[1])
    end
  end
  queues = queues + redis.call('EXISTS', sequence)
  ready_in_all = ready_in_all + redis.call('ZCARD', ready) + due_delays + due_flying
  delayed_in_all = delayed_in_all + delays - due_delays
  flying_in_all = flying_in_all + flying - due_flying
  dead_in_all = dead_in_all + redis.call('ZCARD', dead)
  dropped_in_all = dropped_in_all + (redis.call('HGET', dead_totals, 'dropped') or 0)
end
return {
  queues,
  ready_in_all,
  delayed_in_all,
  flying_in_all,
  dead_in_all,
  dropped_in_all,
  oldest_age,
  oldest_nonce,
}
