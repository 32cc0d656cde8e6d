-- → whether the queue existed
local existed = redis.call('EXISTS', sequence)
redis.call('UNLINK', unpack(KEYS))
return existed
