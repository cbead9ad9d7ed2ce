#!/usr/bin/env bash
# tsdav 2.3.4: texts of properties are changed. Some names become numbers or booleans, and calendar data loses its last line break.
#
# Three calendars have the displaynames `2026.10`, `1e3` and `True`. An event ends with CRLF, as RFC 5545, section 3.1, asks of each line.
#
# Good sense says: the texts as they are stored. The CR is written as `&#13;`, so each reader of XML keeps it.
# Guess of those who met it, noted before this script was written: the data as stored.
#
# Seen:
#
#   displayname 2026.10         the number 2026.1
#   displayname 1e3             the number 1000
#   displayname True            the boolean true
#   displayname 0042            the text 0042
#   data …END:VCALENDAR CRLF    the same without its last CRLF
#
# For a client: a copy of a calendar that is named by its month has another name. Data that is stored again lacks its last line
# break.
#
# Source: davRequest calls xml-js with `trim: true`. nativeType of src/util/nativeType.ts makes numbers of texts that are written as
# in JSON, and booleans. A number with leading zeros stays a text.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund tsdav@2.3.4 >> log 2>&1 || { cat log; exit 1; }
cat > main.mjs <<'JS'
import {createServer} from 'node:http'
import {createRequire} from 'node:module'

import {fetchCalendarObjects, propfind} from 'tsdav'

const event = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//example//EN', 'BEGIN:VEVENT', 'UID:1', 'DTSTAMP:20260101T000000Z',
  'DTSTART:20260310T120000Z', 'END:VEVENT', 'END:VCALENDAR', ''].join('\r\n')
const listing = (href, property) => `<?xml version="1.0" encoding="utf-8"?>
<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:response><d:href>${href}</d:href><d:propstat>
<d:prop><d:getetag>"1"</d:getetag>${property}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`
const server = createServer(({method, url}, response) => {
  const property = method === 'REPORT'
    ? `<c:calendar-data>${event.replaceAll('\r', '&#13;')}</c:calendar-data>`
    : `<d:displayname>${url.split('/')[1]}</d:displayname>`
  response.writeHead(207, {'content-type': 'application/xml; charset=utf-8'})
  response.end(listing(method === 'REPORT' ? '/2026.10/1.ics' : url, property))
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`

function check(input, seen, expected) {
  console.log(`  ${input}: ${JSON.stringify(seen)}`)
  if (seen === expected) return
  console.log(`CHANGED, expected: ${JSON.stringify(expected)}`)
  process.exitCode = 1
}
console.log(`tsdav ${createRequire(import.meta.url)('tsdav/package.json').version}`)
for (const [text, value] of [['2026.10', 2026.1], ['1e3', 1000], ['True', true], ['0042', '0042']]) {
  const [{props}] = await propfind({url: `${origin}/${text}/`, props: {'d:displayname': {}}, depth: '0'})
  check(`displayname ${text}`, props.displayname, value)
}
const [{data}] = await fetchCalendarObjects({
  calendar: {url: `${origin}/2026.10/`},
  objectUrls: [`${origin}/2026.10/1.ics`],
})
check('calendar-data', data, event.slice(0, -2))
server.closeAllConnections()
server.close()
JS
node main.mjs
