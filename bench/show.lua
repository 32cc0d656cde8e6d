-- GET /orders/<id>: a thousand orders from FIRST on, in turn.
dofile("bench/report.lua")

local first, number = tonumber(os.getenv("FIRST")), 0
local requests = {}

function init()
  for i = 0, 999 do
    requests[i] = wrk.format("GET", "/orders/" .. first + i)
  end
end

function request()
  number = (number + 1) % 1000
  return requests[number]
end
