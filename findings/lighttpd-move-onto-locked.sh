#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: a MOVE onto a locked file is 412 with the token of its lock, in any form. It is 204
# if the source is locked as well.
#
# `a.txt` is locked by a user, who saves as editors do: he uploads `new.txt`, and moves it onto `a.txt` with the token.
#
# Good sense says: 204, as with COPY. The If header is true: `a.txt` has the lock (RFC 4918, section 10.4.4).
# Guess of its author, who had heard of the 412, written down before the first run: the MOVE is 412 with a tagged and an untagged
# token. None for a locked source.
#
# Seen: the guess holds.
#
#   COPY new.txt to a.txt, If: <a.txt> (<token>)                       204
#   MOVE new.txt to a.txt, If: <a.txt> (<token>)                       412
#   MOVE, If: (<token>)                                                412
#   MOVE, If: <new.txt> (Not <DAV:no-lock>) <a.txt> (<token>)          412
#   MOVE without If                                                    423
#   MOVE, new.txt locked, If: <new.txt> (<other>) <a.txt> (<token>)    204; a.txt is still locked
#
# For a client: lock the source as well, and send both tokens. COPY and DELETE do the same in two requests.
#
# Source: webdav_has_lock of mod_webdav.c overlooks the tags. It runs for the source of a MOVE first, and refuses any token there if
# the source has no lock. COPY asks for the destination only.
set -euo pipefail
VERSION=1.4.69-1
LIBRARIES=(libnettle8 libpcre2-8-0 libsqlite3-0 libuuid1 libxml2 libxxhash0)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
apt-get download "lighttpd=$VERSION" "lighttpd-mod-webdav=$VERSION"
for package in *.deb; do dpkg -x "$package" .; done
mkdir root state
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 root state
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
url=http://127.0.0.1:$port
start() {
  "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
lighttpd=(./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf)

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
# Arguments: method, options of curl.
onto() { status -X "$1" -H "Destination: $url/a.txt" -H 'Overwrite: T' "${@:2}" "$url/new.txt"; }

start "${lighttpd[@]}"
check 'PUT a.txt' "$(put "$url/a.txt")" 201
check 'PUT new.txt' "$(put "$url/new.txt")" 201
token=$(lock "$url/a.txt" | token)
check 'COPY, tagged' "$(onto COPY -H "If: <$url/a.txt> ($token)")" 204
check 'MOVE, tagged' "$(onto MOVE -H "If: <$url/a.txt> ($token)")" 412
check 'MOVE, untagged' "$(onto MOVE -H "If: ($token)")" 412
check 'MOVE, a list for each' "$(onto MOVE -H "If: <$url/new.txt> (Not <DAV:no-lock>) <$url/a.txt> ($token)")" 412
check 'MOVE without If' "$(onto MOVE)" 423
other=$(lock "$url/new.txt" | token)
check 'MOVE, both locked' "$(onto MOVE -H "If: <$url/new.txt> ($other) <$url/a.txt> ($token)")" 204
check 'GET new.txt' "$(status "$url/new.txt")" 404
check 'PUT a.txt without the token' "$(put "$url/a.txt")" 423
check 'PUT a.txt with the token' "$(put -H "If: ($token)" "$url/a.txt")" 204
