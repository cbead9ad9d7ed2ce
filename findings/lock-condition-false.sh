#!/usr/bin/env bash
# nginx 1.22.1 with dav-ext 3.0.0 (Debian 1.22.1-9+deb12u11, 1:3.0.0-3) and SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10): a LOCK
# whose condition is false locks the file. nginx answers 304 or 412, SabreDAV 200.
#
# Alice makes a new file safely: she locks the name with `If-None-Match: *`, and writes to the empty file that the LOCK makes.
# `a.txt` exists, as another user was quicker. Later she locks `a.txt` on condition that it has the ETag that she knows.
#
# Good sense says: both are 412, and `a.txt` is not locked (RFC 9110, section 13.1).
# Guess of its author, who had heard of the 304 and of SabreDAV's 200, written down before the first run: nginx makes the lock, and
# its filter for conditional requests writes 304 over the 200. The 304 may have no Lock-Token. After he had read the source of the
# filter: with If-Match the answer is 412 without a Lock-Token, and `a.txt` is locked. None for If-Match on SabreDAV.
#
# Seen: the guess holds. The 304 has a Lock-Token. SabreDAV does check the condition of a PUT.
#
#                                           nginx                    SabreDAV
#   LOCK, If-None-Match: *                  304 with Lock-Token      200 with Lock-Token
#   PUT of another user                     423                      423
#   UNLOCK with that token                  204                      204
#   LOCK, If-Match: "other"                 412 without Lock-Token   200 with Lock-Token
#   PUT of another user                     423                      423
#   UNLOCK with the token of lockdiscovery  204                      not shown there
#   PUT, If-None-Match: *                   204                      412
#
# For a client: only a 201 proves a new file. A 304 or 412 of nginx is a lock: give it up by the Lock-Token or the token in
# `lockdiscovery`. Else the file is locked for all, oneself included, for 60 seconds, the timeout of dav-ext.
#
# Source: httpLock of DAV/Locks/Plugin.php checks no condition; httpPut of DAV/Server.php does. The filter of
# ngx_http_not_modified_filter_module.c compares the headers with a 200 of any method, after the handler of LOCK has made the lock.
set -euo pipefail
NGINX=1.22.1-9+deb12u11
DAV_EXT=1:3.0.0-3
SABRE=1.8.12-10
LIBRARIES=(libpcre2-8-0 libssl3 libxml2)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
[ "$(dpkg-query -W -f '${Version}' php-sabre-dav 2>/dev/null || true)" = "$SABRE" ] ||
  apt-get install -y --no-install-recommends "php-sabre-dav=$SABRE" php-cli
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
apt-get download "nginx=$NGINX" "libnginx-mod-http-dav-ext=$DAV_EXT"
for package in *.deb; do dpkg -x "$package" .; done
mkdir state root
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > nginx.conf <<CONF
load_module $work/usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
pid $work/state/pid;
events {
  worker_connections 64;
}
http {
  access_log off;
  client_body_temp_path $work/state/body;
  proxy_temp_path $work/state/proxy;
  fastcgi_temp_path $work/state/fastcgi;
  uwsgi_temp_path $work/state/uwsgi;
  scgi_temp_path $work/state/scgi;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:$port;
    root $work/root;
    dav_methods PUT DELETE MKCOL COPY MOVE;
    dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
    dav_ext_lock zone=locks;
  }
}
CONF
cat > server.php <<PHP
<?php
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
use Sabre\\DAV;
\$server = new DAV\\Server(new DAV\\FS\\Directory('$work/root'));
\$server->setBaseUri('/');
\$server->addPlugin(new DAV\\Locks\\Plugin(new DAV\\Locks\\Backend\\File('$work/state/locks')));
\$server->exec();
PHP

url=http://127.0.0.1:$port
start() {
  "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
check() {
  printf '  %-36s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
put() { echo content | status -T - "$@"; }
lock() {
  curl -s -i -X LOCK -H 'Content-Type: application/xml' -d '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>alice</owner></lockinfo>' "$@" |
    tr -d '\r'
}
token() { sed -n 's/^Lock-Token: //p'; }
# Prints the status of an answer, and if it has a token.
outcome() { sed -nE '1s/[^ ]* ([0-9]*).*/\1/p; s/^Lock-Token: .*/with Lock-Token/p' | tr '\n' ' '; }
# Prints the token that nginx shows to everybody. SabreDAV does not show it.
discovered() {
  curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' -d '<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>' "$1" |
    sed -n 's/.*>\(urn:[^<]*\)<.*/<\1>/p'
}
unlock() { status -X UNLOCK -H "Lock-Token: $1" "$2"; }
# Arguments: server, outcomes of the two LOCKs, status of the last PUT.
run() {
  file=$url/$1.txt
  check "$1: PUT" "$(put "$file")" 201
  answer=$(lock -H 'If-None-Match: *' "$file")
  check "$1: LOCK, If-None-Match" "$(outcome <<< "$answer")" "$2"
  check "$1: PUT of another user" "$(put "$file")" 423
  check "$1: UNLOCK" "$(unlock "$(token <<< "$answer")" "$file")" 204
  answer=$(lock -H 'If-Match: "other"' "$file")
  check "$1: LOCK, If-Match" "$(outcome <<< "$answer")" "$3"
  check "$1: PUT of another user" "$(put "$file")" 423
  check "$1: UNLOCK" "$(unlock "$(token <<< "$answer" | grep . || discovered "$file")" "$file")" 204
  check "$1: PUT, If-None-Match" "$(put -H 'If-None-Match: *' "$file")" "$4"
}

start ./usr/sbin/nginx -e state/log -p "$work" -c nginx.conf
run nginx '304 with Lock-Token ' '412 ' 204
stop
start php -d display_errors=0 -S "127.0.0.1:$port" server.php
run SabreDAV '200 with Lock-Token ' '200 with Lock-Token ' 412
