#!/usr/bin/env bash
# curl 7.88.1 (Debian curl 7.88.1-10+deb12u15), axios-retry 4.5.0 with axios 1.21.1, and got 14.6.6 (npm): an upload from a pipe or a stream
# that meets a 502 is repeated with what is left of it, which is nothing. The repetition is a success, and the backup is empty.
#
# Apache's mod_dav behind nginx 1.22.1 is being restarted, so nginx answers 502 for a moment. Meanwhile a job replaces yesterday's backup,
# as many do: `tar c folder | curl --retry 5 -T - URL`.
#
# Good sense says: curl keeps what it has read, or says that it cannot send it again. Its manual names no exception: on 502 it "will
# retry this number of times". got says "Cannot retry with consumed body stream" for a stream of Node.
# Guess of its author, written down before the first run: an error, or the whole of it, never a part and exit status 0.
#
# Seen, with 502 first and then a server that is well, for 40,000 bytes:
#
#                                               outcome        on the server
#   curl --retry 5 -T FILE                      exit 0, 2xx    40,000
#   … | curl --retry 5 -T -                     exit 0, 2xx    0
#   curl --retry 5 -T - < FILE                  exit 0, 2xx    0, although the file can be read again
#   … | curl --retry 5 -X PUT --data-binary @-  exit 0, 2xx    40,000
#   axios-retry, a Buffer                       2xx            40,000
#   axios-retry, createReadStream               2xx            0
#   got, createReadStream                       error          yesterday's
#   got, an async generator                     2xx            0
#
# By hand: a 503 or 429 that comes before `100 Continue` does no harm, as curl waits for that with a pipe. It is the 502, 503 or 504 behind a whole
# upload that does.
#
# For a client: never --retry with `-T -`. Write to a file first, and compare its size with `getcontentlength` at the end. The old backup
# is gone by then: upload to another name, and MOVE.
#
# Source: not read.
set -euo pipefail
CURL=7.88.1-10+deb12u15
APACHE=2.4.71-1~deb12u1
NGINX=1.22.1-9+deb12u11

command -v python3 >/dev/null || apt-get install -y --no-install-recommends python3-minimal
# For the libraries of curl; its pinned version comes below.
command -v curl >/dev/null || apt-get install -y --no-install-recommends curl
[ "$(dpkg-query -W -f '${Version} ' apache2-bin nginx 2>/dev/null || true)" = "$APACHE $NGINX " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "nginx=$NGINX"
work=$(mktemp -d)
chmod 755 "$work"
apache=
proxy=
stop_apache() {
  [ -z "$apache" ] || { kill "$apache" || true; wait "$apache" || true; }
  apache=
}
trap 'stop_apache; [ -z "$proxy" ] || { kill "$proxy" || true; wait "$proxy" || true; }; rm -rf "$work"' EXIT
cd "$work"
apt-get download "curl=$CURL" "libcurl4=$CURL" > log 2>&1
for package in *.deb; do dpkg -x "$package" debian; done
libraries=$(dirname debian/usr/lib/*/libcurl.so.4)
npm init -y > log
npm install --no-audit --no-fund axios-retry@4.5.0 axios@1.21.1 got@14.6.6 "node-linux-$(node -p process.arch)@24.21.0" >> log 2>&1 || { cat log; exit 1; }
mkdir root state
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 root state
fi
read -r port server <<< "$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')"
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$server
PidFile $work/state/apache.pid
ErrorLog $work/state/apache
Mutex pthread
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule dav_module $modules/mod_dav.so
LoadModule dav_fs_module $modules/mod_dav_fs.so
DocumentRoot $work/root
DavLockDB $work/state/locks
<Directory $work/root>
  Dav On
  Require all granted
</Directory>
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
    listen 127.0.0.1:$port;
    location / { proxy_pass http://127.0.0.1:$server; }
  }
}
CONF
wait_for() { for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return; sleep 0.1; done; }
"${as[@]}" nginx -e "$work/state/nginx" -c "$work/nginx.conf" > log 2>&1 &
proxy=$!
wait_for "$port"
cat > main.mjs <<'JS'
import {createReadStream, readFileSync} from 'node:fs'

import axios from 'axios'
import axiosRetry from 'axios-retry'
import got from 'got'

const [way, url] = process.argv.slice(2)
const client = axios.create()
axiosRetry(client, {retries: 5, retryDelay: () => 1000})
const ways = {
  'axios-buffer': () => client.put(url, readFileSync('backup')),
  'axios-stream': () => client.put(url, createReadStream('backup')),
  'got-stream': () => got.put(url, {body: createReadStream('backup'), retry: {limit: 5}}),
  'got-generator': () =>
    got.put(url, {
      body: (async function* () {
        yield readFileSync('backup')
      })(),
      retry: {limit: 5},
    }),
}
const outcome = await ways[way]().then(({status, statusCode}) => String(status ?? statusCode), () => 'error')
console.log(outcome.replace(/^2..$/u, '2xx'))
JS
python3 -c 'print("new backup" * 4000, end="")' > backup
url=http://127.0.0.1:$port/backup.tar
curl_retry() {
  exit=0
  status=$(LD_LIBRARY_PATH=$libraries debian/usr/bin/curl -s -o answer -w '%{http_code}' --retry 5 "$@" "$url") || exit=$?
  echo "exit $exit, ${status/#2??/2xx}"
}
program() { node_modules/node-linux-*/bin/node main.mjs "$1" "$url"; }
# Begins an upload while Apache is down, and starts Apache a moment later. Prints the outcome and what the server has.
upload() {
  stop_apache
  printf yesterday > root/backup.tar
  [ -z "${as[*]}" ] || chown 65534:65534 root/backup.tar
  "$@" > outcome &
  uploader=$!
  sleep 0.7
  "${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
  apache=$!
  wait "$uploader"
  printf '%s: %s\n' "$(cat outcome)" "$(cmp -s root/backup.tar backup && echo whole || { [ -s root/backup.tar ] && cat root/backup.tar || echo empty; })"
}
piped() { cat backup | "$@"; }
from_file() { "$@" < backup; }
check() {
  printf '  %-30s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
run() {
  upload "${@:3}" > line
  check "$1" "$(cat line)" "$2"
}
run 'curl -T FILE' 'exit 0, 2xx: whole' curl_retry -T backup
run 'curl -T -' 'exit 0, 2xx: empty' piped curl_retry -T -
run 'curl -T - < FILE' 'exit 0, 2xx: empty' from_file curl_retry -T -
run 'curl --data-binary @-' 'exit 0, 2xx: whole' piped curl_retry -X PUT --data-binary @-
run 'axios-retry, Buffer' '2xx: whole' program axios-buffer
run 'axios-retry, stream' '2xx: empty' program axios-stream
run 'got, stream' 'error: yesterday' program got-stream
run 'got, generator' '2xx: empty' program got-generator
