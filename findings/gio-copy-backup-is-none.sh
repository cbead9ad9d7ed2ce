#!/usr/bin/env bash
# gio of GLib 2.74.6 with gvfs 1.50.3 (Debian libglib2.0-bin 2.74.6-2+deb12u8, gvfs-backends 1.50.3-1+deb12u1): `gio copy --backup` and
# `gio move --backup` onto a WebDAV server replace the file, make no backup, and exit with 0.
#
# Apache's mod_dav holds `a.txt` and others. A user copies and moves files onto them with `--backup`, "Backup existing destination files".
#
# Good sense says: `a.txt~` has the old content afterwards, as with a local folder. A program that cannot do that fails and leaves the file.
# Guess of its author, written down after the first copy by hand had left no backup, before all others: no backup for a move and for a
# copy within the server either, and `y~` in a local folder.
#
# Seen:
#
#   copy --backup local onto local            0; backup
#   copy --backup local onto the server       0; no backup, the old content is gone
#   move --backup local onto the server       0; no backup, the old content is gone
#   copy --backup within the server           1, Backup file creation failed; nothing changed
#   move --backup within the server           1, Backup file creation failed; nothing changed
#   save --backup onto the server             2, Backup file creation failed; nothing changed
#
# For a client: nothing that says "backup" is one before the copy has been seen. COPY the old file to a new name on the server, look at its
# answer, and PUT then.
#
# Source: not read. The server gets one PUT.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
GIO=2.74.6-2+deb12u8
GVFS=1.50.3-1+deb12u1

command -v curl >/dev/null && command -v python3 >/dev/null && command -v dbus-run-session >/dev/null ||
  apt-get install -y --no-install-recommends curl python3-minimal dbus-daemon
[ "$(dpkg-query -W -f '${Version} ' apache2-bin gvfs-backends libglib2.0-bin 2>/dev/null || true)" = "$APACHE $GVFS $GIO " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "libglib2.0-bin=$GIO" "libglib2.0-0=$GIO" "gvfs-backends=$GVFS" "gvfs-daemons=$GVFS"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir root state local home
for name in a b c d e; do printf 'old %s' "$name" > "root/$name.txt"; done
printf 'old y' > local/y
for name in 1 2 3 4; do printf 'new %s' "$name" > "local/$name"; done
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
DocumentRoot $work/root
DavLockDB $work/state/locks
<Directory $work/root>
  Dav On
  Require all granted
</Directory>
CONF
"${as[@]}" apache2 -f "$work/apache.conf" -DFOREGROUND > log 2>&1 &
server=$!
for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/" && break; sleep 0.1; done
cat > session.sh <<'SESSION'
dav=$1
gio mount "$dav/" 2> errors || { cat errors; exit 1; }
# Runs a command, and prints its exit status, and if it says that the backup failed.
run() {
  status=0
  "$@" 2> errors || status=$?
  echo "$status$(grep -o 'Backup file creation failed' errors | sed 's/^/, /')"
}
run gio copy --backup local/1 local/y
run gio copy --backup local/2 "$dav/a.txt"
run gio move --backup local/3 "$dav/b.txt"
run gio copy --backup "$dav/a.txt" "$dav/c.txt"
run gio move --backup "$dav/a.txt" "$dav/d.txt"
run gio save --backup "$dav/e.txt" < local/4
SESSION
mkdir -m 700 runtime
env -u DISPLAY LC_ALL=C HOME="$work/home" XDG_RUNTIME_DIR="$work/runtime" dbus-run-session -- bash session.sh "dav://127.0.0.1:$port" > seen 2> log
mapfile -t seen < seen
check() {
  printf '  %-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
failed='Backup file creation failed'
check 'copy local onto local' "${seen[0]}; $(cat local/y), $(cat local/y~)" '0; new 1, old y'
check 'copy onto the server' "${seen[1]}; $(cat root/a.txt)" '0; new 2'
check 'move onto the server' "${seen[2]}; $(cat root/b.txt); $(ls local | paste -sd ' ')" '0; new 3; 1 2 4 y y~'
check 'copy within the server' "${seen[3]}; $(cat root/c.txt)" "1, $failed; old c"
check 'move within the server' "${seen[4]}; $(cat root/d.txt)" "1, $failed; old d"
check 'save' "${seen[5]}; $(cat root/e.txt)" "2, $failed; old e"
check 'on the server' "$(ls root | paste -sd ' ')" 'a.txt b.txt c.txt d.txt e.txt'
