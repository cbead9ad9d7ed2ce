#!/usr/bin/env bash
# nginx 1.22.1 (Debian 1.22.1-9+deb12u11): a COPY of a collection with members that it cannot read is 201, and leaves them out. An
# older copy of them is deleted first.
#
# `src/` has `1.txt`, `closed.txt` and `closed/3.txt`. It was copied to `backup/`. Then the server's account lost its right to read
# the last two, as after another user restored them.
#
# Good sense says: a 207 names them (RFC 4918, section 9.8.5), or the COPY fails as a whole. COPY of `closed.txt` alone is 500.
# Guess of its author, who had heard of the missing file and read the source by then, written down before the first run: the COPY is
# 201, and the copy has `1.txt` and an empty `closed/`. The second COPY to `backup/` is 201 as well, and `backup/closed.txt` is gone.
#
# Seen: the guess holds. The error is in the log of the server alone.
#
#   COPY src/ to backup/, all readable    201; 1.txt, closed.txt, closed/3.txt
#   COPY closed.txt                       500
#   COPY src/ to copy/                    201; 1.txt, and closed/ without members
#   COPY src/ to backup/, Overwrite T     201; 1.txt, and closed/ without members: the older copies are gone
#
# For a client: a 201 to a COPY of a collection does not prove a whole copy. Compare both listings before a backup replaces another
# one, or before the source is deleted. Copy to a new name, as Overwrite T deletes the old copy before the new one exists.
#
# Source: ngx_http_dav_copy_tree_file of ngx_http_dav_module.c does not look at the result of ngx_copy_file. ngx_walk_tree goes on
# after a directory that it could not open.
set -euo pipefail
VERSION=1.22.1-9+deb12u11
LIBRARIES=(libpcre2-8-0 libssl3)

{ command -v curl && command -v python3 && dpkg-query -W "${LIBRARIES[@]}"; } >/dev/null 2>&1 ||
  apt-get install -y --no-install-recommends curl python3-minimal "${LIBRARIES[@]}"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
cd "$work"
apt-get download "nginx=$VERSION"
dpkg -x nginx_*.deb .
mkdir -p state root/src/closed
for name in 1.txt closed.txt closed/3.txt; do echo "$name" > "root/src/$name"; done
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown -R 65534:65534 root state
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > nginx.conf <<CONF
daemon off;
pid $work/state/pid;
events {
  worker_connections 64;
}
http {
  access_log off;
  client_body_temp_path $work/state/body;
  proxy_temp_path $work/state/proxy;
  fastcgi_temp_path $work/state/fastcgi;
  uwsgi_temp_path $work/state/uwsgi;
  scgi_temp_path $work/state/scgi;
  server {
    listen 127.0.0.1:$port;
    root $work/root;
    dav_methods PUT DELETE MKCOL COPY MOVE;
  }
}
CONF
"${as[@]}" ./usr/sbin/nginx -e state/log -p "$work" -c nginx.conf 2> log &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o /dev/null "$url/" && break; sleep 0.1; done

check() {
  printf '  %-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
copy() { curl -s -o /dev/null -w '%{http_code}' -X COPY -H 'Overwrite: T' -H "Destination: $url/$2" "$url/$1"; }
members() {
  chmod -R u+rwX "root/$1"
  find "root/$1" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' '
}

check 'COPY src/ to backup/, all readable' "$(copy src/ backup/)" 201
check 'backup/' "$(members backup)" '1.txt closed closed.txt closed/3.txt '
chmod 000 root/src/closed.txt root/src/closed
check 'COPY src/closed.txt' "$(copy src/closed.txt alone.txt)" 500
check 'COPY src/ to copy/' "$(copy src/ copy/)" 201
check 'copy/' "$(members copy)" '1.txt closed '
check 'COPY src/ to backup/, Overwrite T' "$(copy src/ backup/)" 201
check 'backup/' "$(members backup)" '1.txt closed '
