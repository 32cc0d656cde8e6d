#!/usr/bin/env bash
# Sees to the Debian packages that running and testing need:
#   packages.sh                        installs what is missing, by sudo if need be
#   packages.sh also PROGRAM...        and the packages of these programs, which have the same names
#   packages.sh install PACKAGE...     as root: installs these
# Starts no server, makes no database, and touches none that is there.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
missing=()

has() { command -v "$1" >/dev/null; }
need() { "${@:2}" 2>/dev/null || missing+=("$1"); } # PACKAGE, and a command that succeeds when it is there

undo=()
install() {
  trap 'rm -f "${undo[@]}"' EXIT
  if [[ ! -e /usr/sbin/policy-rc.d ]]; then # what Debian asks whether a service may be started
    undo+=(/usr/sbin/policy-rc.d)
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  local cluster=/etc/postgresql-common/createcluster.d/order-api.conf
  undo+=("$cluster")
  mkdir -p "${cluster%/*}"
  echo 'create_main_cluster = false' >"$cluster"

  local log
  log=$(mktemp)
  undo+=("$log")
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 || {
    cat "$log" >&2
    return 1
  }
  # Debian would start it with the machine, and it lets everyone there into a Redis.
  [[ " $* " != *" webdis "* ]] || update-rc.d webdis disable
}

if [[ ${1:-} == install ]]; then
  install "${@:2}"
  exit
fi

has cargo || {
  echo "Rust is missing: install it as https://rustup.rs says, then open a new shell." >&2
  exit 1
}

need postgresql eval 'has postgres || compgen -G "/usr/lib/postgresql/*/bin/postgres" >/dev/null'
need redis-server eval 'has redis-server && has redis-cli'
need nginx has nginx
need curl has curl
need openssl has openssl
need ca-certificates test -s /etc/ssl/certs/ca-certificates.crt
need gcc has cc
need libc6-dev test -e /usr/include/stdlib.h
need pkg-config has pkg-config
need libpq-dev pkg-config --exists libpq
need libssl-dev pkg-config --exists openssl
if [[ ${1:-} == also ]]; then
  for program in "${@:2}"; do need "$program" has "$program"; done
fi
((${#missing[@]})) || exit 0

echo "Missing packages: ${missing[*]}"
script=$(realpath "$0")
if ! has apt-get; then
  echo "This is no Debian: install them under the names they have here." >&2
  exit 1
elif ((EUID == 0)); then
  install "${missing[@]}"
elif has sudo && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
  sudo "$script" install "${missing[@]}"
else
  echo "Install them by: su -c '$script install ${missing[*]}'" >&2
  exit 1
fi
