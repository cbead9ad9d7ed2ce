#!/usr/bin/env bash
# xandikos 0.2.8 (Debian 0.2.8-1): the href of a member with a colon in its name lacks the path of its collection.
#
# A calendar has events `plain.ics` and `urn:uuid:1.ics`, both stored with 201 and found by a GET. Programs name members by
# their UID, and RFC 6350, section 6.7.6, writes the UID of a card as `urn:uuid:…`.
#
# Good sense says: each href is an absolute path, as RFC 4918, section 8.3, asks.
# Guess of its author, who had read the source by then, written down before the first run: `urljoin` makes the href, and takes the
# name for an absolute URL of the scheme `urn`. So the href is `urn%3Auuid%3A1.ics`, without `/user/calendars/calendar/`.
#
# Seen: the guess holds. In an answer to Depth 1 the relative reference resolves to the right resource. In an answer to Depth
# infinity it names `/user/calendars/urn%3Auuid%3A1.ics`, which is not there: GET and DELETE answer 404. A blank at the beginning
# of a name is left out as well: ` plain.ics` is listed with the href of `plain.ics`, which is another event.
#
#   PROPFIND calendar/ Depth 1          /user/calendars/calendar/
#                                       /user/calendars/calendar/plain.ics     (for ` plain.ics`)
#                                       /user/calendars/calendar/plain.ics
#                                       urn%3Auuid%3A1.ics
#   PROPFIND calendars/ Depth infinity  urn%3Auuid%3A1.ics
#   GET calendar/urn%3Auuid%3A1.ics     200
#   GET urn%3Auuid%3A1.ics resolved     404
#
# For a client: a relative href of a Depth infinity answer cannot be resolved. A walk by requests with Depth 1 finds these members.
# One href twice in a listing may be two resources.
#
# Source: traverse_resource in webdav.py calls `urllib.parse.urljoin(href, child_name)` before it quotes the name.
set -euo pipefail
VERSION=0.2.8-1

[ "$(dpkg-query -W -f '${Version}' xandikos 2>/dev/null || true)" = "$VERSION" ] ||
  apt-get install -y --no-install-recommends "xandikos=$VERSION" curl python3-minimal

work=$(mktemp -d)
chmod 755 "$work"
as=()
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  chown 65534:65534 "$work"
fi
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cd "$work"
HOME=$work XDG_CONFIG_HOME=$work "${as[@]}" xandikos --defaults -d "$work/data" -l 127.0.0.1 -p "$port" 2>"$work/log" >&2 &
server=$!
trap 'kill "$server"; wait "$server" || true; rm -rf "$work"' EXIT
url=http://127.0.0.1:$port/user/calendars
for _ in $(seq 100); do curl -sf -o /dev/null "$url/calendar/" && break; sleep 0.2; done

event() {
  printf '%s\r\n' BEGIN:VCALENDAR VERSION:2.0 PRODID:-//example//EN BEGIN:VEVENT "UID:$1" \
    DTSTAMP:20260101T000000Z DTSTART:20260102T100000Z SUMMARY:x END:VEVENT END:VCALENDAR
}
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
hrefs() {
  curl -s -X PROPFIND -H "Depth: $1" -H 'Content-Type: application/xml' \
    --data '<propfind xmlns="DAV:"><prop><resourcetype/></prop></propfind>' "$2" |
    grep -o '<ns0:href>[^<]*' | cut -d '>' -f 2 | sort
}
check() {
  printf '%s\n%s\n' "$1" "$2" | sed 's/^/  /'
  [ "$2" = "$3" ] || { printf 'CHANGED, expected:\n%s\n' "$3"; exit 1; }
}

for name in plain.ics %20plain.ics urn%3Auuid%3A1.ics; do
  check "PUT calendar/$name" "$(event "$name" | status -T - -H 'Content-Type: text/calendar' "$url/calendar/$name")" 201
done
check 'PROPFIND calendar/ Depth 1' "$(hrefs 1 "$url/calendar/")" '/user/calendars/calendar/
/user/calendars/calendar/plain.ics
/user/calendars/calendar/plain.ics
urn%3Auuid%3A1.ics'
check 'PROPFIND calendars/ Depth infinity' "$(hrefs infinity "$url/" | grep urn)" 'urn%3Auuid%3A1.ics'
check 'GET calendar/urn%3Auuid%3A1.ics' "$(status "$url/calendar/urn%3Auuid%3A1.ics")" 200
check 'GET urn%3Auuid%3A1.ics, resolved against calendars/' "$(status "$url/urn%3Auuid%3A1.ics")" 404
