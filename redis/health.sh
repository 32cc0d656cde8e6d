#!/bin/sh
# The container's health check: a PING by a user that can do nothing else.
REDISCLI_AUTH=$(cat /run/secrets/REDIS_HEALTH_PASSWORD) redis-cli --user health --no-auth-warning ping | grep -x PONG
