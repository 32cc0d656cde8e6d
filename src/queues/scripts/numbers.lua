-- → {whether the queue exists, ready, delayed, in flight, dead, dropped dead letters, push of the oldest that is
--    ready or 0, now}
settle()
-- Due messages that were too many to move in this call count as ready already.
local due_delayed = redis.call('ZCOUNT', delayed, '-inf', digits(now))
local due_in_flight = redis.call('ZCOUNT', in_flight, '-inf', digits(now))
return {
  redis.call('EXISTS', sequence),
  redis.call('ZCARD', ready) + due_delayed + due_in_flight,
  redis.call('ZCARD', delayed) - due_delayed,
  redis.call('ZCARD', in_flight) - due_in_flight,
  redis.call('ZCARD', dead),
  redis.call('HGET', dead_totals, 'dropped') or '0',
  redis.call('ZRANGE', ready, 0, 0)[1] or '0',
  digits(now),
}
