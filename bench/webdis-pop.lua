-- LPOP by way of Webdis.
dofile("bench/report.lua")

wrk.path = "/LPOP/message_queue"
