#!/usr/bin/env bash
# rclone 1.60.1 (Debian 1.60.1+dfsg-2+b5) and golang.org/x/net/webdav of Debian 12 (golang-golang-x-net-dev 1:0.7.0+dfsg-1): while an
# upload with the token of a lock runs, the lock cannot be refreshed (500), and the right token is 412 for everything else.
#
# Alice locks the folder `c/` with Depth infinity for 3 seconds, and uploads `c/a.bin` for 5 with the token. Meanwhile her program
# refreshes the lock, as it should, and goes on with other members on other connections.
#
# Good sense says: the refresh is 200 (RFC 4918, section 9.10.2), and a true If header is 2xx, as before and after the upload
# (section 10.4.4). A lock keeps others out, not its owner.
# Guess of its author, who had read the source by then, noted before the first run as what an engineer expects: 200 for the refresh and
# 201 for the other members, on every server. It holds on Apache, nginx, lighttpd, SabreDAV, Tomcat and nephele.
#
# Seen, on both servers:
#
#                                      before   during the PUT of c/a.bin   after it
#   PUT c/b.txt with the token         201      412                         412
#   MKCOL, DELETE with the token                412, 412
#   refresh                            200      500                         412
#   UNLOCK                                      423
#   PUT c/b.txt of another user        423      423                         201
#
# The lock does not end during the upload, however long it takes. It ends with it, as nothing could refresh it: the next request of
# the owner is 412, and others may write.
#
# For a client: under one lock, send one request at a time. A 412 with the token of a lock is no proof that the lock is lost as long
# as another request with this token runs: wait for that one, and send it again. Ask for a timeout that is longer than the longest
# upload. A refresh that is 500 is to be sent again at the end of the upload, if the lock still holds.
#
# Source: Confirm of lock.go marks the lock as held until the request ends, lookup passes over a held lock as if the token were unknown,
# Refresh and Unlock say ErrLocked, and handleLock makes a 500 of that. A held lock is taken out of the heap of expiries, and put back
# with its old time.
set -euo pipefail
RCLONE=1.60.1+dfsg-2+b5
NET=1:0.7.0+dfsg-1
GO=1.19.8-2

[ "$(dpkg-query -W -f '${Version}' golang-1.19-go 2>/dev/null || true)" = "$GO" ] && command -v curl >/dev/null && command -v python3 >/dev/null ||
  apt-get install -y --no-install-recommends "golang-1.19-go=$GO" curl python3-minimal

work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
apt-get download "rclone=$RCLONE" "golang-golang-x-net-dev=$NET"
for package in *.deb; do dpkg -x "$package" .; done
mkdir -p main root state
: > state/config
cat > main/main.go <<'GO'
package main

import (
	"net/http"
	"os"

	"golang.org/x/net/webdav"
)

func main() {
	handler := &webdav.Handler{FileSystem: webdav.Dir("root"), LockSystem: webdav.NewMemLS()}
	panic(http.ListenAndServe(os.Args[1], handler))
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/usr/share/gocode GOCACHE=$work/cache /usr/lib/go-1.19/bin/go build -o server main/main.go
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$port

start() {
  HOME=$work/state "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
check() {
  printf '  %-50s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
put() { echo content | status -T - "$@"; }
# Prints the token of a new lock. Arguments: timeout, path.
lock() {
  curl -s -i -X LOCK -H 'Depth: infinity' -H "Timeout: Second-$1" -H 'Content-Type: application/xml' -d '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>alice</owner></lockinfo>' "$url/$2" |
    tr -d '\r' | sed -n 's/^Lock-Token: //p'
}
refresh() { status -X LOCK -H "If: ($token)" -H "Timeout: Second-$1" "$url/$2"; }
# Begins an upload with the token, which waits for `finish`. Argument: name.
begin() {
  rm -f pipe
  mkfifo pipe
  status -T - -H "If: <$url/c/> ($token)" "$url/$1" < pipe > uploaded &
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

# Argument: server.
run() {
  check "$1: MKCOL c/" "$(status -X MKCOL "$url/c/")" 201
  token=$(lock 3 c/)
  with=(-H "If: <$url/c/> ($token)")
  check "$1: PUT c/b.txt with the token" "$(put "${with[@]}" "$url/c/b.txt")" 201
  check "$1: refresh" "$(refresh 3 c/)" 200
  begin c/a.bin
  check "$1: during PUT c/a.bin: refresh" "$(refresh 100 c/)" 500
  check "$1: during PUT c/a.bin: PUT c/b.txt" "$(put "${with[@]}" "$url/c/b.txt")" 412
  check "$1: during PUT c/a.bin: MKCOL c/d/" "$(status -X MKCOL "${with[@]}" "$url/c/d/")" 412
  check "$1: during PUT c/a.bin: DELETE c/b.txt" "$(status -X DELETE "${with[@]}" "$url/c/b.txt")" 412
  check "$1: during PUT c/a.bin: UNLOCK" "$(status -X UNLOCK -H "Lock-Token: $token" "$url/c/")" 423
  sleep 4
  check "$1: after 5 seconds: PUT of another user" "$(put "$url/c/b.txt")" 423
  finish "$1: PUT c/a.bin"
  check "$1: then: PUT c/b.txt with the token" "$(put "${with[@]}" "$url/c/b.txt")" 412
  check "$1: then: refresh" "$(refresh 100 c/)" 412
  check "$1: then: PUT of another user" "$(put "$url/c/b.txt")" 201
  token=$(lock 100 c/)
  with=(-H "If: <$url/c/> ($token)")
  begin c/a.bin
  check "$1: 100 s, during PUT c/a.bin: PUT c/b.txt" "$(put "${with[@]}" "$url/c/b.txt")" 412
  finish "$1: PUT c/a.bin"
  check "$1: 100 s, then: PUT c/b.txt with the token" "$(put "${with[@]}" "$url/c/b.txt")" 201
  check "$1: 100 s, then: refresh" "$(refresh 100 c/)" 200
}

start ./usr/bin/rclone serve webdav root "--addr=127.0.0.1:$port" "--config=$work/state/config"
run rclone
stop
rm -rf root/c
start ./server "127.0.0.1:$port"
run x/net
stop
