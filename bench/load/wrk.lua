-- wrk --script wrk.lua URL -- METHOD PATH BODY FIRST SPAN TIMED
-- "@" in PATH becomes an id: each of the SPAN ids from FIRST on once, scattered. With TIMED "true" the latency of
-- each status is reported too: wrk itself does not tell them apart. The service returns the X-Request-ID that it
-- receives, so that carries the time of sending.
local ffi = require("ffi")
ffi.cdef("typedef struct { long s, ns; } moment; int clock_gettime(int clock, moment *now);")
local moment = ffi.new("moment")
local threads = {}
placed, refused, other = {}, {}, {} -- answers by tenths of a millisecond; wrk copies no table within a table

local function now() -- in microseconds
  ffi.C.clock_gettime(1, moment)
  return tonumber(moment.s) * 1e6 + math.floor(tonumber(moment.ns) / 1e3)
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local first, span, timed, number = tonumber(args[4]), tonumber(args[5]), args[6] == "true", 0
  wrk.method, wrk.path = args[1], args[2]
  wrk.body = args[3] ~= "" and args[3] or nil
  if wrk.path:match("^/api/") then wrk.headers["Authorization"] = os.getenv("API_TOKEN") end
  if timed then wrk.headers["X-Request-ID"] = "@" end
  local before, after = wrk.format():match("^(.-)@(.*)$")
  if not before then return end -- always the same request
  function request()
    number = number + 1
    local value = timed and string.format("%.0f", now()) or first + number * 7919 % span
    return before .. value .. after
  end
  if not timed then return end
  function response(status, headers)
    local sent = tonumber(headers["x-request-id"] or headers["X-Request-ID"])
    local times, tenths = other, math.floor((now() - sent) / 100)
    if status == 200 then times = placed elseif status == 503 then times = refused end
    times[tenths] = (times[tenths] or 0) + 1
  end
end

local function describe(times) -- count, p50 and p99
  local sorted, count, seen, p50, p99 = {}, 0, 0, nil, nil
  for tenths, answers in pairs(times) do
    table.insert(sorted, tenths)
    count = count + answers
  end
  table.sort(sorted)
  for _, tenths in ipairs(sorted) do
    seen = seen + times[tenths]
    p50 = p50 or (seen >= count * 0.5 and tenths)
    p99 = p99 or (seen >= count * 0.99 and tenths)
  end
  return string.format(" %d %.1f %.1f", count, (p50 or 0) / 10, (p99 or 0) / 10)
end

-- Answers, seconds, p50 and p99 in milliseconds, errors; then of each status: answers, p50, p99.
function done(summary, latency)
  local errors, thread = summary.errors, threads[1]
  io.write(string.format(
    "measured %d %.6f %.3f %.3f %d", summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, errors.status + errors.connect + errors.read + errors.write + errors.timeout
  ), describe(thread:get("placed")), describe(thread:get("refused")), describe(thread:get("other")), "\n")
end
