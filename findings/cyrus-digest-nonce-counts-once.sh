#!/usr/bin/env bash
# Cyrus 3.6.1 (Debian cyrus-caldav 3.6.1-4+deb12u5): a Digest nonce counts for one request, on the connection of its challenge. After
# that request, one without credentials gets a challenge without a nonce, and any Digest after that a 500.
#
# A client with the right name and password authenticates a PROPFIND. Then it goes on in four ways.
#
# Good sense says: the nonce goes on with the next count (RFC 7616, section 3.4.5), on any connection (HTTP has no state), or the 401
# says stale=true. A challenge has a nonce (section 3.3: "must").
# Guess of its author, noted before the run: he knew that a nonce is refused on another connection, and that the challenge after a
# success is the name of the scheme. He guessed that the known nonce is the answer to it.
#
# Seen, each after a success on the first connection:
#
#   the nonce, count 2, on the same connection              401 with a nonce, without stale
#   the nonce, count 2, on another connection               401 with a nonce, without stale
#   no credentials, then the nonce, count 2                 401 "Digest" and nothing else, then 500
#   no credentials twice, then the nonce of the second      401 "Digest", 401 with a nonce, 207
#
# For a client: nonces of requests beside each other are all refused, because the second attempts of a pool go on any connection. A
# 401 without stale is then no wrong password. And a 500 to a good request may be the answer to its credentials.
#
# Source: not read. The answers fit a SASL context for each connection that has ended and was not begun again.
set -euo pipefail
VERSION=3.6.1-4+deb12u5
MASTER=/usr/lib/cyrus/bin/master

[ "$(dpkg-query -W -f '${Version}' cyrus-caldav 2>/dev/null || true)" = "$VERSION" ] && command -v saslpasswd2 >/dev/null ||
  apt-get install -y --no-install-recommends "cyrus-caldav=$VERSION" "cyrus-imapd=$VERSION" sasl2-bin libsasl2-modules python3-minimal
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
as=()
user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  user=nobody
fi
mkdir conf spool lock proc socket user sieve
[ "$(id -u)" != 0 ] || chown -R 65534:65534 .
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > imapd.conf <<CONF
cyrus_user: $user
cyrus_group: nogroup
configdirectory: $work/conf
proc_path: $work/proc
mboxname_lockpath: $work/lock
defaultpartition: default
partition-default: $work/spool
allowplaintext: yes
http_allowplaintext: no
altnamespace: no
unixhierarchysep: no
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $work/sasldb2
sasl_mech_list: DIGEST-MD5 PLAIN
httpmodules: caldav
servername: 127.0.0.1
lmtpsocket: $work/socket/lmtp
idlesocket: $work/socket/idle
notifysocket: $work/socket/notify
sievedir: $work/sieve
virtdomains: off
CONF
cat > cyrus.conf <<CONF
START {
  recover cmd="/usr/sbin/cyrus ctl_cyrusdb -C $work/imapd.conf -r"
}
SERVICES {
  imap cmd="imapd -C $work/imapd.conf" listen="$work/socket/imap" prefork=1
  http cmd="httpd -C $work/imapd.conf" listen="127.0.0.1:$port" prefork=1 proto="tcp4"
}
CONF
for name in alice cyrus; do
  for realm in 127.0.0.1 "$(hostname)"; do
    printf secret | "${as[@]}" saslpasswd2 -p -c -f sasldb2 -u "$realm" "$name"
  done
done
# It ends its whole process group, so it gets its own.
"${as[@]}" setsid "$MASTER" -C "$work/imapd.conf" -M "$work/cyrus.conf" -p "$work/master.pid" -D > log 2>&1 &
server=$!
# Makes the mailbox of the user, without which there are no calendars.
python3 - <<'PYTHON'
import socket, time
for _ in range(100):
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect('socket/imap')
        s.sendall(b'a login cyrus secret\r\nb create user.alice\r\nc setacl user.alice alice lrswipkxtecdan\r\nd logout\r\n')
        answer = b''.join(iter(lambda: s.recv(4096), b''))
        if b'c OK' in answer:
            break
    except OSError:
        pass
    time.sleep(0.1)
else:
    raise SystemExit('no mailbox')
PYTHON

python3 - "$port" <<'PYTHON'
import hashlib, http.client, re, sys
port = int(sys.argv[1])
path = '/dav/calendars/user/alice/'
h = lambda text: hashlib.md5(text.encode()).hexdigest()

class Client:
    def __init__(self):
        self.connection = http.client.HTTPConnection('127.0.0.1', port)

    def ask(self, challenge=None, count=1):
        headers = {'Depth': '0'}
        if challenge is not None:
            realm, nonce = challenge
            cnonce = '0123456789abcdef0123456789abcdef'
            secret = h(f'{h(f"alice:{realm}:secret")}:{nonce}:{cnonce}')
            response = h(f'{secret}:{nonce}:{count:08x}:{cnonce}:auth:{h("PROPFIND:" + path)}')
            headers['Authorization'] = (f'Digest username="alice", realm="{realm}", nonce="{nonce}", uri="{path}", response="{response}", '
                                        f'algorithm=md5-sess, qop=auth, nc={count:08x}, cnonce="{cnonce}"')
        self.connection.request('PROPFIND', path, headers=headers)
        answer = self.connection.getresponse()
        answer.read()
        text = ', '.join(answer.headers.get_all('WWW-Authenticate') or [])
        fields = [re.search(name + '="([^"]*)"', text) for name in ('realm', 'nonce')]
        found = tuple(field.group(1) for field in fields) if all(fields) else None
        kind = '' if text == '' else ' with a nonce' if found else f' "{text}"'
        return f'{answer.status}{kind}{" stale" if "stale" in text.lower() else ""}', found

def authenticated():
    client = Client()
    _, challenge = client.ask()
    outcome, _ = client.ask(challenge)
    if outcome != '207':
        raise SystemExit(f'no success: {outcome}')
    return client, challenge

def same():
    client, challenge = authenticated()
    return [client.ask(challenge, 2)[0]]

def other():
    _, challenge = authenticated()
    return [Client().ask(challenge, 2)[0]]

def bare():
    client, challenge = authenticated()
    return [client.ask()[0], client.ask(challenge, 2)[0]]

def twice():
    client, _ = authenticated()
    first, _ = client.ask()
    second, challenge = client.ask()
    return [first, second, client.ask(challenge)[0]]

expected = {
    same: ['401 with a nonce'],
    other: ['401 with a nonce'],
    bare: ['401 "Digest"', '500'],
    twice: ['401 "Digest"', '401 with a nonce', '207'],
}
for way, outcomes in expected.items():
    seen = way()
    print(f'  {way.__name__:6} {" | ".join(seen)}')
    if seen != outcomes:
        raise SystemExit(f'CHANGED, expected: {" | ".join(outcomes)}')
PYTHON
