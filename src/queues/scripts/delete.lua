-- → whether there was such a queue
local existed = redis.call('EXISTS', sequence)
redis.call('UNLINK', unpack(KEYS))
return existed
