-- → the number of dead letters
settle()
local purged = redis.call('ZCARD', dead)
redis.call('UNLINK', dead, dead_messages, dead_deliveries)
redis.call('HDEL', dead_totals, 'bytes')
return purged
