#!/usr/bin/env bash
# Writes .env with random secrets, readable by its owner alone, if there is none; never touches one that is there.
set -euo pipefail

cd "$(dirname "$0")/.."
[[ ! -e .env ]] || exit 0

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 077
cat >.env.new <<END
# Made by make run; .env.example tells what else can stand here.
API_TOKEN=$(random)
END
mv .env.new .env
echo "Wrote .env with a new API_TOKEN." >&2
