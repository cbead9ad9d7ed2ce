#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: no lock ends. A lock of 5 seconds holds after 8, and after a restart of the server.
#
# A client locks `a.txt` with `Timeout: Second-5`, and goes away, as an editor does that lost its network.
#
# Good sense says: the answer grants `Second-5`, and later the lock is gone (RFC 4918, section 6.6). Another user can write then.
# Guess of its author, who had read the source by then, written down before the first run: after 8 seconds a PUT without the token
# is 423, and `lockdiscovery` says `Second-5`. A restart changes nothing.
#
# Seen: the guess holds.
#
#   LOCK, Timeout: Second-5          200; granted Second-5
#   PUT without the token, after 8 s 423
#   LOCK of another user             423
#   lockdiscovery                    the token, Second-5, and no owner, although the LOCK named one
#   PUT after a restart              423
#   UNLOCK with that token, then PUT 204, 204
#
# For a client: waiting does not help, and `timeout` says nothing here. Give up each lock, also on the way out of a program. A lock
# that was left behind is given up by UNLOCK with the token of `lockdiscovery`, which is a person's decision: its `owner` is not
# shown.
#
# Source: the statements of mod_webdav.c add seconds to SQLite's CURRENT_TIME. That is a text such as `14:05:59`, and the sum is 14
# and the seconds. The rest is counted down by one an hour. No statement that looks for locks asks for the time.
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
discovery() {
  curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' -d '<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>' "$@"
}

start "${lighttpd[@]}"
check 'PUT a.txt' "$(put "$url/a.txt")" 201
answer=$(lock -H 'Timeout: Second-5' "$url/a.txt")
token=$(token <<< "$answer")
check 'LOCK, Timeout: Second-5' "$(grep -o '<D:timeout>[^<]*' <<< "$answer")" '<D:timeout>Second-5'
sleep 8
check 'PUT without the token, after 8 s' "$(put "$url/a.txt")" 423
check 'LOCK of another user' "$(lock "$url/a.txt" | head -1 | cut -d ' ' -f 2)" 423
answer=$(discovery "$url/a.txt")
rest=$(grep -o 'Second-[^<]*' <<< "$answer")
echo "  rest                               $rest"
# It is one less when an hour began, and 23 more at midnight.
[ "${rest#Second-}" -ge 4 ] || { echo 'CHANGED, expected: 5, or 4 in a new hour'; exit 1; }
check 'owner in lockdiscovery' "$(grep -o '<D:owner>[^<]*' <<< "$answer")" '<D:owner>'
check 'token in lockdiscovery' "<$(sed -n 's/^<D:href>\(urn:uuid:.*\)<.*/\1/p' <<< "$answer")>" "$token"
stop
start "${lighttpd[@]}"
check 'PUT after a restart' "$(put "$url/a.txt")" 423
check 'UNLOCK with that token' "$(status -X UNLOCK -H "Lock-Token: $token" "$url/a.txt")" 204
check 'PUT' "$(put "$url/a.txt")" 204
