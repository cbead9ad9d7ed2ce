#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1), mod_webdav: COPY and MOVE onto a collection merge, as `cp -r` does. Overwrite F does not stop a
# file, and a MOVE with Overwrite T can lose one.
#
# `src/` has `new.txt`, and `dst/` has `old.txt`. Later `src/n` is a file, and `dst/n/` is a collection.
#
# Good sense says: with Overwrite T, `dst/` has the members of `src/` alone (RFC 4918, sections 9.8.4 and 9.9.3). With Overwrite F,
# the answer is 412. A member that cannot be moved is named in a 207, and stays.
# Guess of its author, who had heard of the merge and read the source by then, written down before the first run: with Overwrite T
# the answer is 200, and `dst/` has both members. A file that is sent to `dst` with Overwrite F becomes a member of `dst/`, with 204.
# The MOVE of `src/` with `src/n` is 200 as well, and the content of `src/n` is lost.
#
# Seen: the guess holds. The body of the last answer is an XML fragment without a root, beside the 200.
#
#   COPY src/ to dst/, Overwrite T    200; dst/: new.txt, old.txt
#   COPY src/ to dst/, Overwrite F    207 with 409 for src/
#   COPY a.txt to dst, Overwrite F    204; a.txt is now in dst/
#   MOVE b.txt to dst, Overwrite F    204; b.txt is now in dst/
#   MOVE src/ to dst/, Overwrite T    200; D:response with 409 for src/n; src/ is gone, and no file has its content
#
# For a client: a 2xx of a COPY or MOVE onto a collection proves neither its members nor the place of the file. Ask for the
# destination first, and delete or refuse a collection. A 200 to COPY or MOVE with `status` elements in its body is a failure.
#
# Source: webdav_copymove_dir of mod_webdav.c merges on purpose, as its comment says. It writes the failure of a file but does not
# count it, so webdav_delete_dir of the source follows. mod_webdav_copymove_b appends the name of a file to a destination that is a
# directory.
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
  printf '  %-34s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
# Arguments: method, source, destination, Overwrite.
onto() { curl -s -w '%{http_code}' -X "$1" -H "Destination: $url/$3" -H "Overwrite: $4" "$url/$2"; }
members() { (cd "root/$1" && find . -type f | cut -c 3- | sort | tr '\n' ' '); }

mkdir root/src root/dst
echo new > root/src/new.txt
echo old > root/dst/old.txt
echo a > root/a.txt
echo b > root/b.txt
[ "$(id -u)" != 0 ] || chown -R 65534:65534 root
check 'COPY src/ to dst/, Overwrite T' "$(onto COPY src/ dst/ T)" 200
check 'members of dst/' "$(members dst)" 'new.txt old.txt '
refused=$(onto COPY src/ dst/ F)
check 'COPY src/ to dst/, Overwrite F' "$(grep -o 'HTTP/1.1 [^<]*' <<< "$refused"), ${refused: -3}" 'HTTP/1.1 409 Conflict, 207'
check 'COPY a.txt to dst, Overwrite F' "$(onto COPY a.txt dst F)" 204
check 'MOVE b.txt to dst, Overwrite F' "$(onto MOVE b.txt dst F)" 204
check 'members of dst/' "$(members dst)" 'a.txt b.txt new.txt old.txt '
check 'MKCOL dst/n/' "$(status -X MKCOL "$url/dst/n/")" 201
check 'PUT src/n' "$(echo content | status -T - "$url/src/n")" 201
check 'files with its content' "$(grep -rl content root | wc -l)" 1
check 'MOVE src/ to dst/, Overwrite T' "$(onto MOVE src/ dst/ T | tr -d '\n')" \
  '<D:response><D:href>/src/n</D:href><D:status>HTTP/1.1 409 Conflict</D:status></D:response>200'
check 'GET src/' "$(status "$url/src/")" 404
check 'members of dst/' "$(members dst)" 'a.txt b.txt new.txt old.txt '
check 'files with its content' "$(grep -rl content root | wc -l)" 0
