#!/usr/bin/env bash
# HAProxy 2.6.12 (Debian haproxy 2.6.12-1+deb12u4), Varnish 7.1.1 (varnish 7.1.1-2+deb12u1), Caddy 2.6.2 (caddy 2.6.2-5), h2o 2.2.5 (h2o
# 2.2.5+dfsg2-7) and lighttpd 1.4.69 with mod_proxy (lighttpd 1.4.69-1): a download that breaks off between proxy and server reaches the
# client as a whole one. With HAProxy and Varnish this is so over HTTP/2 only.
#
# A server sends a file in chunks, as it compresses or makes it while it sends, and is stopped after 1,002 bytes: its connection ends
# without the last chunk. curl downloads through each proxy, over HTTP/1.1 and HTTP/2. nginx 1.22.1 (Debian 1.22.1-9+deb12u11) is there to
# compare.
#
# Good sense says: the client sees a download that breaks off. A message in chunks is incomplete without its last chunk (RFC 9112,
# section 8). What cannot be completed ends by RST_STREAM (RFC 9113, section 8.1), as END_STREAM says that it is complete.
# Guess of its author, written down before the first run: so it is behind each proxy.
#
# Seen, the exit status of curl (18 and 92: cut), each time with status 200 and 1,002 bytes:
#
#                             HTTP/1.1   HTTP/2
#   nginx                     18         92
#   HAProxy, Varnish          18         0
#   Caddy, h2o                0          0
#   lighttpd                  0          0    and a Content-Length of 1002 that the server never sent
#   all, server with length   18         18 or 92
#
# By hand, over TLS: undici 8.12.4 (fetch with allowH2) reads the 1,002 bytes through HAProxy without an error, too.
#
# For a client: the end of a body without the server's Content-Length proves nothing, whatever the status and the protocol. A listing
# is safe, as its XML has no end. Compare the size of a file with `getcontentlength`, or ask for it uncompressed, so that it has a length.
#
# Source: not read. Over HTTP/2 the five send an empty DATA frame with END_STREAM where nginx sends RST_STREAM.
set -euo pipefail
declare -A VERSIONS=([haproxy]=2.6.12-1+deb12u4 [varnish]=7.1.1-2+deb12u1 [caddy]=2.6.2-5 [h2o]=2.2.5+dfsg2-7 [lighttpd]=1.4.69-1 [nginx]=1.22.1-9+deb12u11)

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
for package in "${!VERSIONS[@]}"; do
  [ "$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)" = "${VERSIONS[$package]}" ] ||
    apt-get install -y --no-install-recommends "$package=${VERSIONS[$package]}"
done
work=$(mktemp -d)
chmod 755 "$work"
started=()
stop() {
  for process in "${started[@]}"; do kill "$process" 2> /dev/null || true; wait "$process" || true; done
  started=()
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
mkdir varnish state
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 varnish state
fi
read -r server haproxy haproxy2 varnish caddy h2o lighttpd nginx nginx2 <<< "$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(9)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')"
# Sends 1,002 bytes of 2,000, in chunks or with a length, and closes the connection.
cat > server.py <<'PYTHON'
import socket, sys, threading, time

def answer(connection):
    reader = connection.makefile('rb')
    line = reader.readline()
    while reader.readline() not in (b'\r\n', b''):
        pass
    chunks = b'/chunks' in line
    head = b'Transfer-Encoding: chunked' if chunks else b'Content-Length: 2000'
    part = b'x' * 501
    try:
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n' + head + b'\r\n\r\n')
        for _ in range(2):
            connection.sendall(b'1f5\r\n' + part + b'\r\n' if chunks else part)
            time.sleep(0.3)
    except OSError:
        pass
    reader.close()
    connection.close()

listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
PYTHON
cat > haproxy.cfg <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen all
  bind 127.0.0.1:$haproxy
  bind 127.0.0.1:$haproxy2 proto h2
  server origin 127.0.0.1:$server
CONF
printf 'vcl 4.0;\nbackend default { .host = "127.0.0.1"; .port = "%s"; }\n' "$server" > default.vcl
cat > Caddyfile <<CONF
{
  admin off
  auto_https off
  servers {
    protocols h1 h2c
  }
}
http://127.0.0.1:$caddy {
  reverse_proxy 127.0.0.1:$server
}
CONF
cat > h2o.conf <<CONF
listen: {host: 127.0.0.1, port: $h2o}
num-threads: 1
hosts:
  "*":
    paths:
      "/":
        proxy.reverse.url: http://127.0.0.1:$server/
CONF
cat > lighttpd.conf <<CONF
server.modules = ("mod_proxy")
server.bind = "127.0.0.1"
server.port = $lighttpd
server.document-root = "$work/state"
server.errorlog = "$work/state/lighttpd"
server.upload-dirs = ("$work/state")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $server)))
CONF
cat > nginx.conf <<CONF
daemon off;
pid $work/state/pid;
error_log $work/state/nginx;
events {}
http {
  access_log off;
  client_body_temp_path $work/state;
  proxy_temp_path $work/state;
  fastcgi_temp_path $work/state;
  uwsgi_temp_path $work/state;
  scgi_temp_path $work/state;
  server {
    listen 127.0.0.1:$nginx;
    listen 127.0.0.1:$nginx2 http2;
    location / { proxy_pass http://127.0.0.1:$server; }
  }
}
CONF
start() {
  HOME=$work/state "${as[@]}" "${@:2}" > "log.$1" 2>&1 &
  started+=($!)
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return; sleep 0.1; done
}
python3 server.py "$server" &
started+=($!)
start "$haproxy" haproxy -db -f haproxy.cfg
start "$varnish" varnishd -F -a "127.0.0.1:$varnish" -f "$work/default.vcl" -n "$work/varnish" -j none -s malloc,8m -p feature=+http2
start "$caddy" caddy run --config Caddyfile --adapter caddyfile
start "$h2o" h2o -c h2o.conf
start "$lighttpd" lighttpd -D -f lighttpd.conf
start "$nginx" nginx -e "$work/state/nginx" -c "$work/nginx.conf"

# Downloads, and prints the exit status of curl, the status, the size, and the Content-Length of the answer.
download() {
  exit=0
  status=$(curl -s -m 20 -o body -D head -w '%{http_code}' "$@") || exit=$?
  printf '%s: %s, %s bytes%s\n' "$exit" "$status" "$(wc -c < body)" "$(tr -d '\r' < head | sed -n 's/^[Cc]ontent-[Ll]ength: /, Content-Length /p')"
}
check() {
  printf '  %-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
cut18='18: 200, 1002 bytes'
cut92='92: 200, 1002 bytes'
whole='0: 200, 1002 bytes'
run() {
  check "$1, HTTP/1.1" "$(download --http1.1 "http://127.0.0.1:$2/chunks")" "$4"
  check "$1, HTTP/2" "$(download --http2-prior-knowledge "http://127.0.0.1:$3/chunks")" "$5"
  for version in --http1.1 --http2-prior-knowledge; do
    [ "$version" = --http1.1 ] && open=$2 || open=$3
    exit=0
    curl -s -m 20 -o body "$version" "http://127.0.0.1:$open/length" || exit=$?
    check "  with a length, $version" "$exit" "$([ "$exit" = 92 ] && echo 92 || echo 18)"
  done
}
run nginx "$nginx" "$nginx2" "$cut18" "$cut92"
run HAProxy "$haproxy" "$haproxy2" "$cut18" "$whole"
run Varnish "$varnish" "$varnish" "$cut18" "$whole"
run Caddy "$caddy" "$caddy" "$whole" "$whole"
run h2o "$h2o" "$h2o" "$whole" "$whole"
run lighttpd "$lighttpd" "$lighttpd" "$whole, Content-Length 1002" "$whole, Content-Length 1002"
