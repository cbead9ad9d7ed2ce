#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: a PROPPATCH that sets a property to an empty value is 204 and keeps the old value.
#
# A property of a file has the value `old`. A user empties it, and later gives it child elements.
#
# Good sense says: a 204 means that the new value is stored, as RFC 4918, section 9.2, asks for all or nothing.
# Guess of its author, who had heard of lost values and read the source by then, written down before the first run: the property that
# was set to an empty value is still `old`. The value `<x:a>1</x:a><x:b>2</x:b>` becomes empty, and `one<x:b>two</x:b>three` becomes
# `onethree`.
#
# Seen: the guess holds. Each answer is 204.
#
#   PROPPATCH set                  PROPFIND
#   old                            old
#   empty, as <note/>              old
#   empty, as <note></note>        old
#   <a>1</a><b>2</b>               empty
#   one<b>two</b>three             onethree
#   remove                         404
#
# For a client: to empty a property, remove it. A value with child elements needs a PROPFIND after its PROPPATCH, or has to be text.
#
# Source: mod_webdav_proppatch of mod_webdav.c skips a property without child nodes. xmlNodeListGetString takes text nodes alone.
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
"${as[@]}" ./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf 2> log &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o /dev/null "$url/" && break; sleep 0.1; done

check() {
  printf '  %-44s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
send() { curl -s -X "$1" -H 'Depth: 0' -H 'Content-Type: application/xml' --data "$2" "${@:3}" "$url/a.txt"; }
proppatch() {
  send PROPPATCH "<propertyupdate xmlns=\"DAV:\" xmlns:x=\"urn:x\"><$1><prop>$2</prop></$1></propertyupdate>" \
    -o /dev/null -w '%{http_code}'
}
propfind() {
  send PROPFIND '<propfind xmlns="DAV:" xmlns:x="urn:x"><prop><x:note/></prop></propfind>' | tr -d '\n' |
    sed -E 's,.*<D:prop>(.*)</D:prop><D:status>HTTP/1.1 ([0-9]+).*,\2 \1,'
}

check 'PUT a.txt' "$(echo a | status -T - "$url/a.txt")" 201
while IFS='|' read -r value stored; do
  check "set $value" "$(proppatch set "<x:note>$value</x:note>")" 204
  check '' "$(propfind)" "$stored"
done <<'VALUES'
old|200 <note xmlns="urn:x">old</note>
|200 <note xmlns="urn:x">old</note>
<x:a>1</x:a><x:b>2</x:b>|200 <note xmlns="urn:x"/>
one<x:b>two</x:b>three|200 <note xmlns="urn:x">onethree</note>
VALUES
check 'set <x:note/>' "$(proppatch set '<x:note/>')" 204
check '' "$(propfind)" '200 <note xmlns="urn:x">onethree</note>'
check 'remove' "$(proppatch remove '<x:note/>')" 204
check '' "$(propfind)" '404 <note xmlns="urn:x"/>'
