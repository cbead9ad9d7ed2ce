#!/usr/bin/env bash
# Radicale 3.1.8 (Debian 3.1.8-2) and xandikos 0.2.8 (Debian 0.2.8-1): the ETag in the answer to a PUT is of other bytes
# than those that were sent.
#
# Both write an event anew before they store it, with its properties in an order of their own, and answer the PUT with the
# strong ETag of what they wrote. RFC 4791, section 5.3.4: where what is stored is not equal to what was sent, octet for
# octet, the answer must have no strong ETag, so that the client fetches it again.
#
# Guess, written down before the first run: both answer 201 with a strong ETag; a GET has the same ETag and other bytes.
#
# Seen: the guess holds for both.
#
#             PUT                ETag of the GET    body of the GET
#   Radicale  201, strong ETag   the same           other bytes
#   xandikos  201, strong ETag   the same           other bytes
#
# For a client: the ETag of a PUT tells the next change, and not that its own copy is what the server has. Who compares or
# signs the bytes has to GET them, also where the answer has an ETag.
set -euo pipefail
RADICALE=3.1.8-2
XANDIKOS=0.2.8-1

installed() { [ "$(dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true)" = "$2" ]; }
installed radicale "$RADICALE" && installed xandikos "$XANDIKOS" ||
  apt-get install -y --no-install-recommends "radicale=$RADICALE" "xandikos=$XANDIKOS" curl python3-minimal

work=$(mktemp -d)
chmod 755 "$work"
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$work"
fi
servers=()
trap 'kill "${servers[@]}"; wait "${servers[@]}" || true; rm -rf "$work"' EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
cd "$work"
export HOME=$work XDG_CONFIG_HOME=$work

port=$(free_port)
radicale=http://127.0.0.1:$port/home
cat > conf <<CONF
[server]
hosts = 127.0.0.1:$port
[auth]
type = none
[rights]
type = from_file
file = $work/rights
[storage]
filesystem_folder = $work/collections
CONF
printf '[all]\nuser: .*\ncollection: .*\npermissions: RrWw\n' > rights
"${as[@]}" radicale --config "$work/conf" 2>radicale.log >&2 &
servers+=($!)

port=$(free_port)
xandikos=http://127.0.0.1:$port/user/calendars
"${as[@]}" xandikos --defaults -d "$work/data" -l 127.0.0.1 -p "$port" 2>xandikos.log >&2 &
servers+=($!)

ready() { for _ in $(seq 100); do curl -s -o /dev/null "$1" && return; sleep 0.2; done; }
ready "$radicale/"
ready "$xandikos/"

printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT UID:order DTSTART:20260102T100000Z \
  DTSTAMP:20260101T000000Z SUMMARY:x CREATED:20260101T000000Z END:VEVENT END:VCALENDAR > sent.ics
check() {
  printf '  %-40s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
etag() { tr -d '\r' < "$1" | sed -n 's/^etag: //ip'; }

curl -s -o /dev/null -X MKCOL "$radicale/"
for url in "$radicale" "$xandikos"; do
  name=$([ "$url" = "$radicale" ] && echo Radicale || echo xandikos)
  curl -s -o /dev/null -X MKCOL -H 'Content-Type: application/xml' --data '<mkcol xmlns="DAV:"><set><prop><resourcetype>
    <collection/><calendar xmlns="urn:ietf:params:xml:ns:caldav"/></resourcetype></prop></set></mkcol>' "$url/c/"
  check "$name: PUT" "$(curl -s -o /dev/null -D put -w '%{http_code}' -H 'Content-Type: text/calendar' -T sent.ics "$url/c/1.ics")" 201
  curl -s -D get -o stored.ics "$url/c/1.ics"
  check "$name: strong ETag in its answer" "$([[ $(etag put) =~ ^\"[0-9a-f]+\"$ ]] && echo yes || echo no)" yes
  check "$name: ETag of the GET" "$([ "$(etag get)" = "$(etag put)" ] && echo 'the same' || echo other)" 'the same'
  check "$name: body of the GET" "$(cmp -s sent.ics stored.ics && echo 'the same' || echo 'other bytes')" 'other bytes'
  check "$name: lines of both, sorted" "$(cmp -s <(sort sent.ics) <(sort stored.ics) && echo 'the same' || echo other)" 'the same'
done
