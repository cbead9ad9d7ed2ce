#!/usr/bin/env bash
# ts-caldav 0.3.7 (npm): updateEvent with an event as getEvents gave it changes its dates. Each update makes a holiday a day longer, the last
# Friday of a month becomes every Friday, and a moved instance of a series is gone.
#
# Radicale 3.1.8 (Debian 3.1.8-2) holds six events. A program reads them, changes the summary of one, and hands it to updateEvent.
#
# Good sense says: the summary changes, and the dates stay. An all-day event ends at the day that DTEND names, exclusively (RFC 5545,
# section 3.6.1), so what getEvents returns is what updateEvent writes.
# Guess of its author, written down before the first run: the summary changes, and ATTENDEE, alarms and moved instances stay. After a first
# run he knew of the longer holiday, lost instance and lost replies; the rest came out here.
#
# Seen: no error, and the resource has
#
#   before                                          after
#   a holiday, 5 January, DTEND 7 January           DTEND 8 January, and 9 January after the next update
#   the same in a program with TZ=Europe/Berlin     DTSTART 4 January, DTEND 7 January
#   RRULE FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1         FREQ=MONTHLY;INTERVAL=1;BYDAY=FR
#   DTSTART;TZID=Europe/Berlin:20270105T100000      DTSTART;TZID=Europe/Berlin:20270105T090000Z, and no VTIMEZONE
#   a series, and its moved instance                the series alone
#   ATTENDEE;PARTSTAT=ACCEPTED, another DECLINED    both without PARTSTAT
#
# A time with TZID and Z is not allowed (RFC 5545, section 3.2.19): a reader that goes by the TZID is an hour early.
#
# For a client: change the text of the event, by ical.js for example, and PUT it with If-Match. A model that has fewer fields than iCalendar
# cannot be written back.
#
# Source: buildICSData of src/client.ts makes a new VEVENT of the fields. It adds a day to the end, which the reader of the event did not
# take off, and takes days from toISOString, which is UTC. BYSETPOS is not among the fields of a rule.
set -euo pipefail
RADICALE=3.1.8-2

[ "$(dpkg-query -W -f '${Version}' radicale 2>/dev/null || true)" = "$RADICALE" ] && command -v curl >/dev/null && command -v python3 >/dev/null ||
  apt-get install -y --no-install-recommends "radicale=$RADICALE" curl python3-minimal
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund ts-caldav@0.3.7 ical.js@2.2.1 "node-linux-$(node -p process.arch)@24.21.0" >> log 2>&1 || { cat log; exit 1; }
mkdir collections
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 collections
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
HOME=$work "${as[@]}" radicale -C radicale.conf > log 2>&1 &
server=$!
url=http://127.0.0.1:$port
for _ in $(seq 100); do curl -s -o answer "$url/" && break; sleep 0.2; done

check() {
  printf '  %-28s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
request() { curl -s -u alice:secret "$@"; }
request -o answer -X MKCOL "$url/alice/"
check MKCALENDAR "$(request -o answer -w '%{http_code}' -X MKCALENDAR "$url/alice/c/")" 201
# Stores an event. Arguments: UID, lines of the event.
store() {
  printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20260101T000000Z "SUMMARY:$1" "${@:2}" \
    END:VEVENT END:VCALENDAR |
    request -f -X PUT -H 'Content-Type: text/calendar' --data-binary @- "$url/alice/c/$1.ics"
}
cat > main.mjs <<'JS'
import {CalDAVClient} from 'ts-caldav'

const [origin, uid] = process.argv.slice(2)
const client = await CalDAVClient.create({baseUrl: origin, auth: {type: 'basic', username: 'alice', password: 'secret'}})
const event = (await client.getEvents('/alice/c/', {all: true})).find((one) => one.uid === uid && !one.customFields?.['recurrence-id'])
event.summary += '!'
await client.updateEvent('/alice/c/', event)
JS
# Updates the summary, and prints the lines that matter. Arguments: UID, pattern, time zone of the program.
update() {
  TZ=${3:-UTC} node_modules/node-linux-*/bin/node main.mjs "$url" "$1"
  request "$url/alice/c/$1.ics" | tr -d '\r' | grep -E "^($2)" | sort | paste -sd ' '
}
dates=(DTSTART\;VALUE=DATE:20270105 DTEND\;VALUE=DATE:20270107)
store holiday "${dates[@]}"
check 'holiday, once' "$(update holiday 'DT(START|END)|SUMMARY')" 'DTEND;VALUE=DATE:20270108 DTSTART;VALUE=DATE:20270105 SUMMARY:holiday!'
check 'holiday, twice' "$(update holiday 'DT(START|END)|SUMMARY')" 'DTEND;VALUE=DATE:20270109 DTSTART;VALUE=DATE:20270105 SUMMARY:holiday!!'
store berlin "${dates[@]}"
check 'holiday, TZ=Europe/Berlin' "$(update berlin 'DT(START|END)' Europe/Berlin)" 'DTEND;VALUE=DATE:20270107 DTSTART;VALUE=DATE:20270104'
store friday DTSTART:20270129T100000Z DTEND:20270129T110000Z 'RRULE:FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1'
check 'last Friday' "$(update friday RRULE)" 'RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=FR'
printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VTIMEZONE TZID:Europe/Berlin BEGIN:STANDARD DTSTART:19701025T030000 \
  TZOFFSETFROM:+0200 TZOFFSETTO:+0100 'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10' END:STANDARD BEGIN:DAYLIGHT DTSTART:19700329T020000 \
  TZOFFSETFROM:+0100 TZOFFSETTO:+0200 'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3' END:DAYLIGHT END:VTIMEZONE BEGIN:VEVENT UID:zone \
  DTSTAMP:20260101T000000Z SUMMARY:zone 'DTSTART;TZID=Europe/Berlin:20270105T100000' 'DTEND;TZID=Europe/Berlin:20270105T110000' END:VEVENT END:VCALENDAR |
  request -f -X PUT -H 'Content-Type: text/calendar' --data-binary @- "$url/alice/c/zone.ics"
check 'time zone' "$(update zone 'DTSTART|BEGIN:VTIMEZONE')" 'DTSTART;TZID=Europe/Berlin:20270105T090000Z'
store series DTSTART:20270105T100000Z DTEND:20270105T110000Z 'RRULE:FREQ=DAILY;COUNT=5' END:VEVENT BEGIN:VEVENT UID:series \
  RECURRENCE-ID:20270106T100000Z DTSTAMP:20260101T000000Z SUMMARY:moved DTSTART:20270106T150000Z DTEND:20270106T160000Z
check 'series before' "$(request "$url/alice/c/series.ics" | tr -d '\r' | grep -c ^BEGIN:VEVENT)" 2
check 'series, moved instance' "$(update series 'BEGIN:VEVENT|RECURRENCE-ID|SUMMARY')" 'BEGIN:VEVENT SUMMARY:series!'
store replies DTSTART:20270105T100000Z DTEND:20270105T110000Z ORGANIZER:mailto:alice@example.com \
  'ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.com' 'ATTENDEE;PARTSTAT=DECLINED:mailto:carol@example.com'
check 'replies' "$(update replies ATTENDEE)" 'ATTENDEE:mailto:bob@example.com ATTENDEE:mailto:carol@example.com'
