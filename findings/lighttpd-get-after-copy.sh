#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: for up to a second after a COPY onto a file, a GET has its old content, whole and with the
# old length. PROPFIND has the new one.
#
# A program reads `a.txt`, copies `b.txt` onto it, and reads it again to see if the copy is right.
#
# Good sense says: the new content, as the 204 was there before the GET was sent. It is so after a MOVE and a PUT.
# Guess of its author, written down before the first run: the content of the source. The old one came out by chance in a test of properties.
#
# Seen:
#
#   GET a.txt                              old
#   COPY b.txt to a.txt, Overwrite T       204
#   GET a.txt at once                      200, old, Content-Length: 3
#   PROPFIND a.txt, getcontentlength       11
#   GET a.txt, up to a second later        new content
#   the same without the first GET         new content at once
#   the same with MOVE or PUT              new content at once
#
# For a client: to verify a COPY by a download that begins at once finds a difference that is none, or no difference between old files.
# Compare once more after a second, before a copy is called wrong.
#
# Source: webdav_copymove_file of mod_webdav.c calls stat_cache_delete_entry for a renamed file and a copied one, but not behind the hard
# link by which a COPY is made. The cache looks at the disk again after a second.
set -euo pipefail
VERSION=1.4.69-1
LIBRARIES=(libnettle8 libpcre2-8-0 libsqlite3-0 libuuid1 libxml2 libxxhash0)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
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

start() {
  "${as[@]}" ./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf 2> log &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
stop() {
  kill "$server"
  wait "$server" || true
  server=
}
check() {
  printf '  %-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
length() {
  curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' \
    --data '<propfind xmlns="DAV:"><prop><getcontentlength/></prop></propfind>' "$url/$1" | grep -o 'getcontentlength>[0-9]*' | cut -d '>' -f 2
}
# Begins with an old `a.txt`, reads it or not, sends a COPY, MOVE or PUT, and prints what a GET has then. Arguments: read or unread, method.
change() {
  printf old | status -T - "$url/a.txt" > log
  printf 'new content' | status -T - "$url/b.txt" > log
  [ "$1" = unread ] || curl -s "$url/a.txt" > log
  case $2 in
    PUT) printf 'new content' | status -T - "$url/a.txt" ;;
    *) status -X "$2" -H "Destination: $url/a.txt" -H 'Overwrite: T' "$url/b.txt" ;;
  esac
  curl -s "$url/a.txt" | sed 's/^/ /'
  printf ', PROPFIND %s, disk %s\n' "$(length a.txt)" "$(cat root/a.txt)"
}
new='204 new content, PROPFIND 11, disk new content'
url=http://127.0.0.1:$port

start
olds=0
# The GET is right if a second of the server's clock ends between the two GETs.
for attempt in $(seq 10); do
  result=$(change read COPY)
  [ "$result" != '204 old, PROPFIND 11, disk new content' ] || olds=$((olds + 1))
  sleep 1.5
  check "COPY $attempt, after 1.5 seconds: GET a.txt" "$(curl -s "$url/a.txt")" 'new content'
done
check 'COPY, the GET at once has the old content' "$([ "$olds" -ge 5 ] && echo 'mostly' || echo "$olds of 10")" mostly
for attempt in 1 2 3; do
  check "COPY without a GET before, $attempt" "$(change unread COPY)" "$new"
  sleep 1.5
  check "MOVE, $attempt" "$(change read MOVE)" "$new"
  check "PUT, $attempt" "$(change read PUT)" "$new"
done
stop
