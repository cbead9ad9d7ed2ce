#!/usr/bin/env bash
# Git 2.39.5 (Debian git 1:2.39.5-0+deb12u3), push over WebDAV to Apache's mod_dav (apache2-bin 2.4.71-1~deb12u1): `git push --atomic` is
# not atomic. One branch is pushed, and the other one is refused.
#
# A bare repository lies on a WebDAV server. Two branches that belong together are pushed by `--atomic`, while another program holds a lock
# on the name of the second one.
#
# Good sense says, with the manual of git push: "Either all refs are updated, or on error, no refs are updated. If the server does not
# support atomic pushes the push will fail."
# Guess of its author, written down before the first run: both or none, or a refusal before anything is sent.
#
# Seen:
#
#   push --atomic release v1, v1 locked               release is on the server, v1 is not; exit 1
#   the same to a path, a hook refuses v1             neither is there; exit 1
#
# For a client: over DAV, the exit status 1 does not mean that nothing was changed. Push the ref that the others depend on first, in a push
# of its own.
#
# Source: not read. `git http-push`, which pushes over DAV, has no option for it, and locks and updates one ref after the other.
set -euo pipefail
APACHE=2.4.71-1~deb12u1
GIT=1:2.39.5-0+deb12u3

command -v curl >/dev/null && command -v python3 >/dev/null || apt-get install -y --no-install-recommends curl python3-minimal
[ "$(dpkg-query -W -f '${Version} ' apache2-bin git 2>/dev/null || true)" = "$APACHE $GIT " ] ||
  apt-get install -y --no-install-recommends "apache2-bin=$APACHE" "git=$GIT"
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir root state home
export HOME=$work/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.com
git config --global init.defaultBranch main
git config --global --add safe.directory '*'
git init -q --bare root/dav.git
git -C root/dav.git update-server-info
git init -q --bare path.git
printf '#!/bin/sh\n[ "$1" != refs/heads/v1 ]\n' > path.git/hooks/update
chmod +x path.git/hooks/update
git init -q local
git -C local commit -q --allow-empty -m one
git -C local branch release
git -C local branch v1
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
url=http://127.0.0.1:$port/dav.git
for _ in $(seq 100); do curl -s -o /dev/null "$url/HEAD" && break; sleep 0.1; done

check() {
  printf '  %-28s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
# Pushes, and prints the exit status and the branches of the bare repository. Arguments: repository, options and refs.
push() {
  exit=0
  git -C local push -q "${@:2}" > out 2>&1 || exit=$?
  printf 'exit %s: %s\n' "$exit" "$(git -C "$1" for-each-ref --format='%(refname:short)' | paste -sd ' ')"
}
check 'push main' "$(push root/dav.git "$url" main)" 'exit 0: main'
lock='<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>other</owner></lockinfo>'
check 'LOCK refs/heads/v1' "$(curl -s -o answer -w '%{http_code}' -X LOCK -H 'Content-Type: application/xml' --data "$lock" "$url/refs/heads/v1")" 200
check 'push --atomic release v1' "$(push root/dav.git --atomic "$url" release v1)" 'exit 1: main release'
check 'the same to a path' "$(push path.git --atomic "$work/path.git" release v1)" 'exit 1: '
