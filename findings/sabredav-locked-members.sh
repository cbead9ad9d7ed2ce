#!/usr/bin/env bash
# SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10): the owner of two locked members cannot delete their collection with a correct If
# header. It takes a header that a correct server refuses.
#
# A user has locked `c/a.txt` and `c/b.txt`, and deletes `c/` with both tokens.
#
# Good sense says: 204 with `<c/a.txt> (<token of a>) <c/b.txt> (<token of b>)`, as each list is true (RFC 4918, section 10.4.3),
# and each token is submitted.
# Guess of its author, who had heard of the 423 and read the source by then, written down before the first run: 423 with this
# header, even for one locked member. 204 with the URL of the collection in front of each token, which holds no lock.
#
# Seen: the guess holds.
#
#   If: <c/a.txt> (<token of a>) <c/b.txt> (<token of b>)    423
#   If: <c/> (<token of a>) (<token of b>)                   423
#   If: (<token of a>) (<token of b>)                        423
#   If: <c/> (<token of a>) <c/> (<token of b>)              204
#   one locked member, If: <c/a.txt> (<token of a>)          423
#   one locked member, If: <c/> (<token of a>)               204
#
# For a client: after a 423, the last form once more, or UNLOCK of the members and DELETE.
#
# Source: validateLock of DAV/Locks/Plugin.php skips a list if its tag does not begin the URL of the request, and then ends the
# search in a tag's lists at the first true one. All locks that are left over make a 423.
set -euo pipefail
VERSION=1.8.12-10

{ command -v curl && command -v python3; } >/dev/null 2>&1 || apt-get install -y --no-install-recommends curl python3-minimal
[ "$(dpkg-query -W -f '${Version}' php-sabre-dav 2>/dev/null || true)" = "$VERSION" ] ||
  apt-get install -y --no-install-recommends "php-sabre-dav=$VERSION" php-cli
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
mkdir state root
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
# Makes a collection with a member `a.txt`, and sets the token of its lock.
make() {
  check "MKCOL $1" "$(status -X MKCOL "$url/$1/")" 201
  check "PUT $1/a.txt" "$(put "$url/$1/a.txt")" 201
  a=$(lock "$url/$1/a.txt" | token)
}
delete() { status -X DELETE -H "If: $2" "$url/$1/"; }

start php -d display_errors=0 -S "127.0.0.1:$port" server.php
make c
check 'PUT c/b.txt' "$(put "$url/c/b.txt")" 201
b=$(lock "$url/c/b.txt" | token)
check 'each member and its token' "$(delete c "<$url/c/a.txt> ($a) <$url/c/b.txt> ($b)")" 423
check 'c/ and both tokens' "$(delete c "<$url/c/> ($a) ($b)")" 423
check 'both tokens' "$(delete c "($a) ($b)")" 423
check 'c/ and a token, twice' "$(delete c "<$url/c/> ($a) <$url/c/> ($b)")" 204
make one
check 'one: the member and its token' "$(delete one "<$url/one/a.txt> ($a)")" 423
check 'one: one/ and the token' "$(delete one "<$url/one/> ($a)")" 204
check 'GET one/a.txt' "$(status "$url/one/a.txt")" 404
