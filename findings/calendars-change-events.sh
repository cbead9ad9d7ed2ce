#!/usr/bin/env bash
# Cyrus 3.6.1 (Debian cyrus-caldav 3.6.1-4+deb12u5), Radicale 3.1.8 (Debian 3.1.8-2) and xandikos 0.2.8 (Debian 0.2.8-1): a PUT of an event
# is 201 with a strong ETag, and what is stored has lost a part of it. Radicale cuts Apple's and Outlook's properties at a comma.
#
# Seven events have one line each beside the usual ones: a location as Apple's calendar writes it, a description in HTML as Outlook does,
# a property of RFC 9073, a category with a comma in its name, and three more.
#
# Good sense says: the bytes as they were sent, or no strong ETag in the answer to the PUT: "the response from the server MUST NOT
# include" one otherwise (RFC 4791, section 5.3.4). Servers "MUST support" properties that they do not know (section 5.3.3). Names are not
# case-sensitive (RFC 5545, section 3.1).
# Guess of its author, written down before the first run: the ETag is there only if a GET gives the same bytes, on each server.
# DAViCal 1.1.12 keeps all of these lines.
#
# Seen: each 201 has a strong ETag, which is the one of the GET too. What the GET has of the line:
#
#                                       Cyrus              Radicale       xandikos
#   X-APPLE-…LOCATION:geo:41.9,12.5     kept               geo:41.9       geo:41.9\,12.5
#   X-ALT-DESC:<p>First, second; …      kept               <p>First       <p>First\, second\; …
#   STYLED-DESCRIPTION:bold             lost               kept           kept
#   CATEGORIES:Rome\, Italy             Rome and Italy     kept           Rome, Italy, which is two
#   x-lower:1                           lost               X-LOWER:1      X-LOWER:1
#   X-EMPTY:                            the event is 403   kept           kept
#   LOCATION:                           lost               kept           kept
#
# For a client: the ETag of a PUT is no proof that the server has these bytes. A mirror that keeps it with the local copy never looks
# again, and its next change writes over the rest, or lets other devices read the cut value. GET after PUT, and compare.
#
# Source: the TextBehavior of vobject 0.9.6.1, which Radicale stores by, decodes an unknown value as a list of texts and keeps
# `stringToTextValues(line.value)[0]`. icalendar 4.0.3 of xandikos writes unknown values as TEXT. Cyrus not read; its answers fit an
# iCalendar library that drops names that it does not know.
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
  printf '  %-32s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
request() { curl -s -u alice:secret "$@"; }
etag() { tr -d '\r' < head | sed -n 's/^[Ee][Tt]ag: //p'; }
# Stores an event with one more line, and prints what became of the line. Arguments: name, line.
store() {
  printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20260101T000000Z \
    DTSTART:20260102T100000Z DTEND:20260102T110000Z SUMMARY:x "$2" END:VEVENT END:VCALENDAR > event
  status=$(request -o answer -D head -w '%{http_code}' -X PUT --data-binary @event -H 'Content-Type: text/calendar; charset=utf-8' "$calendar/$1.ics")
  [ "$status" = 201 ] || { echo "$status"; return; }
  promised=$(etag)
  case $promised in '"'*) ;; *) echo 'no strong ETag'; return ;; esac
  request -o stored -D head "$calendar/$1.ics"
  [ "$(etag)" = "$promised" ] || { echo 'another ETag'; return; }
  # Lines that are neither of the rest of the event nor of the server. Long lines are unfolded.
  python3 - <<'PYTHON'
kept = open('stored', newline='').read().replace('\r\n ', '').split('\r\n')
sent = open('event', newline='').read().split('\r\n')
line = sent[9]
others = [l for l in kept if l not in sent]
print('kept' if line in kept else ' and '.join(others) if others else 'lost')
PYTHON
}
# Arguments: server, what became of each line.
run() {
  check "$1: MKCALENDAR" "$(request -o answer -w '%{http_code}' -X MKCALENDAR "$calendar/")" 201
  check "$1: Apple's location" "$(store apple 'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Rome:geo:41.9,12.5')" "$2"
  check "$1: Outlook's description" "$(store outlook 'X-ALT-DESC;FMTTYPE=text/html:<p>First, second; third</p>')" "$3"
  check "$1: STYLED-DESCRIPTION" "$(store styled 'STYLED-DESCRIPTION;VALUE=TEXT:bold')" "$4"
  check "$1: categories" "$(store categories 'CATEGORIES:Rome\, Italy')" "$5"
  check "$1: a name in lower case" "$(store lower x-lower:1)" "$6"
  check "$1: an empty X- property" "$(store empty X-EMPTY:)" "$7"
  check "$1: an empty LOCATION" "$(store location LOCATION:)" "$8"
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

calendar=http://127.0.0.1:$port/dav/calendars/user/alice/c
run Cyrus kept kept lost 'CATEGORIES:Rome and CATEGORIES:Italy' lost 403 lost
stop
start radicale -C radicale.conf
calendar=http://127.0.0.1:$port/alice/c
request -o answer -X MKCOL "http://127.0.0.1:$port/alice/"
run Radicale 'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Rome:geo:41.9' \
  'X-ALT-DESC;FMTTYPE=text/html:<p>First' kept kept X-LOWER:1 kept kept
stop
calendar=http://127.0.0.1:$port/alice/calendars/c
start xandikos --defaults --current-user-principal=/alice/ -d "$work/data" -l 127.0.0.1 -p "$port"
run xandikos 'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Rome:geo:41.9\,12.5' \
  'X-ALT-DESC;FMTTYPE=text/html:<p>First\, second\; third</p>' kept 'CATEGORIES:Rome, Italy' X-LOWER:1 kept kept
stop
