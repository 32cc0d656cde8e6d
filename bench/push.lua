-- POST /api/queue/push: MESSAGE.
dofile("bench/report.lua")

wrk.method = "POST"
wrk.path = "/api/queue/push"
wrk.headers["Authorization"] = os.getenv("API_TOKEN")
wrk.body = os.getenv("MESSAGE")
