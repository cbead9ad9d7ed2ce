#!/usr/bin/env bash
# node-ical 0.26.1 (npm), expandRecurringEvent: a series on the 31st of each month is on the 28th from February on. An instance that was moved
# into the next week is in neither week.
#
# A program downloads events from a calendar and asks for the instances between two dates, as for a page of a calendar or a reminder.
# ical-expander 3.2.0 with ical.js 2.2.1 (npm) gets the same events.
#
# Good sense says: a date that does not exist is ignored, so months without a 31st have no instance (RFC 5545, section 3.3.10). A moved
# instance is at its new time, and RDATE adds instances (sections 3.8.4.4 and 3.8.5.2). A local time is the same on each day that has it.
# Guess of its author, written down before the first run: the order of series and moved instance does not matter, and a moved instance is
# found in its new week. He had none for the other rows, which came out in these runs: by good sense, they are as RFC 5545 has them.
#
# Seen:
#
#   series                                 asked for       node-ical                     ical-expander
#   monthly, 31 January, COUNT=4           all             31 Jan, 28 Feb, 28 Mar, 28    31 Jan, 31 Mar, 31 May, 31 July
#                                                          Apr
#   monthly, 31 January, without an end    April           30 April                      none
#   weekly, Friday 15 moved to Monday 18   11 - 17 Jan     none                          none
#                                          18 - 24 Jan     22 Jan                        18 and 22 Jan
#                                          all January     8, 18, 22, 29 Jan             8, 18, 22, 29 Jan
#   daily, COUNT=3, RDATE 20 January       January         5, 6, 7 Jan                   5, 6, 7, 20 Jan
#   daily at 2:30 in Berlin                27 - 30 March   3:30 from 28 March on         1:30 on 28 March, then 2:30
#
# The day of the monthly series depends on the dates that are asked for: from April on it is the 30th. With BYMONTHDAY=31 it is right. In
# Berlin, 28 March has no 2:30, which then means 3:30 (section 3.3.5), but 29 March has one.
#
# For a client: put the cases above into the tests of whatever expands a series. With node-ical, ask from the start of the series to a date
# well after what is shown, filter by the start of the instances, and treat RDATE and the end of a month apart.
#
# Source: rrule-temporal 1.6.0, which expands the rule, gives the 28th and 3:30 by itself. The moved instance is looked up by the dates of
# the rule between the two that are asked for.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > log
npm install --no-audit --no-fund node-ical@0.26.1 ical-expander@3.2.0 ical.js@2.2.1 rrule-temporal@1.6.0 "node-linux-$(node -p process.arch)@24.21.0" >> log 2>&1 ||
  { cat log; exit 1; }
cat > main.mjs <<'JS'
import assert from 'node:assert/strict'
import ical from 'node-ical'
import IcalExpander from 'ical-expander'

const event = (...lines) => ['BEGIN:VEVENT', 'UID:series', 'DTSTAMP:20260101T000000Z', 'SUMMARY:Series', ...lines, 'END:VEVENT']
const calendar = (...lines) => ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//example//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n')
const berlin = ['BEGIN:VTIMEZONE', 'TZID:Europe/Berlin', 'BEGIN:STANDARD', 'DTSTART:19701025T030000', 'TZOFFSETFROM:+0200', 'TZOFFSETTO:+0100',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10', 'END:STANDARD', 'BEGIN:DAYLIGHT', 'DTSTART:19700329T020000', 'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200', 'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3', 'END:DAYLIGHT', 'END:VTIMEZONE']

/** Compares the starts of all instances, written as month, day and time in UTC. The dates include the first and exclude the last one. */
function check(name, text, first, last, expected, expander) {
  const [from, to] = [new Date(`${first}T00:00:00Z`), new Date(Date.parse(`${last}T00:00:00Z`) - 1)]
  const short = (date) => date.toISOString().slice(5, 16)
  const seen = ical.expandRecurringEvent(ical.sync.parseICS(text).series, {from, to}).map((instance) => short(instance.start))
  const {events, occurrences} = new IcalExpander({ics: text, maxIterations: 0}).between(from, to)
  const compared = [...events, ...occurrences].map((instance) => short(instance.startDate.toJSDate())).toSorted()
  console.log(`  ${name}, ${first} to ${last}\n    node-ical      ${seen.join(' ')}\n    ical-expander  ${compared.join(' ')}`)
  assert.deepEqual(seen, expected.map((date) => date.includes('T') ? date : `${date}T10:00`), 'CHANGED')
  assert.deepEqual(compared, expander.map((date) => date.includes('T') ? date : `${date}T10:00`), 'CHANGED')
}
const monthly = (rule) => calendar(...event('DTSTART:20270131T100000Z', 'DTEND:20270131T110000Z', `RRULE:FREQ=MONTHLY${rule}`))
const right = ['01-31', '03-31', '05-31', '07-31']
check('monthly, COUNT=4', monthly(';COUNT=4'), '2027-01-01', '2028-01-01', ['01-31', '02-28', '03-28', '04-28'], right)
check('monthly, BYMONTHDAY=31', monthly(';COUNT=4;BYMONTHDAY=31'), '2027-01-01', '2028-01-01', right, right)
check('monthly', monthly(''), '2027-04-01', '2027-05-01', ['04-30'], [])
const weekly = calendar(...event('DTSTART:20270108T100000Z', 'DTEND:20270108T110000Z', 'RRULE:FREQ=WEEKLY;COUNT=4'),
  ...event('RECURRENCE-ID:20270115T100000Z', 'DTSTART:20270118T100000Z', 'DTEND:20270118T110000Z'))
check('weekly, one moved', weekly, '2027-01-11', '2027-01-18', [], [])
check('weekly, one moved', weekly, '2027-01-18', '2027-01-25', ['01-22'], ['01-18', '01-22'])
check('weekly, one moved', weekly, '2027-01-01', '2027-02-01', ['01-08', '01-18', '01-22', '01-29'], ['01-08', '01-18', '01-22', '01-29'])
const added = calendar(...event('DTSTART:20270105T100000Z', 'DTEND:20270105T110000Z', 'RRULE:FREQ=DAILY;COUNT=3', 'RDATE:20270120T100000Z'))
check('daily, RDATE', added, '2027-01-01', '2027-02-01', ['01-05', '01-06', '01-07'], ['01-05', '01-06', '01-07', '01-20'])
const night = calendar(...berlin, ...event('DTSTART;TZID=Europe/Berlin:20270327T023000', 'DTEND;TZID=Europe/Berlin:20270327T024500', 'RRULE:FREQ=DAILY;COUNT=4'))
check('daily at 2:30 in Berlin', night, '2027-03-27', '2027-04-01', ['03-27T01:30', '03-28T01:30', '03-29T01:30', '03-30T01:30'],
  ['03-27T01:30', '03-28T00:30', '03-29T00:30', '03-30T00:30'])
JS
TZ=UTC node_modules/node-linux-*/bin/node main.mjs
