#!/usr/bin/env bash
# Apache 2.4.71 (Debian 2.4.71-1~deb12u1), SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10) and lighttpd 1.4.69 (Debian 1.4.69-1): an If
# header about the ETag of another resource. Apache and SabreDAV do the request although it is false, lighttpd refuses it although it
# is true.
#
# A program writes `draft.txt` as long as `index.txt`, from which it was made, has the ETag that it has read. Later it copies
# `draft.txt` onto `index.txt` on the same condition.
#
# Good sense says: a list with a tag is about the resource of its tag, also if that is not the one of the request. If no list is true,
# the answer is 412 (RFC 4918, sections 10.4.2 and 10.4.4).
# Guess of its author, written down before the first run: 412 for a false condition on another resource. After that run he guessed that
# a true one is 2xx on lighttpd.
#
# Seen:
#
#                                                      Apache, SabreDAV   lighttpd
#   PUT draft, If: <index> (["wrong"])                 204                412
#   PUT draft, If: <index> ([ETag of index])           204                412
#   PUT draft, If: <index> ([ETag of draft])           204                204
#   DELETE draft, If: <index> (["wrong"])              204                412
#   PUT draft, If: <draft> (["wrong"])                 412                412
#   COPY draft to index, If: <index> (["wrong"])       412                412
#   COPY draft to index, If: <index> ([its ETag])      204                412
#
# For a client: only conditions on the resource of the request, and on Apache and SabreDAV on the destination, protect anything. On
# lighttpd a COPY or MOVE onto a file cannot be bound to the ETag of that file: it is 412 for ever, and 204 with the ETag of the
# source.
#
# Source: dav_validate_resource_state of mod_dav's util.c ignores an If header none of whose lists has the tag of the resource, and names
# section 9.4.2 of RFC 2518, which said so; RFC 4918 does not. validateLock of DAV/Locks/Plugin.php skips such a list. lighttpd not
# read here; its answers fit a check of all ETags against the resource of the request.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
LIGHTTPD=1.4.69-1
SABRE=1.8.12-10
LIBRARIES=(libnettle8 libpcre2-8-0 libsqlite3-0 libuuid1 libxml2 libxxhash0)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
[ "$(dpkg-query -W -f '${Version}' php-sabre-dav 2>/dev/null || true)" = "$SABRE" ] ||
  apt-get install -y --no-install-recommends "php-sabre-dav=$SABRE" php-cli
[ "$(dpkg-query -W -f '${Version}' apache2-bin 2>/dev/null || true)" = "$APACHE" ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE"
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
apt-get download "lighttpd=$LIGHTTPD" "lighttpd-mod-webdav=$LIGHTTPD"
for package in *.deb; do dpkg -x "$package" .; done
mkdir state root
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
cat > server.php <<PHP
<?php
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
use Sabre\\DAV;
\$server = new DAV\\Server(new DAV\\FSExt\\Directory('$work/root'));
\$server->setBaseUri('/');
\$server->addPlugin(new DAV\\Locks\\Plugin(new DAV\\Locks\\Backend\\File('$work/state/php-locks')));
\$server->exec();
PHP

modules=/usr/lib/apache2/modules
cat > apache.conf <<CONF
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
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

url=http://127.0.0.1:$port
start() {
  "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "$url/" && return; sleep 0.1; done
}

check() {
  printf '  %-52s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
etag() {
  curl -s -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' \
    --data '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' "$url/$1" | grep -oE 'getetag>[^<]*' | cut -d '>' -f 2 | sed 's/&quot;/"/g'
}
# Puts a draft on condition. Argument: If.
draft() { echo draft | status -T - -H "If: $1" "$url/draft.txt"; }
# Arguments: server, answers.
run() {
  for name in draft index; do check "$1: PUT $name.txt" "$(echo "the $name" | status -T - "$url/$name.txt")" 201; done
  # Apache's ETags are weak for the first two seconds.
  sleep 3
  index=$(etag index.txt)
  tag="<$url/index.txt>"
  check "$1: PUT, If: <index> (wrong)" "$(draft "$tag ([\"wrong\"])")" "$2"
  sleep 3
  check "$1: PUT, If: <index> (right)" "$(draft "$tag ([$index])")" "$3"
  sleep 3
  check "$1: PUT, If: <index> (that of the draft)" "$(draft "$tag ([$(etag draft.txt)])")" "$4"
  sleep 3
  check "$1: PUT, If: <draft> (wrong)" "$(draft "<$url/draft.txt> ([\"wrong\"])")" 412
  check "$1: PUT, If: <draft> (right)" "$(draft "<$url/draft.txt> ([$(etag draft.txt)])")" 204
  sleep 3
  onto=(-X COPY -H "Destination: $url/index.txt" -H 'Overwrite: T' "$url/draft.txt")
  check "$1: COPY to index, If: <index> (wrong)" "$(status -H "If: $tag ([\"wrong\"])" "${onto[@]}")" 412
  check "$1: COPY to index, If: <index> (right)" "$(status -H "If: $tag ([$index])" "${onto[@]}")" "$5"
  check "$1: DELETE draft, If: <index> (wrong)" "$(status -X DELETE -H "If: $tag ([\"wrong\"])" "$url/draft.txt")" "$2"
  status -X DELETE "$url/draft.txt" > log
  check "$1: DELETE index.txt" "$(status -X DELETE "$url/index.txt")" 204
}

start /usr/sbin/apache2 -f "$work/apache.conf" -DFOREGROUND
run Apache 204 204 204 204
stop
start php -d display_errors=0 -S "127.0.0.1:$port" server.php
run SabreDAV 204 204 204 204
stop
start ./usr/sbin/lighttpd -D -m usr/lib/lighttpd -f lighttpd.conf
run lighttpd 412 412 204 412
stop
