-- POST /orders at RATE a second, whatever the answers take: a request is due when its time has come, not when an
-- answer has. Only when all connections wait for an answer it waits for the next one that is free.
--
-- wrk does not tell how long an answer of a given status took. The service answers with the X-Request-ID that it was
-- sent, and so that is the time at which it was sent.

local ffi = require("ffi")
ffi.cdef([[
  typedef struct { long seconds, nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *now);
]])

local time = ffi.new("bench_time")
local function now() -- in microseconds
  ffi.C.clock_gettime(1, time) -- CLOCK_MONOTONIC
  return tonumber(time.seconds) * 1e6 + math.floor(tonumber(time.nanoseconds) / 1e3)
end

local every = 1e6 / tonumber(os.getenv("RATE"))
local due
local before, after
accepted, refused, other = {}, {}, 0 -- answers by tenths of a millisecond; done() asks for them by these names

function init()
  local body = '{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}'
  local request = wrk.format("POST", "/orders", { ["X-Request-ID"] = "@" }, body)
  before, after = request:match("^(.-)@(.*)$")
end

function delay() -- in whole milliseconds
  due = (due or now()) + every
  return math.max(0, math.floor((due - now()) / 1e3))
end

function request()
  return before .. string.format("%.0f", now()) .. after
end

function response(status, headers)
  local sent = headers["x-request-id"] or headers["X-Request-ID"] -- the service itself, or Nginx
  local tenths = math.floor((now() - tonumber(sent)) / 100)
  if status == 200 then
    accepted[tenths] = (accepted[tenths] or 0) + 1
  elseif status == 503 then
    refused[tenths] = (refused[tenths] or 0) + 1
  else
    other = other + 1
  end
end

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

local function describe(histogram) -- count, p50, p99 and the longest, in milliseconds
  local times, count = {}, 0
  for tenths, answers in pairs(histogram) do
    table.insert(times, tenths)
    count = count + answers
  end
  table.sort(times)
  local so_far, p50, p99 = 0, nil, nil
  for _, tenths in ipairs(times) do
    so_far = so_far + histogram[tenths]
    p50 = p50 or (so_far >= count * 0.5 and tenths)
    p99 = p99 or (so_far >= count * 0.99 and tenths)
  end
  return string.format("%d %.1f %.1f %.1f", count, (p50 or 0) / 10, (p99 or 0) / 10, (times[#times] or 0) / 10)
end

function done(summary)
  local errors, thread = summary.errors, threads[1]
  io.write(string.format(
    "overload %.6f %s %s %d %d\n",
    summary.duration / 1e6,
    describe(thread:get("accepted")),
    describe(thread:get("refused")),
    thread:get("other"),
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
