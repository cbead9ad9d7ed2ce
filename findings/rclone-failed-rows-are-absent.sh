#!/usr/bin/env bash
# rclone 1.60.1 (Debian 1.60.1+dfsg-2+b5), WebDAV: a member whose row in a 207 has a failed status counts as absent. `rclone sync` deletes
# the local copy of it, and `rclone rmdir` deletes its collection with it. Both exit with 0 and say nothing.
#
# SabreDAV 1.8.12 (Debian php-sabre-dav 1.8.12-10) serves `f/` with three files and `g/` with one. Its access control lets the user
# list and change the collections. He may not read `f/closed.txt` and `g/closed.txt` any more. `rclone sync` keeps a local backup of
# `f/`.
#
# Good sense says: the row names the member, so it is there. A propstat with 403 says that its properties may not be read (RFC 4918,
# section 14.22), and one that is absent has no row. By rclone's manual, sync deletes no files after errors, and rmdir removes no path with
# objects in it.
# Guess of its author, who remembered that rclone skips such rows, written down before the first run as what an engineer expects: sync
# stops or warns, and deletes nothing. rmdir answers "directory not empty".
#
# Seen:
#
#   lsf f/              a.txt, c.txt; exit 0
#   sync of f/          exit 0, no message; the local closed.txt is deleted
#   rmdir g/            exit 0; g/closed.txt is deleted on the server
#   gio remove g/       exit 1, Directory not empty; all is there (gvfs 1.50.3, Debian gvfs-backends 1.50.3-1+deb12u1)
#
# For a client: a row with a failed status is a member of unknown kind. Report it, and delete nothing that rests upon that listing.
#
# Source: listAll of backend/webdav/webdav.go goes on with the next response if StatusOK is false, which looks at the first propstat. The
# check of rmdir counts what is left.
set -euo pipefail
export LC_ALL=C
declare -A VERSIONS=([rclone]=1.60.1+dfsg-2+b5 [php-sabre-dav]=1.8.12-10 [gvfs-backends]=1.50.3-1+deb12u1)

command -v curl >/dev/null && command -v python3 >/dev/null && command -v php >/dev/null && command -v gio >/dev/null && command -v dbus-run-session >/dev/null ||
  apt-get install -y --no-install-recommends curl python3-minimal php-cli libglib2.0-bin dbus-daemon
for package in "${!VERSIONS[@]}"; do
  [ "$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null || true)" = "${VERSIONS[$package]}" ] ||
    apt-get install -y --no-install-recommends "$package=${VERSIONS[$package]}"
done
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir -p root/f root/g local home
mkdir -m 700 runtime
for name in a c closed; do printf '%s' "$name" | tee "root/f/$name.txt" > "local/$name.txt"; done
printf closed > root/g/closed.txt
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > server.php <<'PHP'
<?php
date_default_timezone_set('UTC');
require '/usr/share/php/Sabre/autoload.php';
use Sabre\DAV\FS;

// A file that nobody may read.
class Closed extends FS\File implements Sabre\DAVACL\IACL {
    function getOwner() { return null; }
    function getGroup() { return null; }
    function getACL() { return []; }
    function setACL(array $acl) { throw new Sabre\DAV\Exception\Forbidden(); }
    function getSupportedPrivilegeSet() { return null; }
}
class Folder extends FS\Directory {
    function getChild($name) {
        $child = parent::getChild($name);
        if ($child instanceof FS\Directory) return new Folder($this->path . '/' . $name);
        return $name === 'closed.txt' ? new Closed($this->path . '/' . $name) : $child;
    }
}
$server = new Sabre\DAV\Server(new Folder(__DIR__ . '/root'));
$server->setBaseUri('/');
$server->addPlugin(new Sabre\DAVACL\Plugin());
$server->exec();
PHP
"${as[@]}" php -d display_errors=0 -S "127.0.0.1:$port" server.php > log 2>&1 &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o /dev/null "$url/" && break; sleep 0.1; done

check() {
  printf '  %-26s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
run() {
  exit=0
  env -u DISPLAY HOME="$work/home" XDG_RUNTIME_DIR="$work/runtime" "$@" > out 2>&1 || exit=$?
}
listing() { curl -s -X PROPFIND -H 'Depth: 1' "$url/$1/" | grep -o "<[a-z]*:href>/$1/closed.txt</[a-z]*:href><[a-z]*:propstat>.*" | grep -o 'HTTP/1.1 [0-9]*' | head -1; }
touch home/rclone.conf
rclone=(rclone --config "$work/home/rclone.conf" --webdav-url "$url")
check 'row of f/closed.txt' "$(listing f)" 'HTTP/1.1 403'
check 'row of g/closed.txt' "$(listing g)" 'HTTP/1.1 403'
run "${rclone[@]}" lsf :webdav:f
check 'lsf f/' "$exit, $(sort out | paste -sd ' ')" '0, a.txt c.txt'
run "${rclone[@]}" sync :webdav:f local
check 'sync, messages' "$exit, $(cat out)" '0, '
check '  local' "$(ls local | paste -sd ' ')" 'a.txt c.txt'
check '  on the server' "$(ls root/f | paste -sd ' ')" 'a.txt c.txt closed.txt'
run dbus-run-session -- sh -c 'gio mount "$1/" && gio remove "$1/g"' sh "dav://127.0.0.1:$port"
check 'gio remove g/' "$exit, $(grep -o 'Directory not empty' out); $(ls root/g)" '1, Directory not empty; closed.txt'
run "${rclone[@]}" rmdir :webdav:g
check 'rmdir g/, messages' "$exit, $(cat out)" '0, '
check '  on the server' "$(ls root | paste -sd ' ')" 'f'
