#!/usr/bin/env bash
# lftp 4.9.2 and easywebdav 1.2.0 (Debian lftp 4.9.2-2+b1, python3-easywebdav 1.2.0-10): `rmdir` of a folder on a WebDAV server deletes all that
# is in it, without a question, and is a success.
#
# Apache's mod_dav holds `full/` with `a.txt` and `sub/b.txt`. A script tidies up by `rmdir`, as scripts do with folders that they take for
# empty.
#
# Good sense says: rmdir removes empty folders, as rmdir(1) does. lftp has `rm -r` for the others.
# DELETE of a collection takes all members (RFC 4918, section 9.6.1), so a client has to look first.
# Guess of its author, written down before the first run: an error, as the folder is not empty.
#
# Seen:
#
#   rclone rmdir (1.60.1, Debian 1.60.1+dfsg-2+b5)   exit 1, directory not empty
#   lftp rmdir                                       exit 0, all is deleted
#   easywebdav rmdir                                 no exception, all is deleted
#
# For a client: a name like rmdir promises something that WebDAV does not have. List the collection first, with Depth 1, and even so another
# user may fill it in between.
#
# Source: easywebdav's rmdir is a DELETE. lftp was not read.
set -euo pipefail
export LC_ALL=C
declare -A VERSIONS=([apache2-bin]=2.4.71-1~deb12u1 [lftp]=4.9.2-2+b1 [python3-easywebdav]=1.2.0-10 [rclone]=1.60.1+dfsg-2+b5)

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
server=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
started+=($!)
url=http://127.0.0.1:$server
for _ in $(seq 100); do curl -s -o /dev/null "$url/f/" && break; sleep 0.1; done

# Makes the folder, runs a command, and prints its exit status and if the folder is there. Arguments: name, expected, command.
check() {
  mkdir -p root/f/full/sub
  printf a > root/f/full/a.txt
  printf b > root/f/full/sub/b.txt
  [ "${#as[@]}" = 0 ] || chown -R 65534:65534 root
  exit=0
  HOME=$work/home timeout 60 "${@:3}" > log.client 2>&1 || exit=$?
  seen="$exit, $(find root/f -mindepth 1 -printf '%P\n' | sort | paste -sd ' ')"
  printf '  %-18s %s\n' "$1" "$seen"
  [ "$seen" = "$2" ] || { echo "CHANGED, expected: $2"; cat log.client; exit 1; }
}
all='full full/a.txt full/sub full/sub/b.txt'
touch home/rclone.conf
check 'rclone rmdir' "1, $all" rclone rmdir --config "$work/home/rclone.conf" --retries 1 --webdav-url "$url" :webdav:f/full
check 'lftp rmdir' '0, ' lftp -c "rmdir $url/f/full"
check 'easywebdav rmdir' '0, ' /usr/bin/python3 -c 'import easywebdav, sys
easywebdav.connect("127.0.0.1", port=sys.argv[1]).rmdir("f/full")' "$server"
