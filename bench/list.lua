-- GET /orders: the newest 20.
dofile("bench/report.lua")

wrk.path = "/orders?page=1&limit=20"
