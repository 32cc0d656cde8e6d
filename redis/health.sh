#!/bin/sh
# The container's health check: a PING by the user who can do nothing else.
REDISCLI_AUTH=$(cat /run/secrets/REDIS_HEALTH_PASSWORD) redis-cli --user health --no-auth-warning ping | grep -x PONG
