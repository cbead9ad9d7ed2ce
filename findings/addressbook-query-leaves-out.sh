#!/usr/bin/env bash
# Cyrus 3.6.1 (Debian cyrus-caldav 3.6.1-4+deb12u5), Radicale 3.1.8 (Debian 3.1.8-2) and xandikos 0.2.8 (Debian 0.2.8-1): an
# addressbook-query leaves out cards, or is 500.
#
# An address book has the cards of Anna Example and Jürgen Öttinger, who has two mail addresses. A user searches.
#
# Good sense says: the default collation, i;unicode-casemap, finds `Öttinger` by `öttinger` (RFC 6352, section 10.5.4). Of two
# text-matches in a prop-filter, one is enough, as the default of `test` is anyof (section 10.5.1). A server that names the report
# in its supported-report-set has it.
# Guess of its author, written down before the first run: all three servers are right, with an error at umlauts at most on Radicale
# and xandikos.
#
# Seen: Cyrus names i;unicode-casemap in its supported-collation-set.
#
#                                                     Cyrus      Radicale   xandikos
#   FN contains EXAMPLE                               found      found      500
#   FN contains Öttinger                              found      found      500
#   FN contains öttinger                              left out   found      500
#   FN contains JÜRGEN                                left out   found      500
#   EMAIL contains `nobody@` or `j@`                  found      left out   500
#
# For a client: a search by the server is a first choice at best. Nothing found proves nothing. Search in the data of all cards.
#
# Source: Cyrus not read. prop_match of radicale/item/filter.py does not look at the `test` of a prop-filter: all its parts have to
# match. The filter of xandikos/carddav.py asks each file for an attribute `addressbook`, and files of vcard.py have none.
set -euo pipefail
CYRUS=3.6.1-4+deb12u5
RADICALE=3.1.8-2
XANDIKOS=0.2.8-1
MASTER=/usr/lib/cyrus/bin/master

[ "$(dpkg-query -W -f '${Version}' cyrus-caldav 2>/dev/null || true)" = "$CYRUS" ] && command -v saslpasswd2 >/dev/null ||
  apt-get install -y --no-install-recommends "cyrus-caldav=$CYRUS" "cyrus-imapd=$CYRUS" sasl2-bin libsasl2-modules curl python3-minimal
[ "$(dpkg-query -W -f '${Version} ' radicale xandikos 2>/dev/null || true)" = "$RADICALE $XANDIKOS " ] ||
  apt-get install -y --no-install-recommends "radicale=$RADICALE" "xandikos=$XANDIKOS"
work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
cd "$work"
mkdir collections data conf spool lock proc socket user sieve
as=()
user=$(id -un)
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  user=nobody
  chown -R 65534:65534 .
fi
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
altnamespace: no
unixhierarchysep: no
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $work/sasldb2
sasl_mech_list: PLAIN
httpmodules: carddav
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
cat > radicale.conf <<CONF
[server]
hosts = 127.0.0.1:$port
[auth]
type = none
[rights]
type = from_file
file = $work/rights
[storage]
filesystem_folder = $work/collections
[web]
type = none
CONF
printf '[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n' > rights

start() {
  HOME=$work XDG_CONFIG_HOME=$work "${as[@]}" "$@" > log 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -s -o /dev/null "http://127.0.0.1:$port/" && return; sleep 0.2; done
}
check() {
  printf '  %-34s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
request() { curl -s -u alice:secret -w '%{http_code}' "$@"; }
# Arguments: name, lines.
put() {
  check "PUT $1" "$(printf '%s\r\n' BEGIN:VCARD VERSION:3.0 "UID:$1" "${@:2}" END:VCARD |
    request -o answer -X PUT --data-binary @- -H 'Content-Type: text/vcard; charset=utf-8' "$book/$1.vcf")" 201
}
# Prints the names and the status of an answer. Arguments: property, texts.
found() {
  matches=$(printf '<C:text-match>%s</C:text-match>' "${@:2}")
  request -X REPORT -H 'Depth: 1' -H 'Content-Type: application/xml; charset=utf-8' --data "<C:addressbook-query xmlns:C='urn:ietf:params:xml:ns:carddav' xmlns='DAV:'>
    <prop><getetag/></prop>
    <C:filter><C:prop-filter name='$1'>$matches</C:prop-filter></C:filter>
  </C:addressbook-query>" "$book/" | grep -oE '[a-z]+\.vcf|[0-9]{3}$' | sort | tr '\n' ' '
}
# Arguments: server, answers to the searches.
run() {
  check "$1: MKCOL" "$(request -o answer -X MKCOL -H 'Content-Type: application/xml' --data '<mkcol xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><set><prop><resourcetype><collection/><C:addressbook/></resourcetype></prop></set></mkcol>' "$book/")" 201
  put anna 'FN:Anna Example' 'N:Example;Anna;;;'
  put juergen 'FN:Jürgen Öttinger' 'N:Öttinger;Jürgen;;;' EMAIL:j@example.org EMAIL:oe@example.org
  check "$1: FN EXAMPLE" "$(found FN EXAMPLE)" "$2"
  check "$1: FN Öttinger" "$(found FN Öttinger)" "$3"
  check "$1: FN öttinger" "$(found FN öttinger)" "$4"
  check "$1: FN JÜRGEN" "$(found FN JÜRGEN)" "$5"
  check "$1: EMAIL nobody@ or j@" "$(found EMAIL nobody@ j@)" "$6"
}

# Cyrus ends its whole process group, so it gets its own.
start setsid "$MASTER" -C "$work/imapd.conf" -M "$work/cyrus.conf" -p "$work/master.pid" -D
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

book=http://127.0.0.1:$port/dav/addressbooks/user/alice/friends
check 'Cyrus: collations' "$(request -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' --data '<propfind xmlns="DAV:"><prop><C:supported-collation-set xmlns:C="urn:ietf:params:xml:ns:carddav"/></prop></propfind>' "${book%/*}/Default/" | grep -o 'i;unicode-casemap')" 'i;unicode-casemap'
run Cyrus '207 anna.vcf ' '207 juergen.vcf ' '207 ' '207 ' '207 juergen.vcf '
stop
book=http://127.0.0.1:$port/alice/friends
start radicale -C radicale.conf
run Radicale '207 anna.vcf ' '207 juergen.vcf ' '207 juergen.vcf ' '207 juergen.vcf ' '207 '
stop
book=http://127.0.0.1:$port/alice/contacts/friends
start xandikos --defaults --current-user-principal=/alice/ -d "$work/data" -l 127.0.0.1 -p "$port"
check 'xandikos: supported-report-set' "$(request -X PROPFIND -H 'Depth: 0' -H 'Content-Type: application/xml' --data '<propfind xmlns="DAV:"><prop><supported-report-set/></prop></propfind>' "${book%/*}/addressbook/" | grep -o 'addressbook-query')" addressbook-query
run xandikos '500 ' '500 ' '500 ' '500 ' '500 '
