#!/usr/bin/env bash
# Python 3.11.2 with requests 2.28.1 (Debian python3.11 3.11.2-6+deb12u6, python3-requests 2.28.1+dfsg-1) and webdavclient3 3.14.6 (Debian
# python3-webdavclient 3.14.6-1): behind a proxy that sends 103 Early Hints, each status is 103, each listing is empty, and a request can
# get the answer to the one before it.
#
# Apache's mod_dav serves a folder with `a.txt` and a collection of 3,000 files. HAProxy 2.6.12 in front of it sends hints (`http-request
# early-hint`), so that browsers load a style sooner. Programs list, look, delete and copy through it.
#
# Good sense says: 103 is passed over. A client "MUST be able to parse one or more 1xx responses received prior to a final response, even
# if the client does not expect one" (RFC 9110, section 15.2). 102 Processing, for a COPY that takes long, was made for WebDAV (RFC 2518).
# Guess of its author, written down before the first run: the final status, in each client.
#
# Seen:
#
#                                                      without hints                with hints
#   requests, PROPFIND of the folder                   207                          103, `ok` is True, an empty body
#   webdavclient3, list()                              a.txt, big/                  an empty list, no error
#   webdavclient3, check('a.txt')                      True                         False
#   webdavclient3, clean('no.txt'), which is not there RemoteResourceNotFound       no error
#   webdavclient3, clean('locked.txt'), 423            ResponseErrorCode            no error, the file stays
#   requests, COPY of big/, and at once PROPFIND of    201, 404                     103, 201: the answer to the COPY
#     no.txt in the same session
#   curl 7.88.1, PROPFIND                              207                          207
#
# For a client: below 200 nothing has happened yet, whatever `ok` says. A sync job that believes this listing deletes all it has. By
# hand: lftp 4.9.2 takes 103 for the answer too ("Access failed"). aiohttp 3.8.4, rclone 1.60.1, cadaver 0.24 and fetch of Node, Bun and
# Deno are right. Only 100 is passed over by Python, and 102 is as bad as 103.
#
# Source: HTTPResponse.begin of http/client.py goes on at the status 100 alone. urllib3 puts the connection back into its pool, as 103
# has no body, and drops it before the next request only if the late answer has arrived by then.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
HAPROXY=2.6.12-1+deb12u4
REQUESTS=2.28.1+dfsg-1
WEBDAV=3.14.6-1

[ "$(dpkg-query -W -f '${Version} ' apache2-bin haproxy python3-requests python3-webdavclient 2>/dev/null || true)" = \
  "$APACHE $HAPROXY $REQUESTS $WEBDAV " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "haproxy=$HAPROXY" "python3-requests=$REQUESTS" "python3-webdavclient=$WEBDAV"
command -v curl >/dev/null || apt-get install -y --no-install-recommends curl
work=$(mktemp -d)
chmod 755 "$work"
pids=()
trap '[ ${#pids[@]} = 0 ] || { kill "${pids[@]}"; wait "${pids[@]}" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir -p root/c/big state
echo a > root/c/a.txt
for number in $(seq 3000); do echo x > "root/c/big/$number.txt"; done
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
read -r server plain hints <<< "$(/usr/bin/python3 -c 'import socket
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
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
MinSpareThreads 1
MaxSpareThreads 8
DocumentRoot $work/root
DavLockDB $work/state/locks
<Directory $work/root>
  Dav On
  Require all granted
</Directory>
CONF
cat > haproxy.cfg <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend plain
  bind 127.0.0.1:$plain
  default_backend dav
frontend hints
  bind 127.0.0.1:$hints
  http-request early-hint Link "</style.css>; rel=preload; as=style"
  default_backend dav
backend dav
  server dav 127.0.0.1:$server
CONF
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
pids+=($!)
"${as[@]}" haproxy -f "$work/haproxy.cfg" -db >> log 2>&1 &
pids+=($!)
for port in "$server" "$hints"; do
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
done
/usr/bin/python3 --version
cat > main.py <<'PYTHON'
import subprocess, sys, time
import requests
from webdav3.client import Client

def lock(url):
    body = '<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>'
    token = ''
    # curl, because it has to be the final answer.
    out = subprocess.run(['curl', '-s', '-D-', '-o', '/dev/null', '-X', 'LOCK', '-H', 'Timeout: Second-600', '-d', body, url],
                         capture_output=True, text=True, check=True).stdout
    for line in out.splitlines():
        if line.lower().startswith('lock-token:'):
            token = line.split(':', 1)[1].strip()
    return token

def run(url, number):
    seen = {}
    def tell(name, action):
        try:
            seen[name] = action()
        except Exception as error:
            seen[name] = type(error).__name__
        # Late answers shall arrive, where this is not about them.
        time.sleep(0.3)
    curl = lambda *more: int(subprocess.run(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', *more], capture_output=True, text=True).stdout)

    def propfind():
        answer = requests.request('PROPFIND', url + '/c/', headers={'Depth': '1'})
        return [answer.status_code, answer.ok, len(answer.content) > 0]
    tell('PROPFIND', propfind)
    client = Client({'webdav_hostname': url, 'webdav_root': '/c'})
    tell('list', lambda: sorted(client.list()))
    tell('check a.txt', lambda: client.check('a.txt'))
    tell('clean no.txt', lambda: client.clean('no.txt'))
    curl('-X', 'PUT', '-d', 'locked', url + '/c/locked.txt')
    token = lock(url + '/c/locked.txt')
    tell('clean locked.txt', lambda: client.clean('locked.txt'))
    tell('  is there', lambda: curl(url + '/c/locked.txt'))
    tell('  unlock', lambda: curl('-X', 'UNLOCK', '-H', 'Lock-Token: ' + token, url + '/c/locked.txt'))
    tell('  delete', lambda: curl('-X', 'DELETE', url + '/c/locked.txt'))
    def copy():
        session = requests.Session()
        first = session.request('COPY', url + '/c/big/', headers={'Destination': f'{url}/copy{number}/'})
        second = session.request('PROPFIND', url + '/c/no.txt', headers={'Depth': '0'})
        return [first.status_code, second.status_code]
    tell('COPY, then PROPFIND of no.txt', copy)
    tell('curl PROPFIND', lambda: curl('-X', 'PROPFIND', '-H', 'Depth: 0', url + '/c/'))
    return seen

expected = {
    'plain': [[207, True, True], ['a.txt', 'big/'], True, 'RemoteResourceNotFound', 'ResponseErrorCode', 200, 204, 204, [201, 404], 207],
    'hints': [[103, True, False], [], False, None, None, 200, 204, 204, [103, 201], 207],
}
same = True
for number, (name, port) in enumerate(zip(expected, sys.argv[1:])):
    seen = run('http://127.0.0.1:' + port, number)
    print(name)
    for key, value in seen.items():
        print(f'  {key:32} {value}')
    if list(seen.values()) != expected[name]:
        print('CHANGED, expected:', expected[name])
        same = False
sys.exit(0 if same else 1)
PYTHON
/usr/bin/python3 main.py "$plain" "$hints"
