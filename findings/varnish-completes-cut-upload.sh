#!/usr/bin/env bash
# Varnish 7.1.1 (Debian varnish 7.1.1-2+deb12u1): an upload without a length that breaks off is ended properly at the server behind it. Half
# of the new file replaces the whole old one.
#
# Apache's mod_dav holds `report.txt`, and is asked directly and through Varnish with its built-in VCL. An uploader sends 600,000 bytes of
# a new version, and is killed before the rest, as by a crash or a lost network.
#
# Good sense says: the server sees an upload that breaks off, and keeps the old file, as it does without Varnish. A message in chunks is
# incomplete without its last chunk (RFC 9112, section 8), and who forwards it must not make a complete one of it.
# Guess of its author, written down before the first run: no proxy does. It holds for nginx, HAProxy, squid, tinyproxy, nghttpx, Caddy,
# lighttpd, h2o and http-proxy (npm).
#
# Seen, what the server has after the death of the uploader:
#
#                                             directly     through Varnish
#   PUT with Content-Length                   old file     old file
#   PUT in chunks (curl -T - from a pipe)     old file     the first 600,000 bytes, with a new ETag
#   PUT over HTTP/2 without Content-Length                 the same
#   PUT in chunks of a new name               404          201 in the server's log, the first 600,000 bytes
#
# For a client: an upload whose length is not known is not safe behind Varnish. Give the length, or upload to another name and MOVE that
# at the end. Afterwards, only the size that PROPFIND has tells.
#
# Source: not read. The bytes to the server are the chunks so far and a last chunk, and then the connection is closed.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
VARNISH=7.1.1-2+deb12u1

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
[ "$(dpkg-query -W -f '${Version} ' apache2-bin varnish 2>/dev/null || true)" = "$APACHE $VARNISH " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "varnish=$VARNISH"
work=$(mktemp -d)
chmod 755 "$work"
started=()
stop() {
  for process in "${started[@]}"; do kill "$process" 2> /dev/null || true; wait "$process" || true; done
  started=()
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
mkdir root state varnish
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 root state varnish
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
PidFile $work/state/pid
ErrorLog $work/state/log
CustomLog $work/state/access "%m %U %>s"
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
printf 'vcl 4.0;\nbackend default { .host = "127.0.0.1"; .port = "%s"; }\n' "$port" > default.vcl
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
started+=($!)
HOME=$work "${as[@]}" varnishd -F -a "127.0.0.1:$proxy" -f "$work/default.vcl" -n "$work/varnish" -j none -s malloc,8m -p feature=+http2 > log 2>&1 &
started+=($!)
for open in "$port" "$proxy"; do
  for _ in $(seq 100); do (: < "/dev/tcp/127.0.0.1/$open") 2> /dev/null && break; sleep 0.1; done
done

check() {
  printf '  %-38s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
python3 -c 'print("old line" * 100000)' > old
python3 -c 'print("new line" * 75000, end="")' > half
# What the server has: the old file, the first part of the new one, or nothing.
state() {
  if [ ! -e "root/$1" ]; then echo none
  elif cmp -s "root/$1" old; then echo old
  elif cmp -s "root/$1" half; then echo half
  else echo other
  fi
}
# Apache's ETags are weak within a second of a change.
etag() { curl -s -I "http://127.0.0.1:$port/$1" | sed -n 's,^ETag: \(W/\)*,,p'; }
# Begins an upload, and kills the uploader. Arguments: port, name, options of curl.
cut_upload() {
  [ "$2" = new.txt ] || curl -s -o answer -T old "http://127.0.0.1:$port/$2"
  before=$(etag "$2")
  mkfifo pipe
  curl -s -o answer -T - "${@:3}" "http://127.0.0.1:$1/$2" < pipe > log &
  uploader=$!
  exec 3> pipe
  cat half >&3
  sleep 1
  kill -9 "$uploader"
  wait "$uploader" 2> /dev/null || true
  exec 3>&-
  rm pipe
  sleep 2
  after=$(etag "$2")
  printf '%s, %s\n' "$(state "$2")" "$([ "$before" = "$after" ] && echo 'ETag as before' || echo 'new ETag')"
}
length=(-H 'Content-Length: 800000' -H 'Transfer-Encoding:')
check 'directly, Content-Length' "$(cut_upload "$port" report.txt "${length[@]}")" 'old, ETag as before'
check 'directly, chunks' "$(cut_upload "$port" report.txt)" 'old, ETag as before'
check 'directly, chunks, new name' "$(cut_upload "$port" new.txt)" 'none, ETag as before'
check 'Varnish, Content-Length' "$(cut_upload "$proxy" report.txt "${length[@]}")" 'old, ETag as before'
check 'Varnish, chunks' "$(cut_upload "$proxy" report.txt)" 'half, new ETag'
check 'Varnish, HTTP/2' "$(cut_upload "$proxy" report.txt --http2-prior-knowledge)" 'half, new ETag'
check 'Varnish, chunks, new name' "$(cut_upload "$proxy" new.txt)" 'half, new ETag'
check 'log of the server' "$(tail -n 2 state/access | head -n 1)" 'PUT /new.txt 201'
