-- → the number of messages: ready, delayed and in flight
settle()
local purged = redis.call('ZCARD', ready) + redis.call('ZCARD', delayed) + redis.call('ZCARD', in_flight)
redis.call('UNLINK', ready, delayed, in_flight, messages, deliveries)
return purged
