#!/usr/bin/env bash
# wget 1.21.3, aria2 1.36.0 and rclone 1.60.1 (all of Debian 12): a download that breaks off while the file is replaced on the server is the
# head of the old file and the tail of the new one, and exit 0. Another rclone copy does not repair it.
#
# Apache's mod_dav holds a file of 1,000,000 bytes with a strong ETag. A relay closes the connection after 300,000 bytes, as a proxy that is
# restarted does, once. By then another program has replaced the file with a new version, of the same size (as containers and images
# have) or longer. Nobody asks to resume anything: each command is run once, in an empty folder.
#
# Good sense says: the new version, or an error. A range goes with If-Range, so that a changed file comes whole (RFC 9110, section 13.1.5),
# and parts "MUST NOT" be combined unless they share a strong validator (section 15.3.7.3). The manual of wget warns of such a file for
# `-c` alone.
# Guess of its author, written down before the first run: no client makes a mixture with exit 0, but for aria2 perhaps.
#
# Seen:
#
#                 new version of the same size    new version longer by 200,000 bytes
#   curl --retry  new                             new
#   wget          old and new, exit 0             old and new, 1,200,000 bytes, exit 0
#   aria2c        old and new, exit 0             exit 8
#   rclone copy   old and new, exit 0             old and new, 1,000,000 bytes, exit 0
#   rclone move   the same, and the file is no longer on the server
#
# The three ask for `Range: bytes=299…-` without a condition, and overlook that ETag and Last-Modified of the 206 differ from those of the
# 200. Afterwards, with the same size, another `rclone copy` leaves the mixture as it is. `wget -N` fetches the new version.
#
# For a client: send If-Range with the strong ETag of the first answer, and begin anew at a 200. Without a strong ETag, begin anew.
#
# Source: not read. The requests were seen at the relay.
set -euo pipefail
export LC_ALL=C
declare -A VERSIONS=([apache2-bin]=2.4.71-1~deb12u1 [wget]=1.21.3-1+deb12u1 [aria2]=1.36.0-1 [rclone]=1.60.1+dfsg-2+b5)

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
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
mkdir -p root/f state out home
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
read -r server relay <<< "$(python3 -c 'import socket
sockets = [socket.socket() for _ in range(2)]
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
# Forwards connections to the server, and writes down the conditions and ranges of requests. While the file `new` is there, it closes the
# next one that has a GET after 300,000 bytes, and replaces the file.
cat > relay.py <<'PYTHON'
import os, socket, sys, threading

def forward(client):
    server = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    asked = bytearray()
    def requests():
        try:
            while data := client.recv(65536):
                asked.extend(data)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    threading.Thread(target=requests, daemon=True).start()
    sent = 0
    try:
        while data := server.recv(65536):
            if b'GET /f/a.bin' in asked and os.path.exists('root/new'):
                data = data[:300000 - sent]
                sent += len(data)
            client.sendall(data)
            if sent == 300000:
                os.replace('root/new', 'root/f/a.bin')
                break
    except OSError:
        pass
    for end in (client, server):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
    for line in asked.decode('latin-1').split('\r\n'):
        if line.lower().startswith(('range:', 'if-')):
            print(line, flush=True)

listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    threading.Thread(target=forward, args=(listener.accept()[0],), daemon=True).start()
PYTHON
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
started+=($!)
python3 relay.py "$relay" "$server" >> headers &
started+=($!)
url=http://127.0.0.1:$relay
for _ in $(seq 100); do curl -s -o /dev/null "$url/f/" && break; sleep 0.1; done

# Prints which versions a file has, and its size.
content() {
  [ -e "$1" ] || { echo nothing; return; }
  python3 -c 'import itertools, sys
body = open(sys.argv[1]).read()
print(*(version for version, _ in itertools.groupby(body)), len(body) if len(body) >= 1000000 else "a part")' "$1"
}
# Downloads by a command while the file is replaced. Arguments: name, size of the new version, what is expected (exit status, on disk, on the
# server), command.
check() {
  rm -rf out
  mkdir out
  : > headers
  python3 -c 'import os, sys, time
for name, text, age in ("f/a.bin", "o" * 1000000, 90000), ("new", "n" * int(sys.argv[1]), 5000):
    open("root/" + name, "w").write(text)
    os.utime("root/" + name, (time.time() - age,) * 2)' "$2"
  [ "${#as[@]}" = 0 ] || chown 65534:65534 root/f/a.bin root/new
  again "$1" "$3" "${@:4}"
  [ ! -e root/new ] || { echo 'CHANGED: the file was not replaced'; exit 1; }
}
again() {
  exit=0
  (cd out && HOME=$work/home timeout 60 "${@:3}") > log.client 2>&1 || exit=$?
  seen="$exit; $(content out/a.bin); $(content root/f/a.bin)"
  printf '  %-14s %s\n' "$1" "$seen"
  [ "$seen" = "$2" ] || { echo "CHANGED, expected: $2"; cat log.client; exit 1; }
}
# Each client that goes on has sent one range and no condition.
unconditional() {
  sleep 0.2
  seen=$(sed 's/299[0-9]*-.*/299…/' headers | paste -sd ' ')
  [ "$seen" = 'Range: bytes=299…' ] || { echo "CHANGED, headers: $seen"; exit 1; }
}
curl=(curl -s -O --retry 3 --retry-all-errors --retry-delay 1 "$url/f/a.bin")
wget=(wget -q "$url/f/a.bin")
aria2=(aria2c -q --no-conf "$url/f/a.bin")
rclone=(--webdav-url "$url" :webdav:f/a.bin .)
check 'curl --retry' 1000000 '0; n 1000000; n 1000000' "${curl[@]}"
check 'curl --retry' 1200000 '0; n 1200000; n 1200000' "${curl[@]}"
check wget 1200000 '0; o n 1200000; n 1200000' "${wget[@]}"
check wget 1000000 '0; o n 1000000; n 1000000' "${wget[@]}"
unconditional
again 'wget -N' '0; n 1000000; n 1000000' wget -q -N "$url/f/a.bin"
check aria2c 1000000 '0; o n 1000000; n 1000000' "${aria2[@]}"
unconditional
check aria2c 1200000 '8; o a part; n 1200000' "${aria2[@]}"
check 'rclone copy' 1200000 '0; o n 1000000; n 1200000' rclone copy "${rclone[@]}"
check 'rclone copy' 1000000 '0; o n 1000000; n 1000000' rclone copy "${rclone[@]}"
unconditional
again 'rclone copy' '0; o n 1000000; n 1000000' rclone copy "${rclone[@]}"
check 'rclone move' 1000000 '0; o n 1000000; nothing' rclone move "${rclone[@]}"
