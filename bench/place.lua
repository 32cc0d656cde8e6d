-- POST /orders: the same order again and again.
dofile("bench/report.lua")

wrk.method = "POST"
wrk.path = "/orders"
wrk.body = '{"origin": ["50.456399", "12.707580"], "destination": ["59.436487", "24.747193"]}'
