#!/usr/bin/env bash
# Chromium 156 (Debian chromium 156.0.8078.114-1~deb12u1) and Apache's mod_cache (Debian apache2-bin 2.4.71-1~deb12u1): after a MOVE, a
# GET of the old name still gives the file. Chromium forgets nothing after a PUT without a body either.
#
# Files of a WebDAV server (Apache's mod_dav, which sends no Cache-Control) are a year old and have been read once, so a cache may use
# them without asking (RFC 9111, section 4.2.2). Then a script moves, replaces and deletes them through the same browser or proxy, reads
# them again, and is told that all went well.
#
# Good sense says: a cache "MUST invalidate" what it has of the URL after a success of an unsafe method, and one that it does not know is
# unsafe (RFC 9111, section 4.4). So the old name of a MOVE is 404, as after a DELETE. Nothing there names the Destination of MOVE and
# COPY: what a cache has of that may stay.
# Guess of its author, written down before the first run: just that, for each browser and proxy.
#
# Seen, by a GET after the answer 201 or 204 (old: from the cache, the file as it was before; new: the truth):
#
#                                                        Chromium   Firefox   mod_cache
#   DELETE a, GET a                                      new        new       new
#   PUT a with new text, GET a                           new        new       new
#   PUT a without a body, which empties it, GET a        old        new       new
#   MOVE a to the unused name b, GET a                   old        new       old
#   MOVE new.tmp onto a, GET a (a safe way to replace)   old        old       old
#   COPY c onto a, GET a                                 old        old       old
#
# For a client: in a page, and behind a shared cache, a GET after MOVE and COPY proves nothing, and a program that replaces files by a
# MOVE gets the file of before, whose ETag is the one of before too. Fetch with `cache: 'no-store'` or 'no-cache', and let the server
# send `Cache-Control: no-cache`. By hand: squid 5.7 and HAProxy 2.6 forget the old name, and nginx 1.22 (proxy_cache) forgets nothing
# after any method. All of them keep the Destination, as undici 8.12.4 (interceptors.cache) does.
#
# Source: ShouldPassThrough of Chromium's net/http/http_cache_transaction.cc lets PUT and POST with a body, DELETE and PATCH reach the
# cache, and all other methods go past it. cache_handler of Apache's mod_cache.c invalidates after PUT, POST and DELETE alone.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
CHROMIUM=156.0.8078.114-1~deb12u1
FIREFOX=153.8.0esr-1~deb12u1

command -v python3 >/dev/null || apt-get install -y --no-install-recommends python3-minimal
[ "$(dpkg-query -W -f '${Version} ' apache2-bin chromium firefox-esr 2>/dev/null || true)" = "$APACHE $CHROMIUM $FIREFOX " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "chromium=$CHROMIUM" "firefox-esr=$FIREFOX"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund "node-linux-$(node -p process.arch)@24.21.0" puppeteer-core@25.16.0 >> log 2>&1 || { cat log; exit 1; }
mkdir root state cache
for who in chrome firefox proxy; do
  mkdir "root/$who"
  for name in deleted rewritten emptied moved replaced over; do printf 'old' > "root/$who/$name.txt"; done
  for name in new source; do printf 'new' > "root/$who/$name.txt"; done
done
echo '<!doctype html><title>page</title><link rel="icon" href="data:,">' > root/page.html
find root -type f -exec touch -d '1 year ago' {} +
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state cache
fi
read -r port proxy <<< "$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))')"
modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
Listen 127.0.0.1:$proxy
PidFile $work/state/pid
ErrorLog $work/state/log
Mutex pthread
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule mime_module $modules/mod_mime.so
LoadModule dav_module $modules/mod_dav.so
LoadModule dav_fs_module $modules/mod_dav_fs.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LoadModule cache_module $modules/mod_cache.so
LoadModule cache_disk_module $modules/mod_cache_disk.so
StartServers 1
ServerLimit 1
ThreadsPerChild 16
MaxRequestWorkers 16
MinSpareThreads 1
MaxSpareThreads 16
TypesConfig /dev/null
AddType text/html .html
AddType text/plain .txt
DocumentRoot $work/root
DavLockDB $work/state/locks
<Directory $work/root>
  Dav On
  Require all granted
</Directory>
<VirtualHost 127.0.0.1:$port>
</VirtualHost>
<VirtualHost 127.0.0.1:$proxy>
  CacheRoot $work/cache
  CacheEnable disk /
  ProxyPass / http://127.0.0.1:$port/
</VirtualHost>
CONF
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
server=$!
for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$proxy") 2> /dev/null && break; sleep 0.1; done
cat > main.mjs <<'JS'
import puppeteer from 'puppeteer-core'

const [origin, proxy] = process.argv.slice(2)

/** Runs in a page, and in Node for the proxy. The Destination has to name the server itself. */
async function steps(base, server, folder) {
  const seen = {}
  const read = async (name) => {
    const response = await fetch(`${base}/${folder}/${name}.txt`)
    return response.ok ? await response.text() : String(response.status)
  }
  const step = async (label, method, name, {to, body, look = name, truth}) => {
    if ((await read(look)) !== 'old' || (await read(look)) !== 'old') throw new Error(`${look} is not as it was made`)
    const headers = to === undefined ? {} : {Destination: `${server}/${folder}/${to}.txt`, Overwrite: 'T'}
    const {status} = await fetch(`${base}/${folder}/${name}.txt`, {method, headers, body})
    if (status !== 201 && status !== 204) throw new Error(`${method} ${name}: ${status}`)
    const text = await read(look)
    seen[label] = text === 'old' ? 'old' : text === truth ? 'new' : text
  }
  await step('DELETE', 'DELETE', 'deleted', {truth: '404'})
  await step('PUT text', 'PUT', 'rewritten', {body: 'new', truth: 'new'})
  await step('PUT without a body', 'PUT', 'emptied', {truth: ''})
  await step('MOVE away', 'MOVE', 'moved', {to: 'unused', truth: '404'})
  await step('MOVE onto', 'MOVE', 'new', {to: 'replaced', look: 'replaced', truth: 'new'})
  await step('COPY onto', 'COPY', 'source', {to: 'over', look: 'over', truth: 'new'})
  return seen
}
async function inPage(browser, executablePath) {
  const running = await puppeteer.launch({browser, executablePath, args: browser === 'chrome' ? ['--no-sandbox'] : []})
  try {
    console.log(await running.version())
    const page = await running.newPage()
    await page.goto(`${origin}/page.html`)
    return await page.evaluate(steps, origin, origin, browser)
  } finally {
    await running.close()
  }
}
const expected = {
  chrome: ['new', 'new', 'old', 'old', 'old', 'old'],
  firefox: ['new', 'new', 'new', 'new', 'old', 'old'],
  proxy: ['new', 'new', 'new', 'old', 'old', 'old'],
}
const runs = {
  chrome: () => inPage('chrome', '/usr/bin/chromium'),
  firefox: () => inPage('firefox', '/usr/bin/firefox-esr'),
  proxy: () => steps(proxy, origin, 'proxy'),
}
for (const [name, run] of Object.entries(runs)) {
  const seen = await run()
  console.log(name, seen)
  if (JSON.stringify(Object.values(seen)) !== JSON.stringify(expected[name])) {
    console.log('CHANGED, expected:', expected[name])
    process.exitCode = 1
  }
}
JS
node_modules/node-linux-*/bin/node main.mjs "http://127.0.0.1:$port" "http://127.0.0.1:$proxy"
