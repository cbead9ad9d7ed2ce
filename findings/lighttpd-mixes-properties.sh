#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: a file that is moved onto another one keeps the dead properties of that one too. One
# that is copied loses its own, if both have a property of the same name.
#
# `final.txt` has the properties author `alice` and approved `yes`. `draft.txt` has author `bob` and pages `3`, and `plain.txt` has none.
# A user copies, or moves, each of them onto `final.txt` with Overwrite T.
#
# Good sense says: the properties of the source, and no others. RFC 4918, section 9.8.2, duplicates the properties of the source, and
# sections 9.8.4 and 9.9.3 delete first what was at the destination. So `approved` is gone with the content that was approved.
# Guess of its author, written down before the first run: the properties of the source alone, on every server. It holds on Apache,
# SabreDAV, Tomcat, nephele and x/net in memory. After the first difference he guessed a plain union, and met the loss in this script.
#
# Seen: each answer is 204, and each content is that of the source.
#
#                            COPY                          MOVE
#   draft.txt to final.txt   approved yes, author alice    approved yes, author bob, pages 3
#   plain.txt to final.txt   the same                      the same
#   draft.txt to new.txt     author bob, pages 3           author bob, pages 3
#
# After the COPY of `draft.txt`, `final.txt` has the content of one file and the properties of the other, `pages` being lost.
#
# For a client: DELETE the destination first, or compare the properties afterwards, where they say something about the content, such as a
# checksum, a time or a version.
#
# Source: the statements in mod_webdav.so. COPY is `INSERT INTO properties SELECT ?, prop, ns, value …`, which one property of the same
# name makes fail as a whole. MOVE is `UPDATE OR REPLACE properties SET resource = ?`. webdav_copymove_file of mod_webdav.c calls them
# without deleting the rows of the destination.
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
# Arguments: name of the property, value, path.
set_property() {
  status -X PROPPATCH -H 'Content-Type: application/xml' --data "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><$1 xmlns='urn:x'>$2</$1></D:prop></D:set></D:propertyupdate>" "$url/$3"
}
# Prints the properties of a resource.
properties() {
  { curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' \
    --data '<propfind xmlns="DAV:"><prop><author xmlns="urn:x"/><approved xmlns="urn:x"/><pages xmlns="urn:x"/></prop></propfind>' "$url/$1" |
    grep -oE '<(author|approved|pages)[^>]*>[a-z0-9]+' || true; } | sed -E 's/<([a-z]+)[^>]*>/\1 /' | sort | tr '\n' ';'
}
onto() { status -X "$1" -H "Destination: $url/$3" -H 'Overwrite: T' "$url/$2"; }
url=http://127.0.0.1:$port

start
for method in COPY MOVE; do
  mixed='approved yes;author alice;'
  [ "$method" = COPY ] || mixed='approved yes;author bob;pages 3;'
  for name in draft.txt final.txt; do check "PUT $name" "$(echo "$name" | status -T - "$url/$name")" 201; done
  check 'PROPPATCH draft.txt: author' "$(set_property author bob draft.txt)" 204
  check 'PROPPATCH draft.txt: pages' "$(set_property pages 3 draft.txt)" 204
  check 'PROPPATCH final.txt: author' "$(set_property author alice final.txt)" 204
  check 'PROPPATCH final.txt: approved' "$(set_property approved yes final.txt)" 204
  check 'COPY draft.txt to copy.txt' "$(onto COPY draft.txt copy.txt)" 201
  check "$method copy.txt to new.txt" "$(onto "$method" copy.txt new.txt)" 201
  check 'properties of new.txt' "$(properties new.txt)" 'author bob;pages 3;'
  check "$method draft.txt to final.txt" "$(onto "$method" draft.txt final.txt)" 204
  check 'content of final.txt' "$(cat root/final.txt)" draft.txt
  check 'properties of final.txt' "$(properties final.txt)" "$mixed"
  check 'PUT plain.txt' "$(echo plain.txt | status -T - "$url/plain.txt")" 201
  check "$method plain.txt to final.txt" "$(onto "$method" plain.txt final.txt)" 204
  check 'content of final.txt' "$(cat root/final.txt)" plain.txt
  check 'properties of final.txt' "$(properties final.txt)" "$mixed"
  check 'DELETE final.txt' "$(status -X DELETE "$url/final.txt")" 204
  for name in draft.txt plain.txt copy.txt new.txt; do status -X DELETE "$url/$name" > log; done
  check 'PUT final.txt' "$(echo final.txt | status -T - "$url/final.txt")" 201
  check 'properties of final.txt' "$(properties final.txt)" ''
  check 'DELETE final.txt' "$(status -X DELETE "$url/final.txt")" 204
done
stop
