#!/usr/bin/env bash
# Radicale 3.1.8 (Debian 3.1.8-2) and xandikos 0.2.8 (Debian 0.2.8-1): a calendar-query with a time-range leaves out events of that
# time. Radicale overlooks a DURATION of whole days, and xandikos all repetitions.
#
# A calendar has four events that reach into Tuesday, 10 March 2026, and a weekly one that began on a Tuesday in January. A program
# asks for that day.
#
# Good sense says: the answer has all five (RFC 4791, section 9.9). A server that cannot tell answers with too many, or 403.
# Guess of its author, written down before the first run: both servers find all of them. Radicale may err with EXDATE or with an
# instance that was moved.
#
# Seen: 207, without a mark that something is missing.
#
#                                                Radicale   xandikos
#   9 March 23:00, DTEND two hours later         found      found
#   9 March 23:00, DURATION:PT2H                 found      found
#   9 March 12:00, DTEND two days later          found      found
#   9 March 12:00, DURATION:P2D                  left out   found
#   6 January 12:00, RRULE:FREQ=WEEKLY           found      left out
#   all five in a list by PROPFIND               found      found
#
# For a client: the absence of an event from such an answer proves nothing. A mirror of a time span must not delete events because
# of it. Ask for all members by PROPFIND or sync-collection, and choose by the data.
#
# Source: visit_time_ranges of radicale/item/filter.py asks for `duration.seconds`, the part of a timedelta below a day.
# apply_time_range_vevent of xandikos/icalendar.py compares DTSTART and DTEND, and does not look for RRULE.
set -euo pipefail
RADICALE=3.1.8-2
XANDIKOS=0.2.8-1

[ "$(dpkg-query -W -f '${Version} ' radicale xandikos 2>/dev/null || true)" = "$RADICALE $XANDIKOS " ] ||
  apt-get install -y --no-install-recommends "radicale=$RADICALE" "xandikos=$XANDIKOS" curl python3-minimal

work=$(mktemp -d)
chmod 755 "$work"
server=
stop() {
  [ -z "$server" ] || { kill "$server"; wait "$server" || true; }
  server=
}
trap 'stop; rm -rf "$work"' EXIT
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$work"
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$work"
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
  printf '  %-30s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
# Arguments: name, lines.
put() {
  check "PUT $1" "$(printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20260101T000000Z \
    "${@:2}" SUMMARY:x END:VEVENT END:VCALENDAR | status -X PUT --data-binary @- -H 'Content-Type: text/calendar' "$calendar/$1.ics")" 201
}
names() { grep -oE '[a-z0-9-]+\.ics' | sort | tr '\n' ' '; }
found() {
  curl -s -X REPORT -H 'Depth: 1' -H 'Content-Type: application/xml' --data '<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns="DAV:">
    <prop><getetag/></prop>
    <C:filter>
      <C:comp-filter name="VCALENDAR">
        <C:comp-filter name="VEVENT"><C:time-range start="20260310T000000Z" end="20260311T000000Z"/></C:comp-filter>
      </C:comp-filter>
    </C:filter>
  </C:calendar-query>' "$@" | names
}
# Arguments: server, names that it finds.
run() {
  check "$1: MKCALENDAR" "$(status -X MKCALENDAR "$calendar/")" 201
  put dtend-hours DTSTART:20260309T230000Z DTEND:20260310T010000Z
  put duration-hours DTSTART:20260309T230000Z DURATION:PT2H
  put dtend-days DTSTART:20260309T120000Z DTEND:20260311T120000Z
  put duration-days DTSTART:20260309T120000Z DURATION:P2D
  put weekly DTSTART:20260106T120000Z DTEND:20260106T130000Z RRULE:FREQ=WEEKLY
  check "$1: PROPFIND" "$(curl -s -X PROPFIND -H 'Depth: 1' -H 'Content-Type: application/xml' --data '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' "$calendar/" | names)" \
    'dtend-days.ics dtend-hours.ics duration-days.ics duration-hours.ics weekly.ics '
  check "$1: time-range" "$(found "$calendar/")" "$2"
}

calendar=http://127.0.0.1:$port/user/march
start radicale -C radicale.conf
check 'Radicale: MKCOL' "$(status -X MKCOL "http://127.0.0.1:$port/user/")" 201
run Radicale 'dtend-days.ics dtend-hours.ics duration-hours.ics weekly.ics '
stop
calendar=http://127.0.0.1:$port/user/calendars/march
start xandikos --defaults --current-user-principal=/user/ -d "$work/data" -l 127.0.0.1 -p "$port"
run xandikos 'dtend-days.ics dtend-hours.ics duration-days.ics duration-hours.ics '
