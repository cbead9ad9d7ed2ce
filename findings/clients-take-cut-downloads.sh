#!/usr/bin/env bash
# gio of GLib 2.74.6 with gvfs 1.50.3, wget2 1.99.1, webdavclient3 3.14.6, easywebdav 1.2.0 and HTTP::DAV 0.49 (all of Debian 12): a
# download whose connection ends before its Content-Length is a success. `gio move` then deletes the file on the server.
#
# Apache's mod_dav holds a file of 1,000,000 bytes, and says so in the head of its answer. A relay closes the connection after 300,000
# bytes, as a proxy that is restarted does, once. curl, httpx 0.23.3, wget and rclone 1.60.1 are there to compare.
#
# Good sense says: an error, or the rest by another request. A message with fewer bytes than its Content-Length is incomplete, and must be
# recorded as such (RFC 9112, section 8). `gio move` deletes its source after it has the whole of it.
# Guess of its author, written down before the first run: an error or the whole file, with each client.
#
# Seen:
#
#                                   outcome               on disk     on the server
#   curl                            exit 18               a part      all
#   httpx                           RemoteProtocolError   nothing     all
#   wget, rclone                    exit 0                all         all
#   wget2                           exit 0                a part      all
#   webdavclient3, download_sync    no exception          a part      all
#   easywebdav, download            no exception          a part      all
#   HTTP::DAV, get                  true                  a part      all
#   gio copy                        exit 0, mostly        a part      all
#   gio move                        exit 0, mostly        a part      nothing
#
# wget2 prints "Just got … of 1000000 bytes", the others nothing. What is left of the file after `gio move` is that part. In some runs gio
# has exit 1, "Connection terminated unexpectedly", and the file is still on the server.
#
# For a client: count the bytes, and compare them with Content-Length, or with `getcontentlength` of a listing. Never delete a source
# because a library said that its download is done.
#
# Source: not read, but requests 2.28.1, under webdavclient3 and easywebdav, does so by urllib3 1.26.12, which counts only if asked
# (`enforce_content_length`).
set -euo pipefail
export LC_ALL=C
declare -A VERSIONS=([apache2-bin]=2.4.71-1~deb12u1 [libglib2.0-bin]=2.74.6-2+deb12u8 [gvfs-backends]=1.50.3-1+deb12u1 [wget]=1.21.3-1+deb12u1
  [wget2]=1.99.1-2.2 [python3-webdavclient]=3.14.6-1 [python3-easywebdav]=1.2.0-10 [python3-requests]=2.28.1+dfsg-1
  [python3-urllib3]=1.26.12-1+deb12u4 [python3-httpx]=0.23.3-1 [libhttp-dav-perl]=0.49-3 [rclone]=1.60.1+dfsg-2+b5)

command -v curl >/dev/null && command -v dbus-run-session >/dev/null || apt-get install -y --no-install-recommends curl dbus-daemon
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
mkdir -m 700 runtime
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
read -r server relay <<< "$(/usr/bin/python3 -c 'import socket
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
# Forwards connections to the server. While the file `armed` is there, it closes the next one that has a GET after 300,000 bytes.
cat > relay.py <<'PYTHON'
import os, socket, sys, threading, time

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
            if b'GET /f/a.bin' in asked and os.path.exists('armed'):
                data = data[:300000 - sent]
                sent += len(data)
            client.sendall(data)
            if sent == 300000:
                time.sleep(0.5)
                os.remove('armed')
                break
    except OSError:
        pass
    for end in (client, server):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()

listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))
while True:
    threading.Thread(target=forward, args=(listener.accept()[0],), daemon=True).start()
PYTHON
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
started+=($!)
/usr/bin/python3 relay.py "$relay" "$server" &
started+=($!)
url=http://127.0.0.1:$relay
for _ in $(seq 100); do curl -s -o /dev/null "$url/f/" && break; sleep 0.1; done

cat > httpx.sh <<'SH'
/usr/bin/python3 -c 'import httpx, sys; body = httpx.get(sys.argv[1] + "/f/a.bin").content; open("a.bin", "wb").write(body)' "$1"
SH
cat > webdavclient.sh <<'SH'
/usr/bin/python3 -c 'import sys
from webdav3.client import Client
Client({"webdav_hostname": sys.argv[1]}).download_sync("/f/a.bin", "a.bin")' "$1"
SH
cat > easywebdav.sh <<'SH'
/usr/bin/python3 -c 'import easywebdav, sys
easywebdav.connect("127.0.0.1", port=sys.argv[1].split(":")[-1]).download("/f/a.bin", "a.bin")' "$1"
SH
cat > perl.sh <<'SH'
perl -MHTTP::DAV -e 'my $dav = HTTP::DAV->new(); $dav->open(-url => "$ARGV[0]/f/") or exit 2;
exit($dav->get(-url => "$ARGV[0]/f/a.bin", -to => "a.bin") ? 0 : 1)' "$1"
SH
cat > gio.sh <<'SH'
export XDG_RUNTIME_DIR=$(dirname "$PWD")/runtime
dbus-run-session -- sh -c 'gio mount "$1/f" && gio "$2" "$1/f/a.bin" a.bin' sh "dav${1#http}" "$2"
SH
size() {
  [ -e "$1" ] || { echo nothing; return; }
  bytes=$(wc -c < "$1")
  if [ "$bytes" = 1000000 ]; then echo all; elif [ "$bytes" -gt 200000 ] && [ "$bytes" -le 300000 ]; then echo 'a part'; else echo "$bytes"; fi
}
# Downloads by a command, and sets what is seen: exit status, on disk, on the server.
download() {
  rm -rf out
  mkdir out
  head -c 1000000 /dev/zero > root/f/a.bin
  touch armed
  [ "${#as[@]}" = 0 ] || chown 65534:65534 root/f/a.bin
  exit=0
  (cd out && env -u DISPLAY HOME="$work/home" timeout 60 "$@") > log.client 2>&1 || exit=$?
  seen="$exit; $(size out/a.bin); $(size root/f/a.bin)"
}
check() {
  printf '  %-16s %s\n' "$1" "$seen"
  [ ! -e armed ] && [ "$seen" = "$2" ] || { echo "CHANGED, expected: $2"; cat log.client; exit 1; }
}
try() {
  download "${@:3}"
  check "$1" "$2"
}
# gio is asked up to 20 times, as some of its runs have an error.
often() {
  for _ in $(seq 20); do
    download "${@:3}"
    [ "$seen" = "$2" ] && break
    [ "$seen" = '1; a part; all' ] || break
  done
  check "$1" "$2"
}
try curl '18; a part; all' curl -s -O "$url/f/a.bin"
try httpx '1; nothing; all' bash ../httpx.sh "$url"
try wget '0; all; all' wget -q "$url/f/a.bin"
try rclone '0; all; all' rclone copy --webdav-url "$url" :webdav:f/a.bin .
try wget2 '0; a part; all' wget2 -q "$url/f/a.bin"
try webdavclient3 '0; a part; all' bash ../webdavclient.sh "$url"
try easywebdav '0; a part; all' bash ../easywebdav.sh "$url"
try HTTP::DAV '0; a part; all' bash ../perl.sh "$url"
often 'gio copy' '0; a part; all' bash ../gio.sh "$url" copy
often 'gio move' '0; a part; nothing' bash ../gio.sh "$url" move
