#!/usr/bin/env bash
# rclone 1.60.1 (Debian 1.60.1+dfsg-2+b5), `rclone serve webdav FOLDER` with its defaults: while one new file is uploaded, each listing of
# its folder takes 5 seconds, is 207, and ends in front of that file.
#
# `a.txt`, `sub/in.txt` and `z.txt` are there since long. Somebody uploads `m.bin` over a slow line. Somebody else lists the folder.
#
# Good sense says: the listing has the other members, at once, and the new file with its size so far, or not yet. A server that
# cannot tell about one member says so in its response (RFC 4918, section 9.1).
# Guess of its author, written down before the first run: the old content or a 404 for the new file, and no error for its folder.
#
# Seen:
#
#                                   before or after    during the PUT of m.bin
#   PROPFIND / Depth 1              all, at once       207 after 5 s: /, /a.txt, then the end of the multistatus
#   PROPFIND / Depth infinity       all, at once       the same
#   PROPFIND m.bin, HEAD m.bin      207, 200           500, 404, after 5 s each
#   rclone lsf, the same rclone     all, exit code 0   a.txt, exit code 0
#   rclone sync to a folder         all, exit code 0   deletes sub/in.txt and z.txt there, exit code 0
#   PUT over z.txt                                     all, at once
#
# The body is a whole multistatus with its end tag, a right Content-Length, and behind them the text `Internal Server Error`. That
# text is the only mark: it makes the document ill-formed for those who read up to the end. rclone as a client does not. The npm
# package webdav 5.11.0 gives the short list too, without an error.
#
# For a client: read behind the end tag of the multistatus, and take text there for an incomplete listing. Never delete because of
# it. Time limits below 5 seconds make it a timeout. Upload in `--vfs-cache-mode writes`, where the listing is whole, or to a folder
# of its own and MOVE.
#
# Source: waitForValidObject of vfs/file.go waits 50 times 100 ms for the object of a file that is being written, and then says ENOENT,
# also in today's source. props of x/net/webdav opens each member for each PROPFIND. Its error ends the walk; handlePropfind closes the
# multistatus first, and then gives the error to ServeHTTP, which writes the text of a 500 behind it.
set -euo pipefail
VERSION=1.60.1+dfsg-2+b5

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
apt-get download "rclone=$VERSION"
dpkg -x rclone_*.deb .
mkdir -p root/sub state
for name in a.txt sub/in.txt z.txt; do echo 1 > "root/$name"; done
: > state/config
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port

start() {
  HOME=$work/state "${as[@]}" ./usr/bin/rclone serve webdav root "--addr=127.0.0.1:$port" "--config=$work/state/config" "$@" 2> log &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
stop() {
  kill "$server"
  wait "$server" || true
  server=
}
check() {
  printf '  %-44s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
# Prints the status, the time in seconds, the hrefs in their order, and the text behind the end tag. Arguments: depth, path.
list() {
  curl -s -o answer -w '%{http_code} %{time_total}' -X PROPFIND -H "Depth: $1" --data '<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>' "$url$2" |
    sed 's/\..*/ s/'
  printf ':%s' "$({ grep -o '<D:href>[^<]*' answer || true; } | cut -d '>' -f 2 | sed 's/^/ /' | tr -d '\n')"
  sed -n 's/.*<\/D:multistatus>\(..*\)/ + \1/p' answer
}
client() { HOME=$work/state "${as[@]}" ./usr/bin/rclone --config=state/config "--webdav-url=$url" "$@" 2>> log; }
lsf() { client lsf :webdav: | tr '\n' ' '; }
# Syncs to a folder and prints the files in it.
sync() {
  client sync :webdav: state/copy && printf 'exit 0: '
  (cd state/copy && find . -type f | cut -c 3- | sort | tr '\n' ' ')
}
# Begins an upload that waits for `finish`. Argument: name.
begin() {
  rm -f pipe
  mkfifo pipe
  curl -s -o /dev/null -w '%{http_code}' -T - "$url/$1" < pipe > uploaded &
  upload=$!
  exec 3> pipe
  head -c 200000 /dev/zero >&3
  sleep 1
}
finish() {
  exec 3>&-
  wait "$upload"
  check "$1" "$(cat uploaded)" 201
}

all='207 0 s: / /a.txt /sub/ /z.txt'
cut='207 5 s: / /a.txt + Internal Server Error'
start
check 'PROPFIND / Depth 1' "$(list 1 /)" "$all"
check 'rclone lsf' "$(lsf)" 'a.txt sub/ z.txt '
check 'rclone sync' "$(sync)" 'exit 0: a.txt sub/in.txt z.txt '
begin m.bin
check 'during PUT m.bin: PROPFIND / Depth 1' "$(list 1 /)" "$cut"
check 'during PUT m.bin: PROPFIND / Depth 1 again' "$(list 1 /)" "$cut"
check 'during PUT m.bin: PROPFIND / Depth infinity' "$(list infinity /)" "$cut"
check 'during PUT m.bin: PROPFIND m.bin' "$(list 0 /m.bin)" '500 5 s:'
check 'during PUT m.bin: HEAD m.bin' "$(curl -s -I -o answer -w '%{http_code}' "$url/m.bin")" 404
check 'during PUT m.bin: rclone lsf' "$(lsf)" 'a.txt '
check 'during PUT m.bin: rclone sync' "$(sync)" 'exit 0: a.txt '
finish 'PUT m.bin'
check 'PROPFIND / Depth 1' "$(list 1 /)" '207 0 s: / /a.txt /m.bin /sub/ /z.txt'
begin z.txt
check 'during PUT over z.txt: PROPFIND / Depth 1' "$(list 1 /)" '207 0 s: / /a.txt /m.bin /sub/ /z.txt'
finish 'PUT over z.txt'
stop

rm root/m.bin
start --vfs-cache-mode=writes "--cache-dir=$work/state/cache"
begin m.bin
check 'with --vfs-cache-mode=writes, during PUT m.bin' "$(list 1 /)" '207 0 s: / /a.txt /m.bin /sub/ /z.txt'
finish 'PUT m.bin'
stop
