#!/usr/bin/env bash
# golang.org/x/net/webdav of Debian 12 (golang-golang-x-net-dev 1:0.7.0+dfsg-1), Handler over webdav.Dir: a PROPFIND for a resource
# that the server may not read is answered with 200 and no body.
#
# A folder has `1.txt`, `closed.txt` and `closed/`. The server's account may not read the last two, as after another user restored
# a backup.
#
# Good sense says: 403, or a 207 with a 403 response.
# Guess of its author, who had read the source by then, written down before the first run: PROPFIND of the file with Depth 0 is 200
# with an empty body, neither 207 nor 403 (RFC 4918, section 9.1). The listing of its folder leaves it out without a word. A DELETE
# of it succeeds.
#
# Seen: the guess holds, for a collection as well.
#
#   PROPFIND closed.txt Depth 0   200, 0 bytes
#   PROPFIND closed/ Depth 1      200, 0 bytes
#   PROPFIND / Depth 1            207: /, /1.txt
#   DELETE closed.txt             204, and it is gone
#
# For a client: a listing without members does not prove that the collection is empty. A 200 to a PROPFIND is no listing of an
# empty collection.
#
# Source: handlePropfindError in webdav.go skips the response, so the writer of the multistatus never begins.
set -euo pipefail
NET=1:0.7.0+dfsg-1
GO=1.19.8-2

[ "$(dpkg-query -W -f '${Version}' golang-1.19-go 2>/dev/null || true)" = "$GO" ] ||
  apt-get install -y --no-install-recommends "golang-1.19-go=$GO" curl

work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
apt-get download "golang-golang-x-net-dev=$NET"
dpkg -x golang-golang-x-net-dev_*.deb .
mkdir -p main root/closed
cat > main/main.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"

	"golang.org/x/net/webdav"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	handler := &webdav.Handler{FileSystem: webdav.Dir("root"), LockSystem: webdav.NewMemLS()}
	panic(http.Serve(listener, handler))
}
GO
GO111MODULE=off GOFLAGS='' GOPATH=$work/usr/share/gocode GOCACHE=$work/cache /usr/lib/go-1.19/bin/go build -o server main/main.go
echo 1 > root/1.txt
echo 2 > root/closed.txt
echo 3 > root/closed/3.txt
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root
fi
chmod 000 root/closed.txt root/closed
"${as[@]}" ./server > address 2> log &
server=$!
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
url=http://$(cat address)

check() {
  printf '  %-30s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
propfind() {
  curl -s -X PROPFIND -H "Depth: $1" --data '<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>' "${@:2}"
}
for target in closed.txt closed/; do
  for depth in 0 1; do
    check "PROPFIND $target Depth $depth" \
      "$(propfind "$depth" -o /dev/null -w '%{http_code}, %{size_download} bytes' "$url/$target")" '200, 0 bytes'
  done
done
check 'PROPFIND / Depth 1' "$(propfind 1 "$url/" | grep -o '<D:href>[^<]*' | cut -d '>' -f 2 | sort | tr '\n' ' ')" '/ /1.txt '
check 'DELETE closed.txt' "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$url/closed.txt")" 204
check 'root/closed.txt on the disk' "$([ -e root/closed.txt ] && echo there || echo gone)" gone
