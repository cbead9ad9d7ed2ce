#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1) and SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10): a change of a member is 412 with the token
# of its parent's lock of Depth 0. Without the token it is done.
#
# A user locks `c/` with Depth 0, so that nobody else adds or deletes members. He sends the token with each PUT and DELETE, in a
# list for `c/`.
#
# Good sense says: 201 and 204, as a lock of Depth 0 protects the names in the collection, and the token is right (RFC 4918, section
# 7.4). At worst a server that overlooks such locks ignores the header.
# Guess of its author, who had heard of the 412, written down before the first run: both servers answer 412 to both requests, and
# 2xx to the same header with a lock of Depth infinity.
#
# Seen: the guess holds.
#
#                                                    lighttpd   SabreDAV
#   Depth 0: PUT c/new.txt, If: <c/> (<token>)       412        412
#   Depth 0: DELETE c/old.txt, If: <c/> (<token>)    412        412
#   Depth 0: PUT c/new.txt without If                201        201
#   Depth infinity: PUT c/more.txt, If: as above     201        201
#
# For a client: this 412 says nothing of a lost lock or a changed resource. Once more without the parent's token, or lock with
# infinity.
#
# Source: webdav_has_lock of mod_webdav.c and validateLock of DAV/Locks/Plugin.php compare the tokens with the locks of the member
# only. lighttpd refuses a token for a resource without locks. SabreDAV finds no list that is true.
set -euo pipefail
LIGHTTPD=1.4.69-1
SABRE=1.8.12-10
LIBRARIES=(libnettle8 libpcre2-8-0 libsqlite3-0 libuuid1 libxml2 libxxhash0)

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
apt-get download "lighttpd=$LIGHTTPD" "lighttpd-mod-webdav=$LIGHTTPD"
for package in *.deb; do dpkg -x "$package" .; done
mkdir state root
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > lighttpd.conf <<CONF
server.modules = ("mod_webdav")
server.bind = "127.0.0.1"
server.port = $port
server.document-root = "$work/root"
server.errorlog = "$work/state/log"
server.upload-dirs = ("$work/state")
webdav.activate = "enable"
webdav.sqlite-db-name = "$work/state/webdav.db"
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
  printf '  %-34s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
put() { echo content | status -T - "$@"; }
# Prints the answer to a LOCK with a body.
lock() {
  curl -s -i -X LOCK -H 'Content-Type: application/xml' -d '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>alice</owner></lockinfo>' "$@"
}
token() { tr -d '\r' | sed -n 's/^Lock-Token: //p'; }

# Arguments: server.
run() {
  check "$1: MKCOL" "$(status -X MKCOL "$url/$1/")" 201
  check "$1: PUT old.txt" "$(put "$url/$1/old.txt")" 201
  token=$(lock -H 'Depth: 0' "$url/$1/" | token)
  check "$1: Depth 0, PUT" "$(put -H "If: <$url/$1/> ($token)" "$url/$1/new.txt")" 412
  check "$1: Depth 0, DELETE" "$(status -X DELETE -H "If: <$url/$1/> ($token)" "$url/$1/old.txt")" 412
  check "$1: Depth 0, PUT without If" "$(put "$url/$1/new.txt")" 201
  check "$1: UNLOCK" "$(status -X UNLOCK -H "Lock-Token: $token" "$url/$1/")" 204
  token=$(lock -H 'Depth: infinity' "$url/$1/" | token)
  check "$1: Depth infinity, PUT" "$(put -H "If: <$url/$1/> ($token)" "$url/$1/more.txt")" 201
}

start ./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf
run lighttpd
stop
start php -d display_errors=0 -S "127.0.0.1:$port" server.php
run SabreDAV
