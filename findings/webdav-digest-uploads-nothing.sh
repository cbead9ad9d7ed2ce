#!/usr/bin/env bash
# webdav 5.11.0 (npm) and requests 2.28.1 (Debian python3-requests 2.28.1+dfsg-1) with Digest: an upload from a stream that meets a
# challenge is sent again without its body. It is a success, and the file on the server is empty.
#
# Apache's mod_dav asks for Digest. A client with the right name and password uploads twice from a file stream (webdav) or a generator
# (requests), then rests until its nonce has expired (here after 2 s; Apache's default is 300 s), and replaces the second file.
#
# Good sense says: the whole file, or an error, because the body cannot be read again. The clients know that the server has Digest: they
# can ask for the challenge with a request that has no body.
# Guess of its author, written down before the first run: an error or the whole file, with webdav. An error, with requests.
#
# Seen, what the caller gets, and the bytes on the server afterwards, of a file of 10 bytes:
#
#                                             first upload   second upload   replaced after the rest
#   webdav, putFileContents, Digest or Auto   true, 0        true, 10        true, 0
#   webdav, createWriteStream, pipeline()     resolves, 0    resolves, 10    resolves, 0
#   webdav, putFileContents of a Buffer       true, 10       true, 10        true, 10
#   requests, generator                       201, 0         201, 10         204, 0
#   requests, open file                       201, 10        201, 10         204, 10
#
# For a client: the first file of each run is lost, and later each one that comes after a pause. The answers 201 and 204 are true, and the
# ETag of the empty file fits. Authenticate by a PROPFIND first and before each upload, or upload buffers, and ask for the size.
#
# Source: requestDigest of webdav's request.js calls requestStandard twice with the same options, and node-fetch takes a stream that has
# ended. handle_401 of requests' auth.py rewinds a body that has tell(), and sends any other as it is.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
REQUESTS=2.28.1+dfsg-1

[ "$(dpkg-query -W -f '${Version} ' apache2-bin python3-requests 2>/dev/null || true)" = "$APACHE $REQUESTS " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "python3-requests=$REQUESTS"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund "node-linux-$(node -p process.arch)@24.21.0" webdav@5.11.0 >> log 2>&1 || { cat log; exit 1; }
mkdir root state
printf 0123456789 > ten.txt
printf 'ana:dav:%s\n' "$(printf ana:dav:secret | md5sum | cut -d ' ' -f 1)" > passwords
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile $work/state/pid
ErrorLog $work/state/log
DefaultRuntimeDir $work/state
Mutex pthread
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authn_file_module $modules/mod_authn_file.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_digest_module $modules/mod_auth_digest.so
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
  AuthType Digest
  AuthName dav
  AuthUserFile $work/passwords
  AuthDigestNonceLifetime 2
  Require valid-user
</Directory>
CONF
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
server=$!
for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null && break; sleep 0.1; done
cat > main.mjs <<'JS'
import {createReadStream, readFileSync, statSync} from 'node:fs'
import {pipeline} from 'node:stream/promises'
import {setTimeout as sleep} from 'node:timers/promises'

import {AuthType, createClient} from 'webdav'

const put = (body) => (client, name) => client.putFileContents(name, body())
const ways = {
  'stream, Digest': [AuthType.Digest, put(() => createReadStream('ten.txt'))],
  'stream, Auto': [AuthType.Auto, put(() => createReadStream('ten.txt'))],
  createWriteStream: [
    AuthType.Digest,
    async (client, name) => {
      await pipeline(createReadStream('ten.txt'), client.createWriteStream(name))
      await sleep(400)
      return 'resolved'
    },
  ],
  Buffer: [AuthType.Digest, put(() => readFileSync('ten.txt'))],
}
let number = 0
for (const [way, [authType, upload]] of Object.entries(ways)) {
  const client = createClient(process.argv[2], {authType, username: 'ana', password: 'secret'})
  const [first, second] = [`/js${++number}.txt`, `/js${++number}.txt`]
  const seen = []
  for (const [rest, name] of [[0, first], [0, second], [3500, second]]) {
    await sleep(rest)
    const outcome = await upload(client, name).catch((error) => error.message)
    seen.push(`${outcome} ${statSync(`root${name}`, {throwIfNoEntry: false})?.size}`)
  }
  console.log(`webdav, ${way}: ${seen.join(', ')}`)
}
process.exit()
JS
cat > main.py <<'PYTHON'
import os, sys, time
import requests
from requests.auth import HTTPDigestAuth

def generator():
    yield b'01234'
    yield b'56789'

for way, body in (('generator', generator), ('open file', lambda: open('ten.txt', 'rb'))):
    session = requests.Session()
    session.auth = HTTPDigestAuth('ana', 'secret')
    seen = []
    for rest, name in ((0, way[:4] + '1.txt'), (0, way[:4] + '2.txt'), (3.5, way[:4] + '2.txt')):
        time.sleep(rest)
        answer = session.put(sys.argv[1] + '/' + name, data=body())
        seen.append(f"{answer.status_code} {os.path.getsize('root/' + name)}")
    print(f"requests, {way}: {', '.join(seen)}")
PYTHON
seen=$(node_modules/node-linux-*/bin/node main.mjs "http://127.0.0.1:$port" && /usr/bin/python3 main.py "http://127.0.0.1:$port")
echo "$seen"
diff <(cat <<'EXPECTED'
webdav, stream, Digest: true 0, true 10, true 0
webdav, stream, Auto: true 0, true 10, true 0
webdav, createWriteStream: resolved 0, resolved 10, resolved 0
webdav, Buffer: true 10, true 10, true 10
requests, generator: 201 0, 201 10, 204 0
requests, open file: 201 10, 201 10, 204 10
EXPECTED
) <(echo "$seen") || { echo CHANGED; exit 1; }
