#!/usr/bin/env bash
# Cyrus 3.6.1 (Debian cyrus-caldav 3.6.1-4+deb12u5): a timed event without an end is refused. A day without one is stored, and a
# query for that day does not find it.
#
# A program copies a calendar: a reminder at noon, which has DTSTART alone, one with DURATION:PT0S, and a holiday with the date
# alone.
#
# Good sense says: three times 201. RFC 5545, section 3.6.1, lets an event end at its DTSTART, or with its day. The table of RFC
# 4791, section 9.9, has a row for each of the three, and by it a query for the day finds the holiday.
# Guess of its author, written down before the first query: Cyrus finds all that RFC 4791 asks for. He had none for the 403, and met
# it by chance in another test.
#
# Seen:
#
#   PUT, DTSTART at noon                          403 valid-calendar-data: DTEND must occur after DTSTART
#   PUT, the same with DURATION:PT0S              403, the same
#   PUT, the same with DURATION:PT1S              201
#   PUT, DTSTART;VALUE=DATE                       201
#   PUT, the same with DTEND on the next day      201
#   time-range of this day                        the last one only
#   time-range of an hour about its midnight      both dates
#
# For a client: a refused event of another server may be right, and goes with an end. The absence of an event from a query proves
# nothing: list the members, and choose by the data.
#
# Source: not read. The answers fit an index of times, in which a day without an end is the moment of its first midnight.
set -euo pipefail
VERSION=3.6.1-4+deb12u5
MASTER=/usr/lib/cyrus/bin/master

[ "$(dpkg-query -W -f '${Version}' cyrus-caldav 2>/dev/null || true)" = "$VERSION" ] && command -v saslpasswd2 >/dev/null ||
  apt-get install -y --no-install-recommends "cyrus-caldav=$VERSION" "cyrus-imapd=$VERSION" sasl2-bin libsasl2-modules curl python3-minimal
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir conf spool lock proc socket user sieve
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

url=http://127.0.0.1:$port/dav/calendars/user/alice/march
as_alice() { curl -s -u alice:secret "$@"; }
check() {
  printf '  %-26s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
# Arguments: name, lines.
put() {
  printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20260101T000000Z "${@:2}" \
    SUMMARY:x END:VEVENT END:VCALENDAR |
    as_alice -w '%{http_code}' -X PUT --data-binary @- -H 'Content-Type: text/calendar' "$url/$1.ics" |
    sed -nE 's/.*<C:(valid-[a-z-]*).*<D:responsedescription>([^<]*).*/\1: \2/p; $s/.*([0-9]{3})$/\1/p' | tr '\n' ' '
}
# Arguments: start, end.
found() {
  as_alice -X REPORT -H 'Depth: 1' -H 'Content-Type: application/xml' --data "<C:calendar-query xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns='DAV:'>
    <prop><getetag/></prop>
    <C:filter>
      <C:comp-filter name='VCALENDAR'>
        <C:comp-filter name='VEVENT'><C:time-range start='$1' end='$2'/></C:comp-filter>
      </C:comp-filter>
    </C:filter>
  </C:calendar-query>" "$url/" | grep -oE '[a-z0-9-]+\.ics' | sort | tr '\n' ' '
}

check MKCALENDAR "$(as_alice -o answer -w '%{http_code}' -X MKCALENDAR "$url/")" 201
refused='valid-calendar-data: DTEND must occur after DTSTART 403'
check 'PUT, noon' "$(put noon DTSTART:20260310T120000Z)" "$refused"
check 'PUT, noon, PT0S' "$(put noon-0 DTSTART:20260310T120000Z DURATION:PT0S)" "$refused"
check 'PUT, noon, PT1S' "$(put noon-1 DTSTART:20260310T120000Z DURATION:PT1S)" 201
check 'DELETE' "$(as_alice -o answer -w '%{http_code}' -X DELETE "$url/noon-1.ics")" 204
check 'PUT, a date' "$(put date 'DTSTART;VALUE=DATE:20260310')" 201
check 'PUT, a date with DTEND' "$(put date-end 'DTSTART;VALUE=DATE:20260310' 'DTEND;VALUE=DATE:20260311')" 201
check 'time-range of the day' "$(found 20260310T000000Z 20260311T000000Z)" 'date-end.ics '
check 'time-range about midnight' "$(found 20260309T233000Z 20260310T003000Z)" 'date-end.ics date.ics '
