#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: a COPY of a file makes a hard link. A later change of one file changes the other.
#
# A user copies `a.txt` to `b.txt` as a backup. Another program on the server, such as a log writer, then appends to `a.txt`.
#
# Good sense says: the copy keeps the old content. RFC 4918, section 9.8, calls it a duplicate of the source.
# Guess of its author, who had heard of the link and read the source by then, written down before the first run: both names are one
# inode with one ETag, for members of a copied collection as well. An append to `a.txt` is read from `b.txt`. A PUT to `a.txt`
# makes a new file, so `b.txt` stays.
#
# Seen: the guess holds.
#
#   COPY a.txt to b.txt            201; one inode, one ETag
#   append to a.txt on the disk    GET b.txt has it too
#   PUT a.txt                      204; b.txt is unchanged
#   COPY folder/ to copy/          200; one inode for both m.txt
#
# For a client: changes by WebDAV alone are safe. If the folder has other writers, only a GET and a PUT make a backup.
# With `webdav.opts = ("deprecated-unsafe-partial-put" => "enable")`, a COPY makes two files.
#
# Source: webdav_copymove_file of mod_webdav.c calls linkat, and copies the bytes only if that fails, as between two file systems.
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
files() { stat -c %i "$@" | sort -u | wc -l; }
etag() {
  curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' \
    --data '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' "$url/$1" | grep -o 'getetag>"[^<]*'
}
url=http://127.0.0.1:$port

start
check 'PUT a.txt' "$(echo one | status -T - "$url/a.txt")" 201
check 'COPY a.txt to b.txt' "$(status -X COPY -H "Destination: $url/b.txt" "$url/a.txt")" 201
check 'inodes of a.txt and b.txt' "$(files root/a.txt root/b.txt)" 1
check 'files with the same ETag' "$({ etag a.txt; etag b.txt; } | uniq -c | awk '{print $1}')" 2
echo two >> root/a.txt
check 'GET b.txt after an append to a.txt' "$(curl -s "$url/b.txt" | tr '\n' ' ')" 'one two '
check 'PUT a.txt' "$(echo three | status -T - "$url/a.txt")" 204
check 'GET b.txt after a PUT to a.txt' "$(curl -s "$url/b.txt" | tr '\n' ' ')" 'one two '
check 'MKCOL folder/' "$(status -X MKCOL "$url/folder/")" 201
check 'PUT folder/m.txt' "$(echo m | status -T - "$url/folder/m.txt")" 201
check 'COPY folder/ to copy/' "$(status -X COPY -H "Destination: $url/copy/" "$url/folder/")" 200
check 'inodes of folder/m.txt and copy/m.txt' "$(files root/folder/m.txt root/copy/m.txt)" 1
stop

echo 'webdav.opts = ("deprecated-unsafe-partial-put" => "enable")' >> lighttpd.conf
start
check 'with partial PUT: COPY a.txt to c.txt' "$(status -X COPY -H "Destination: $url/c.txt" "$url/a.txt")" 201
check 'inodes of a.txt and c.txt' "$(files root/a.txt root/c.txt)" 2
