-- POST /api/queue/pop.
dofile("bench/report.lua")

wrk.method = "POST"
wrk.path = "/api/queue/pop"
wrk.headers["Authorization"] = os.getenv("API_TOKEN")
