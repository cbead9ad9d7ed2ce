#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11) and SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10): a COPY of a collection with Depth 0
# copies all its members.
#
# `src/` has `1.txt` and `sub/2.txt`. A user wants a new collection without them.
#
# Good sense says: the copy is empty, as RFC 4918, section 9.8.3, asks. A server that cannot do this answers 4xx.
# Guess of its author, who had heard of the members and read the source by then, written down before the first run: both servers
# answer 201, and the copy has all members, of each level.
#
# Seen: the guess holds. nginx does read the header, as Depth 1 is 400. SabreDAV ignores it.
#
#                         nginx                   SabreDAV
#   COPY src/, Depth 0    201; 1.txt, sub/2.txt   201; 1.txt, sub/2.txt
#   COPY src/, Depth 1    400                     201; 1.txt, sub/2.txt
#
# For a client: a 201 to a COPY with Depth 0 does not prove an empty collection. MKCOL and PROPPATCH make one on each server.
#
# Source: ngx_http_dav_copy_move_handler of ngx_http_dav_module.c checks the depth, and then walks the tree at any depth. httpCopy of
# DAV/Server.php does not ask for the header.
set -euo pipefail
NGINX=1.22.1-9+deb12u11
SABRE=1.8.12-10
LIBRARIES=(libpcre2-8-0 libssl3)

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
apt-get download "nginx=$NGINX"
dpkg -x nginx_*.deb .
mkdir -p state root/src/sub
echo 1 > root/src/1.txt
echo 2 > root/src/sub/2.txt
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > nginx.conf <<CONF
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
  server {
    listen 127.0.0.1:$port;
    root $work/root;
    dav_methods PUT DELETE MKCOL COPY MOVE;
  }
}
CONF
cat > server.php <<PHP
<?php
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
\$server = new Sabre\\DAV\\Server(new Sabre\\DAV\\FS\\Directory('$work/root'));
\$server->setBaseUri('/');
\$server->exec();
PHP

url=http://127.0.0.1:$port
start() {
  "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
check() {
  printf '  %-26s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
# Arguments: depth, destination.
copy() {
  curl -s -o /dev/null -w '%{http_code} ' -X COPY -H "Depth: $1" -H "Destination: $url/$2" "$url/src/"
  [ ! -e "root/$2" ] || (cd "root/$2" && find . -type f | cut -c 3- | sort | tr '\n' ' ')
}

start ./usr/sbin/nginx -e state/log -p "$work" -c nginx.conf
check 'nginx: COPY, Depth 0' "$(copy 0 nginx-0/)" '201 1.txt sub/2.txt '
check 'nginx: COPY, Depth 1' "$(copy 1 nginx-1/)" '400 '
stop
start php -d display_errors=0 -S "127.0.0.1:$port" server.php
check 'SabreDAV: COPY, Depth 0' "$(copy 0 sabre-0/)" '201 1.txt sub/2.txt '
check 'SabreDAV: COPY, Depth 1' "$(copy 1 sabre-1/)" '201 1.txt sub/2.txt '
