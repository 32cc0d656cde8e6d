-- RPUSH of MESSAGE by way of Webdis, which takes the last argument of a command from the body of a PUT.
dofile("bench/report.lua")

wrk.method = "PUT"
wrk.path = "/RPUSH/message_queue"
wrk.body = os.getenv("MESSAGE")
