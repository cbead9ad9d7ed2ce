#!/usr/bin/env bash
# SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10): a GET with `Range: bytes=0-0` is answered with the whole file.
#
# Programs ask for the first byte to learn if a server has ranges, and how long a file is. `a.txt` has 10 bytes.
#
# Good sense says: 206 with one byte and `Content-Range: bytes 0-0/10` (RFC 9110, section 14.2), as for `bytes=1-1`.
# Guess of its author, who had heard that more than one byte comes and had read the source by then, written down before the first
# run: the answer is 206 with all 10 bytes, and its Content-Range says so. `bytes=0-1` and `bytes=1-1` are right.
#
# Seen: the guess holds.
#
#   bytes=0-0    206, Content-Range: bytes 0-9/10, 10 bytes
#   bytes=0-1    206, Content-Range: bytes 0-1/10, 2 bytes
#   bytes=1-1    206, Content-Range: bytes 1-1/10, 1 byte
#
# For a client: a 206 may have more than the range. Content-Range tells which bytes these are, so they can be cut. A client that
# asks for the first byte of a large file reads all of it, unless it ends the body early.
#
# Source: httpGet of Sabre/DAV/Server.php takes the end of the range by `$range[1] ? … : …`, and `"0"` is false in PHP.
set -euo pipefail
VERSION=1.8.12-10

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
[ "$(dpkg-query -W -f '${Version}' php-sabre-dav 2>/dev/null || true)" = "$VERSION" ] ||
  apt-get install -y --no-install-recommends "php-sabre-dav=$VERSION" php-cli
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir root
printf 0123456789 > root/a.txt
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > server.php <<PHP
<?php
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
\$server = new Sabre\\DAV\\Server(new Sabre\\DAV\\FS\\Directory('$work/root'));
\$server->setBaseUri('/');
\$server->exec();
PHP
"${as[@]}" php -d display_errors=0 -S "127.0.0.1:$port" server.php > log 2>&1 &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o /dev/null "$url/" && break; sleep 0.1; done

check() {
  answer=$(curl -s -o body -D head -w '%{http_code}' -H "Range: bytes=$1" "$url/a.txt")
  answer="$answer $(grep -i '^content-range:' head | cut -d ' ' -f 2- | tr -d '\r') $(cat body)"
  printf '  bytes=%-6s %s\n' "$1" "$answer"
  [ "$answer" = "$2" ] || { echo "CHANGED, expected: $2"; exit 1; }
}
check 0-0 '206 bytes 0-9/10 0123456789'
check 0-1 '206 bytes 0-1/10 01'
check 1-1 '206 bytes 1-1/10 1'
