#!/usr/bin/env bash
# calcurse-caldav of calcurse 4.7.1 (Debian calcurse 4.7.1-1): a series with a moved instance comes in once more with each synchronization.
# Although nobody changed anything, the next one uploads it as new events.
#
# xandikos 0.2.8 (Debian 0.2.8-1) holds a dentist's appointment, and a daily series with one instance moved to the afternoon, as each
# calendar program writes it: two VEVENT of one UID in one resource (RFC 4791, section 4.1). calcurse-caldav is initialized by `--init
# keep-remote`, which downloads all, and then run as by cron. Nobody touches either side.
#
# Good sense says: a synchronization with no changes changes nothing. What calcurse cannot represent is left out, or left as it is.
# Guess of its author, written down before the first run: just that, with two equal events kept apart as well.
#
# Seen: each run says `Failed to import object` and exits with 0.
#
#                        entries in calcurse    resources on the server    VEVENT in them
#   before                                      2                          3
#   --init keep-remote    3                     2                          3
#   first run             5                     4                          7
#   second run            7                     4                          7
#   third run             9                     4                          7
#
# The two new resources hold the series twice and the moved instance twice, without the exception, so that everybody who shares the
# calendar has it three times. `2 items exported` is all that is said. By hand: Radicale 3.1.8 refuses the upload with 400, and each
# synchronization ends there from then on, while calcurse goes on collecting.
#
# For a client: who finds events with the UID of a SHA-1 (40 hex digits) and PRODID -//calcurse//NONSGML beside others of the same time has
# met this. A resource that could not be imported whole must not leave a part behind.
#
# Source: calcurse_import of calcurse-caldav runs `calcurse -i`, which has stored both events by the time that it prints two hashes. The
# caller expects one, and notes neither, so both count as new local events, and the resource as one that is still to be fetched.
set -euo pipefail
CALCURSE=4.7.1-1
XANDIKOS=0.2.8-1

[ "$(dpkg-query -W -f '${Version} ' calcurse xandikos 2>/dev/null || true)" = "$CALCURSE $XANDIKOS " ] && dpkg-query -W python3-httplib2 > /dev/null 2>&1 &&
  command -v curl >/dev/null || apt-get install -y --no-install-recommends "calcurse=$CALCURSE" "xandikos=$XANDIKOS" python3-httplib2 curl
work=$(mktemp -d)
chmod 755 "$work"
server=
trap '[ -z "$server" ] || { kill "$server" || true; wait "$server" || true; }; rm -rf "$work"' EXIT
cd "$work"
mkdir -p data home/.config/calcurse/caldav
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 data
fi
port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
HOME=$work "${as[@]}" xandikos --defaults --current-user-principal=/alice/ -d "$work/data" -l 127.0.0.1 -p "$port" > log 2>&1 &
server=$!
calendar=http://127.0.0.1:$port/alice/calendars/calendar
for _ in $(seq 100); do curl -s -o /dev/null "$calendar/" && break; sleep 0.2; done
cat > home/.config/calcurse/caldav/config <<CONF
[General]
Binary = calcurse
Hostname = 127.0.0.1:$port
Path = /alice/calendars/calendar/
HTTPS = No
AuthMethod = basic
DryRun = No
[Auth]
Username = alice
Password = secret
CONF
# Stores an event. Arguments: name, lines.
store() {
  printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" DTSTAMP:20260101T000000Z "${@:2}" END:VEVENT END:VCALENDAR |
    curl -s -f -X PUT -H 'Content-Type: text/calendar' --data-binary @- "$calendar/$1.ics"
}
store dentist DTSTART:20270102T100000Z DTEND:20270102T110000Z SUMMARY:Dentist
store series DTSTART:20270105T100000Z DTEND:20270105T110000Z 'RRULE:FREQ=DAILY;COUNT=5' SUMMARY:Daily END:VEVENT BEGIN:VEVENT UID:series \
  RECURRENCE-ID:20270106T100000Z DTSTAMP:20260101T000000Z DTSTART:20270106T150000Z DTEND:20270106T160000Z SUMMARY:Moved
hrefs() {
  curl -s -X PROPFIND -H 'Depth: 1' -H 'Content-Type: application/xml' --data '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>' "$calendar/" |
    grep -o '[^>]*\.ics<' | tr -d '<' | sort -u
}
# Runs calcurse-caldav, and prints the entries of calcurse, the resources of the server, and their events.
run() {
  exit=0
  HOME=$work/home TERM=dumb TZ=UTC /usr/bin/python3 /usr/bin/calcurse-caldav "$@" > out 2> errors || exit=$?
  entries=$(wc -l < home/.local/share/calcurse/apts)
  resources=$(hrefs | wc -l)
  events=$(for href in $(hrefs); do curl -s "http://127.0.0.1:$port$href"; done | grep -c '^BEGIN:VEVENT')
  printf 'exit %s, failed %s, exported %s: %s, %s, %s\n' "$exit" "$(grep -c 'Failed to import' errors)" \
    "$(grep -o '^[0-9]* items exported' out | cut -d ' ' -f 1)" "$entries" "$resources" "$events"
}
check() {
  printf '  %-22s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
check '--init keep-remote' "$(run --init keep-remote)" 'exit 0, failed 1, exported 0: 3, 2, 3'
check 'first run' "$(run)" 'exit 0, failed 1, exported 2: 5, 4, 7'
check 'second run' "$(run)" 'exit 0, failed 1, exported 0: 7, 4, 7'
check 'third run' "$(run)" 'exit 0, failed 1, exported 0: 9, 4, 7'
