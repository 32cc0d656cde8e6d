#!/usr/bin/env bash
# Translates the settings TLS_CERTIFICATE, TLS_KEY, TLS_PORT and TRUSTED_PROXIES of the environment for Nginx:
#   nginx-settings.sh check     fails with one line that names the wrong setting
#   nginx-settings.sh write DIR SEEN_AS LISTEN TLS_LISTEN VERSION
#                               checks, then writes DIR/listen.conf and, for HTTPS, DIR/tls.pem; Nginx, of that
#                               version, sees DIR under the name SEEN_AS
#   nginx-settings.sh renew DIR checks, then writes only DIR/tls.pem
#   nginx-settings.sh undo DIR  reverts that
set -euo pipefail

certificate=${TLS_CERTIFICATE:-} key=${TLS_KEY:-} port=${TLS_PORT:-8443} plain_port=${PORT:-8080}

refuse() {
  echo "$*" >&2
  exit 1
}

readable() { # SETTING FILE
  [[ -e $2 ]] || refuse "$1 names $2, which does not exist, or is in a directory that user $(id -un) cannot enter:" \
    "it is the path of a PEM file, absolute or from $PWD."
  [[ -f $2 ]] || refuse "$1 names $2, which is not a file: it is the path of a PEM file."
  [[ -r $2 ]] || refuse "$1 names $2, which user $(id -un) cannot read: give that user the right to, and no other."
}

# One file with the key, the server's certificate and its chain, so that they always match.
pem() {
  openssl pkey -inform PEM -in "$key" -passin pass: 2>/dev/null ||
    refuse "TLS_KEY names $key, which does not hold a private key in PEM without a passphrase."
  awk '/-----BEGIN CERTIFICATE-----/, /-----END CERTIFICATE-----/' "$certificate"
}

# The public key of the first certificate; every certificate must be complete.
public_key() {
  openssl crl2pkcs7 -nocrl -certfile <(echo "$whole") >/dev/null 2>&1 || return 1
  openssl x509 -inform PEM -noout -pubkey 2>/dev/null <<<"$whole"
}

# What Nginx would find too weak when it starts, at the level of security that its packages come with.
weakness() {
  { openssl s_client -connect 127.0.0.1:0 -cipher DEFAULT@SECLEVEL=2 -cert <(echo "$whole") -key <(echo "$whole") \
    -cert_chain <(echo "$whole") </dev/null 2>&1 || true; } |
    sed -n '/^error setting certificate/,$ s/.*:\(.*\):[^:]*:[0-9]*:.*/\1/p'
}

# Of the server's certificate, as seconds.
date_of() { date --date "$(openssl x509 -noout "-$1" <<<"$whole" | sed 's/^[^=]*=//')" +%s; } # startdate or enddate

is_port() { [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= 65535)); }

# Leaves the checked key and certificates in $whole: the files may change before they are written.
check_tls() {
  [[ -n $certificate$key ]] || return 0
  [[ -n $key ]] || refuse "TLS_CERTIFICATE is set, and TLS_KEY is not: set both for HTTPS, or neither."
  [[ -n $certificate ]] || refuse "TLS_KEY is set, and TLS_CERTIFICATE is not: set both for HTTPS, or neither."
  command -v openssl >/dev/null || refuse "TLS_CERTIFICATE is set, and openssl, which checks it, is missing: install it."
  readable TLS_CERTIFICATE "$certificate"
  readable TLS_KEY "$key"
  is_port "$port" || refuse "TLS_PORT is $port, which is not a port: 1 to 65535."
  [[ $port != "$plain_port" ]] || refuse "TLS_PORT and PORT are both $port: HTTPS needs a port of its own."

  local ours theirs weak now
  whole=$(pem)
  ours=$(public_key) || refuse "TLS_CERTIFICATE names $certificate, which does not hold certificates in PEM."
  theirs=$(openssl pkey -pubout <<<"$whole")
  [[ $ours == "$theirs" ]] || refuse "TLS_KEY names $key, which does not belong to the first certificate in $certificate:" \
    "name the key that it was issued for; the server's certificate stands before those that signed it."
  weak=$(weakness)
  [[ -z $weak ]] || refuse "TLS_CERTIFICATE names $certificate, which Nginx refuses ($weak):" \
    "RSA keys need 2048 bits, and signatures SHA-256, also those of the certificates after the first."
  now=$(date +%s)
  if (($(date_of enddate) <= now)); then
    echo "Clients will refuse the certificate in $certificate: its $(openssl x509 -noout -enddate <<<"$whole")." >&2
  elif (($(date_of startdate) > now)); then
    echo "Clients refuse the certificate in $certificate as yet: its $(openssl x509 -noout -startdate <<<"$whole")." >&2
  fi
}

ipv4() { # ADDRESS
  local part parts
  [[ $1 =~ ^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){3}$ ]] || return 1
  IFS=. read -ra parts <<<"$1"
  for part in "${parts[@]}"; do ((part <= 255)) || return 1; done
}

ipv6() { # ADDRESS; :: stands for at least one group
  local groups
  [[ $1 =~ ^[0-9A-Fa-f:]+$ && $1 != *:::* && $1 != *::*::* && ! $1 =~ ^:[^:] && ! $1 =~ [^:]:$ ]] || return 1
  [[ ! $1 =~ [0-9A-Fa-f]{5} ]] || return 1
  read -ra groups <<<"${1//:/ }"
  if [[ $1 == *::* ]]; then ((${#groups[@]} <= 7)); else ((${#groups[@]} == 8)); fi
}

# One line per address or network. Names are refused: Nginx would resolve them only once, at its start.
proxies() {
  local proxy address bits most
  { tr ',' '\n' <<<"${TRUSTED_PROXIES:-}" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//; /^$/d' | sort -u; } |
    while read -r proxy; do
      address=${proxy%%/*}
      if ipv4 "$address"; then most=32; elif ipv6 "$address"; then most=128; else most=-1; fi
      bits=$most
      [[ $proxy != */* ]] || bits=${proxy#*/}
      [[ $bits =~ ^(0|[1-9][0-9]{0,2})$ ]] || bits=1000
      ((bits <= most)) || refuse "TRUSTED_PROXIES has \"$proxy\"," \
        "which is not an address or network: such as 192.0.2.7,10.1.0.0/16,2001:db8::/32."
      ((bits > 0)) || refuse "TRUSTED_PROXIES has \"$proxy\", which is everyone: name the proxies."
      echo "$proxy"
    done
}

check() {
  check_tls
  proxies >/dev/null
}

# Atomically, and whatever the umask.
put() { # FILE MODE, from standard input
  (umask 077 && cat >"$1.new")
  chmod "$2" "$1.new"
  mv -f "$1.new" "$1"
}

real_ip() { # PROXIES, a line each
  local proxy variable
  if [[ -n $1 ]]; then
    echo "real_ip_header X-Forwarded-For;"
    echo "real_ip_recursive on;"
    while read -r proxy; do echo "set_real_ip_from $proxy;"; done <<<"$1"
  fi
  # Whether the peer, and the client that it forwards, are trusted proxies.
  for variable in "\$realip_remote_addr \$peer_is_proxy" "\$client_is_proxy"; do
    echo "geo $variable {"
    echo "    default 0;"
    [[ -z $1 ]] || while read -r proxy; do echo "    $proxy 1;"; done <<<"$1"
    echo "}"
  done
}

at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; } # VERSION OF_THESE

server() { # LISTEN INCLUDE...
  echo "server {"
  echo "    listen $1 backlog=4096;" # a thousand clients may come at once
  printf '    include %s;\n' "${@:2}"
}

listen() { # SEEN_AS LISTEN TLS_LISTEN VERSION PROXIES
  local forwarded=direct.conf authority="\$asked_host:$port"
  [[ -z $5 ]] || forwarded=proxied.conf
  [[ $port != 443 ]] || authority="\$asked_host"
  real_ip "$5"
  # A request sent on an open connection during a reload is answered.
  ! at_least 1.27.4 "$4" || echo "keepalive_min_timeout 3s;"
  if [[ -z $certificate ]]; then
    server "$2" "$forwarded" server.conf
    echo "}"
    return
  fi
  echo "map '' \$tls_authority {"
  echo "    default $authority;"
  echo "}"
  server "$2" "$forwarded" redirect.conf
  echo "}"
  if at_least 1.25.1 "$4"; then
    server "$3 ssl" "$forwarded" tls.conf server.conf
    echo "    http2 on;"
  else
    server "$3 ssl http2" "$forwarded" tls.conf server.conf
  fi
  echo "    ssl_certificate $1/tls.pem;"
  echo "    ssl_certificate_key $1/tls.pem;"
  echo "}"
}

# Whoever can enter DIR can read the key: the caller must restrict it.
write() { # DIR SEEN_AS LISTEN TLS_LISTEN VERSION
  local believed
  check
  believed=$(proxies)
  if [[ -n $certificate ]]; then put "$1/tls.pem" "${KEY_MODE:-400}" <<<"$whole"; else rm -f "$1/tls.pem" "$1/tls.pem.old"; fi
  listen "${@:2}" "$believed" | put "$1/listen.conf" 444
}

renew() { # DIR
  [[ -n $certificate$key ]] || refuse "TLS_CERTIFICATE and TLS_KEY are not set: there is no certificate to renew."
  [[ -e $1/tls.pem ]] || refuse "Nginx was started without TLS_CERTIFICATE and TLS_KEY: start it again with them."
  check
  cp -pf "$1/tls.pem" "$1/tls.pem.old"
  put "$1/tls.pem" "${KEY_MODE:-400}" <<<"$whole"
}

undo() { mv -f "$1/tls.pem.old" "$1/tls.pem"; }

"$@"
