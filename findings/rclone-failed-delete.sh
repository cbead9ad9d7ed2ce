#!/usr/bin/env bash
# rclone 1.60.1 (Debian 1.60.1+dfsg-2+b5), `rclone serve webdav FOLDER` with its defaults: a DELETE that fails hides the file.
#
# The folder `kept/` has 5 files and mode 0555. The server's account cannot delete any of them.
#
# Good sense says: a DELETE that was refused changes nothing, so the file is listed and a second DELETE is refused as well.
# Guess of its author, who had read the source by then, written down before the first run: the first DELETE of a file is 405, and
# the file stays. As long as rclone's cached listing is valid (`--dir-cache-time`, 5 minutes), GET and a second DELETE are 404, and
# listings do not have the file.
#
# Seen: the guess holds. Each DELETE of the folder hides one more file, until it seems to be empty.
#
#   GET kept/1.txt            200
#   DELETE kept/1.txt         405
#   GET kept/1.txt            404
#   DELETE kept/1.txt         404
#   PROPFIND kept/ Depth 1    207: kept/, 2.txt, 3.txt, 4.txt, 5.txt
#   DELETE kept/, four times  405
#   PROPFIND kept/ Depth 1    207: kept/ alone
#   on the disk               all 5 files
#
# For a client: after a failed DELETE, neither a 404 nor a listing without the file proves that an earlier attempt deleted it. The
# status of the first attempt is the true one. With `--dir-cache-time=0` each DELETE is 405, and GET 200.
#
# Source: File.Remove of vfs/file.go removes the file from the cached directory, after an error too. Today's source does so only
# without an error, so a newer rclone should not show this.
set -euo pipefail
VERSION=1.60.1+dfsg-2+b5

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; chmod 755 "$work/root/kept"; rm -rf "$work"' EXIT
cd "$work"
apt-get download "rclone=$VERSION"
dpkg -x rclone_*.deb .
mkdir -p root/kept
for name in 1 2 3 4 5; do echo "$name" > "root/kept/$name.txt"; done
: > config
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root
fi
chmod 555 root/kept
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start() {
  HOME=$work "${as[@]}" ./usr/bin/rclone serve webdav root "--addr=127.0.0.1:$port" "--config=$work/config" "$@" 2> log &
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
hrefs() {
  curl -s -X PROPFIND -H 'Depth: 1' --data '<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>' "$url/kept/" |
    grep -o '<D:href>[^<]*' | cut -d '>' -f 2 | sort | tr '\n' ' '
}
url=http://127.0.0.1:$port
all='/kept/ /kept/1.txt /kept/2.txt /kept/3.txt /kept/4.txt /kept/5.txt '

start
check 'PROPFIND kept/' "$(hrefs)" "$all"
check 'GET kept/1.txt' "$(status "$url/kept/1.txt")" 200
check 'DELETE kept/1.txt' "$(status -X DELETE "$url/kept/1.txt")" 405
check 'GET kept/1.txt' "$(status "$url/kept/1.txt")" 404
check 'DELETE kept/1.txt' "$(status -X DELETE "$url/kept/1.txt")" 404
check 'PROPFIND kept/' "$(hrefs)" '/kept/ /kept/2.txt /kept/3.txt /kept/4.txt /kept/5.txt '
for time in 1 2 3 4; do check "DELETE kept/, time $time" "$(status -X DELETE "$url/kept/")" 405; done
check 'PROPFIND kept/' "$(hrefs)" '/kept/ '
check 'files on the disk' "$(find root/kept -type f | wc -l)" 5
stop

start --dir-cache-time=0
for time in 1 2; do
  check "without a cache: DELETE kept/1.txt, time $time" "$(status -X DELETE "$url/kept/1.txt")" 405
done
check 'without a cache: GET kept/1.txt' "$(status "$url/kept/1.txt")" 200
check 'without a cache: PROPFIND kept/' "$(hrefs)" "$all"
