-- PATCH /orders/<id>: one id after the other, from FIRST on; nobody else takes those.
dofile("bench/report.lua")

local id = tonumber(os.getenv("FIRST")) - 1
local before, after

function init()
  local request = wrk.format("PATCH", "/orders/@", nil, '{"status": "TAKEN"}')
  before, after = request:match("^(.-)@(.*)$")
end

function request()
  id = id + 1
  return before .. id .. after
end
