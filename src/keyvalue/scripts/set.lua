#!lua
-- the value → whether the key existed before
local existed = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return existed
