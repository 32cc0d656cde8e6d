#!/usr/bin/env bash
# Prints where cargo builds, wherever the user's environment or configuration has put that.
set -euo pipefail

cd "$(dirname "$0")/.."
cargo metadata --format-version 1 --no-deps --locked | sed 's/.*"target_directory":"\([^"]*\)".*/\1/'
