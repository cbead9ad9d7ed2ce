#!/usr/bin/env bash
# requests 2.28.1, and with it webdavclient3 3.14.6 and caldav 0.11.0 (Python, all of Debian 12): a PUT that meets a 301 is sent again as a
# PUT without its body, and empties the file. At a 302 uploads and deletions become a GET, with httpx 0.23.3 and superagent 10.4.2 (npm) as
# well. Its 200 is taken for success.
#
# Apache's mod_dav holds `a.txt` with an old version. The program has the address of before a move of the server: nginx 1.22.1 answers
# `return 301` there, to the same path at the new address, or `return 302`, as Apache's Redirect and HAProxy's redirect do by default.
#
# Good sense says: the same request at the new address, as curl and fetch send it, or an error. Only POST may become a GET at a 301 or 302
# (RFC 9110, sections 15.4.2 and 15.4.3). A method is not sent without the body that it had.
# Guess of its author, written down before the first run: just that, with each client, as for curl -L and wget.
#
# Seen, what the caller gets, and what the server has (new: 3 bytes, old: as before):
#
#                              PUT, 301            PUT, 302              DELETE, 302
#   curl -L, fetch             204, new            204, new              204, deleted
#   requests                   204, empty file     200, old              200, not deleted
#   webdavclient3              success, empty      success, old          success, not deleted
#   caldav, Event              success, empty      PutError, old         success, not deleted
#   httpx, follow_redirects    204, new            200, old              200, not deleted
#   superagent                 200, old            200, old              200, not deleted
#
# A DELETE at a 301 is right in all but superagent, where it is a GET as well.
#
# For a client: a 200 to a PUT or DELETE is no proof: look at `history` or `redirects`. Ask once with OPTIONS or PROPFIND, take the address
# that answers, and let no write be redirected (`allow_redirects=False`, `redirects(0)`).
#
# Source: not read. By hand, the requests were seen at a server that writes them down.
set -euo pipefail
export LC_ALL=C
declare -A VERSIONS=([apache2-bin]=2.4.71-1~deb12u1 [nginx]=1.22.1-9+deb12u11 [python3-requests]=2.28.1+dfsg-1 [python3-webdavclient]=3.14.6-1
  [python3-caldav]=0.11.0-1 [python3-httpx]=0.23.3-1)

command -v curl >/dev/null || apt-get install -y --no-install-recommends curl
for package in "${!VERSIONS[@]}"; do
  [ "$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)" = "${VERSIONS[$package]}" ] ||
    apt-get install -y --no-install-recommends "$package=${VERSIONS[$package]}"
done
work=$(mktemp -d)
chmod 755 "$work"
started=()
stop() { for process in "${started[@]}"; do kill "$process" 2> /dev/null || true; wait "$process" || true; done; }
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund superagent@10.4.2 "node-linux-$(node -p process.arch)@24.21.0" >> log 2>&1 || { cat log; exit 1; }
mkdir -p root/f state
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
read -r server moved found <<< "$(/usr/bin/python3 -c 'import socket
sockets = [socket.socket() for _ in range(3)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')"
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$server
PidFile $work/state/pid
ErrorLog $work/state/log
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
pid $work/state/nginx.pid;
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
    listen 127.0.0.1:$moved;
    return 301 http://127.0.0.1:$server\$request_uri;
  }
  server {
    listen 127.0.0.1:$found;
    return 302 http://127.0.0.1:$server\$request_uri;
  }
}
CONF
start() {
  "${as[@]}" "${@:2}" > "log.$1" 2>&1 &
  started+=($!)
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return; sleep 0.1; done
}
start "$server" apache2 -f "$work/apache.conf" -DFOREGROUND
start "$moved" nginx -e "$work/state/nginx" -c "$work/nginx.conf"

# Each program: PUT or DELETE, and the port. It prints what its caller gets.
cat > curl.sh <<'SH'
[ "$1" = PUT ] && what=(-T new.txt) || what=(-X DELETE)
curl -s -L -o body -w '%{http_code}' "${what[@]}" "http://127.0.0.1:$2/f/a.txt"
SH
printf new > new.txt
cat > by-requests.py <<'PYTHON'
import sys
import requests
print(requests.request(sys.argv[1], f'http://127.0.0.1:{sys.argv[2]}/f/a.txt', data='new' if sys.argv[1] == 'PUT' else None).status_code)
PYTHON
cat > by-httpx.py <<'PYTHON'
import sys
import httpx
body = 'new' if sys.argv[1] == 'PUT' else None
print(httpx.request(sys.argv[1], f'http://127.0.0.1:{sys.argv[2]}/f/a.txt', content=body, follow_redirects=True).status_code)
PYTHON
cat > by-webdavclient3.py <<'PYTHON'
import sys
from webdav3.client import Client
client = Client({'webdav_hostname': f'http://127.0.0.1:{sys.argv[2]}', 'disable_check': True})
client.upload_sync('/f/a.txt', 'new.txt') if sys.argv[1] == 'PUT' else client.clean('/f/a.txt')
print('success')
PYTHON
cat > by-caldav.py <<'PYTHON'
import sys
import caldav
data = 'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//EN\nBEGIN:VEVENT\nUID:a\nDTSTAMP:20260101T000000Z\nDTSTART:20270105T100000Z\nEND:VEVENT\nEND:VCALENDAR\n'
client = caldav.DAVClient(f'http://127.0.0.1:{sys.argv[2]}/f/')
event = caldav.Event(client, url=f'http://127.0.0.1:{sys.argv[2]}/f/a.txt', data=data, parent=caldav.Calendar(client, url='/f/'))
try:
    event.save(increase_seqno=False) if sys.argv[1] == 'PUT' else event.delete()
    print('success')
except caldav.lib.error.PutError:
    print('PutError')
PYTHON
cat > fetch.mjs <<'JS'
const [method, port] = process.argv.slice(2)
console.log((await fetch(`http://127.0.0.1:${port}/f/a.txt`, {method, body: method === 'PUT' ? 'new' : undefined})).status)
JS
cat > superagent.mjs <<'JS'
import superagent from 'superagent'

const [method, port] = process.argv.slice(2)
const request = superagent(method, `http://127.0.0.1:${port}/f/a.txt`)
console.log((await (method === 'PUT' ? request.type('text/plain').send('new') : request)).status)
JS
python=/usr/bin/python3
node=$(echo node_modules/node-linux-*/bin/node)
# Arguments: name, command, then what is expected of a PUT at 301 and 302, and a DELETE at 301 and 302.
check() {
  seen=()
  for what in "PUT $moved" "PUT $found" "DELETE $moved" "DELETE $found"; do
    printf 'old version' > root/f/a.txt
    [ "${#as[@]}" = 0 ] || chown 65534:65534 root/f/a.txt
    read -r method port <<< "$what"
    outcome=$($2 "$method" "$port" 2> errors) || outcome="exit $?: $(tail -1 errors)"
    if [ ! -e root/f/a.txt ]; then state=deleted; elif [ ! -s root/f/a.txt ]; then state=empty; else state=$(head -c 3 root/f/a.txt); fi
    seen+=("$outcome $state")
  done
  printf '  %-14s %-16s %-22s %-16s %s\n' "$1" "${seen[@]}"
  shift 2
  for result in "${seen[@]}"; do
    [ "$result" = "$1" ] || { echo "CHANGED, expected: $1"; exit 1; }
    shift
  done
}
printf '  %-14s %-16s %-22s %-16s %s\n' '' 'PUT, 301' 'PUT, 302' 'DELETE, 301' 'DELETE, 302'
check 'curl -L' 'bash curl.sh' '204 new' '204 new' '204 deleted' '204 deleted'
check fetch "$node fetch.mjs" '204 new' '204 new' '204 deleted' '204 deleted'
check requests "$python by-requests.py" '204 empty' '200 old' '204 deleted' '200 old'
check webdavclient3 "$python by-webdavclient3.py" 'success empty' 'success old' 'success deleted' 'success old'
check caldav "$python by-caldav.py" 'success empty' 'PutError old' 'success deleted' 'success old'
check httpx "$python by-httpx.py" '204 new' '200 old' '204 deleted' '200 old'
check superagent "$node superagent.mjs" '200 old' '200 old' '200 old' '200 old'
