#!/usr/bin/env bash
# lighttpd 1.4.69 (Debian 1.4.69-1) and nginx 1.22.1 with dav-ext 3.0.0 (Debian 1.22.1-9+deb12u11, 1:3.0.0-3): the 200 to a refresh
# is not about the lock that was refreshed.
#
# Alice locks `a.txt`, and her lock is removed by an administrator. Her program does not know, and refreshes it. Later she refreshes
# a shared lock of Depth infinity.
#
# Good sense says: the first refresh is 412, as no lock has the token of the If header (RFC 4918, section 10.4.4). The answer to the
# second one describes the lock (section 9.10.2): shared, Depth infinity.
# Guess of its author, who had heard of both 200s, written down before the first run: lighttpd answers with her token and locks
# nothing. nginx makes a new lock with another token. After he had read the source: the second answer of lighttpd says exclusive and
# Depth 0, and the lock stays as it was.
#
# Seen: the guess holds.
#
#                                       lighttpd                     nginx
#   refresh after the lock has ended    200, the old token           200, another token
#   PUT of another user after that      204                          423
#   refresh of a shared lock, infinity  200, exclusive, Depth 0      has no shared locks
#   its lockdiscovery after that        shared, infinity
#
# For a client: compare the token of the answer with its own. If it is another one, the old lock was lost meanwhile, and the new one
# has to be kept and given up. Keep scope and depth of the first answer. On lighttpd, only `lockdiscovery` proves a lock.
#
# Source: mod_webdav_lock of mod_webdav.c updates the row of the token, takes no row for success too, and writes the answer from
# constants. The LOCK handler of ngx_http_dav_ext_module.c does not look for a body: without a lock it makes one.
set -euo pipefail
LIGHTTPD=1.4.69-1
NGINX=1.22.1-9+deb12u11
DAV_EXT=1:3.0.0-3
LIBRARIES=(libnettle8 libpcre2-8-0 libsqlite3-0 libssl3 libuuid1 libxml2 libxxhash0)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
apt-get download "lighttpd=$LIGHTTPD" "lighttpd-mod-webdav=$LIGHTTPD" "nginx=$NGINX" "libnginx-mod-http-dav-ext=$DAV_EXT"
for package in *.deb; do dpkg -x "$package" .; done
mkdir state root
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > nginx.conf <<CONF
load_module $work/usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
daemon off;
pid $work/state/pid;
events {
  worker_connections 64;
}
http {
  access_log off;
  client_body_temp_path $work/state/body;
  proxy_temp_path $work/state/proxy;
  fastcgi_temp_path $work/state/fastcgi;
  uwsgi_temp_path $work/state/uwsgi;
  scgi_temp_path $work/state/scgi;
  dav_ext_lock_zone zone=locks:1m;
  server {
    listen 127.0.0.1:$port;
    root $work/root;
    dav_methods PUT DELETE MKCOL COPY MOVE;
    dav_ext_methods PROPFIND OPTIONS LOCK UNLOCK;
    dav_ext_lock zone=locks;
  }
}
CONF
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

url=http://127.0.0.1:$port
start() {
  "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}
lighttpd=(./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf)
check() {
  printf '  %-36s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
put() { echo content | status -T - "$@"; }
# Prints the token. Arguments: scope, options of curl.
lock() {
  curl -s -i -X LOCK -H 'Content-Type: application/xml' -d "<lockinfo xmlns='DAV:'><lockscope><$1/></lockscope><locktype><write/></locktype><owner>alice</owner></lockinfo>" "${@:2}" |
    tr -d '\r' | sed -n 's/^Lock-Token: //p'
}
# Arguments: token, URL.
refresh() { curl -s -w '%{http_code}' -X LOCK -H "If: ($1)" "$2"; }
unlock() { status -X UNLOCK -H "Lock-Token: $1" "$2"; }
# Prints scope, depth and token of an answer of lighttpd.
facts() {
  sed -nE 's#.*<D:lockscope><D:([a-z]+)/>.*#\1#p; s#<D:depth>([^<]*).*#\1#p; s#^<D:href>(urn[^<]*).*#\1#p' | tr '\n' ' '
}

start "${lighttpd[@]}"
check 'lighttpd: PUT a.txt' "$(put "$url/a.txt")" 201
token=$(lock exclusive "$url/a.txt")
check 'lighttpd: UNLOCK' "$(unlock "$token" "$url/a.txt")" 204
answer=$(refresh "$token" "$url/a.txt")
check 'lighttpd: refresh' "${answer: -3}, <$(grep -o 'urn:uuid:[^<]*' <<< "$answer")>" "200, $token"
check 'lighttpd: PUT of another user' "$(put "$url/a.txt")" 204
check 'lighttpd: MKCOL c/' "$(status -X MKCOL "$url/c/")" 201
token=$(lock shared -H 'Depth: infinity' "$url/c/")
bare=${token:1:-1}
check 'lighttpd: refresh, shared, infinity' "$(refresh "$token" "$url/c/" | facts)" \
  "exclusive 0 $bare "
check 'lighttpd: lockdiscovery' "$(curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' -d '<propfind xmlns="DAV:"><prop><lockdiscovery/></prop></propfind>' "$url/c/" | facts)" \
  "shared infinity $bare "
stop

start ./usr/sbin/nginx -e state/log -p "$work" -c nginx.conf
check 'nginx: PUT b.txt' "$(put "$url/b.txt")" 201
token=$(lock exclusive "$url/b.txt")
check 'nginx: UNLOCK' "$(unlock "$token" "$url/b.txt")" 204
check 'nginx: PUT of another user' "$(put "$url/b.txt")" 204
answer=$(refresh "$token" "$url/b.txt")
other="<$(grep -o 'urn:[0-9a-f]*' <<< "$answer")>"
check 'nginx: refresh' "${answer: -3}, $([ "$other" = "$token" ] && echo the same || echo another) token" '200, another token'
check 'nginx: PUT of another user' "$(put "$url/b.txt")" 423
check 'nginx: PUT, that token' "$(put -H "If: ($other)" "$url/b.txt")" 204
