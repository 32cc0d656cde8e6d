#!lua
-- the value → whether there was one before
local existed = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return existed
