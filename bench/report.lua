-- What every script here ends in: one line for measure.sh. Requests, seconds, p50 and p99 in milliseconds, answers
-- of 400 and above, connections that failed.

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "measured %d %.6f %.3f %.3f %d %d\n",
    summary.requests,
    summary.duration / 1e6,
    latency:percentile(50) / 1000,
    latency:percentile(99) / 1000,
    errors.status,
    errors.connect + errors.read + errors.write + errors.timeout
  ))
end
