/**
 * Reports on calendar servers: multiget, queries, free-busy times, and a report that no server knows. RFC 4791, section 7; RFC
 * 6352, section 8.
 */
import {DavClient, type DavResult, expandProperty, members, versioningDecoders} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {beforeAll, expect, it} from 'vitest'
import {line} from '../support/results.ts'
import {calendarServers} from './servers.ts'
import {makeCalendar, makeHome} from './support/calendars.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {numbered} from './support/trees.ts'

const CALDAV = 'urn:ietf:params:xml:ns:caldav'
const CARDDAV = 'urn:ietf:params:xml:ns:carddav'
const data = `{${CALDAV}}calendar-data`
const card = `{${CARDDAV}}address-data`
const multiget = {report: `{${CALDAV}}calendar-multiget`, properties: ['getetag', data]} as const

const sorted = (results: readonly DavResult[]): string[] => results.map(line).toSorted()
const clientOf = (server: Server): DavClient =>
  new DavClient({url: server.url('home'), transport: undiciTransport()})

describeServers(calendarServers, (server) => {
  const {unknownReport} = server.calendars

  beforeAll(async () => {
    await makeHome(server, 'home')
    await makeCalendar(server, 'home/cal', [
      ...numbered(120).map((name) => name.replace(/\.\w+$/, '') + '.ics'),
      'a b;c.ics',
    ])
    await makeCalendar(server, 'home/people', ['1.vcf', '2.vcf'], 'addressbook')
  })

  it('calendar-multiget gives each member its data, and a missing one is a Failure 404', async () => {
    const dav = clientOf(server)
    const listed = await dav.propfind('cal/', {properties: ['getetag']}).collect()
    const stored = listed.successes.filter(({relation}) => relation === 'member')
    expect(stored).toHaveLength(121)

    const targets = [...stored, 'cal/missing.ics']
    const {successes, failures, summary} = await dav.multiget('cal/', targets, multiget).collect()

    expect(sorted(successes)).toEqual(sorted(stored))
    expect(failures.map(line)).toEqual(['404 status member /home/cal/missing.ics'])
    expect(summary).toMatchObject({complete: true, requests: 3})
    const etags = new Map(stored.map(({url, properties}) => [url, properties.getetag]))
    for (const {url, properties} of successes) {
      expect(properties[data]).toMatch(/^BEGIN:VCALENDAR[^]*END:VCALENDAR\s*$/)
      expect(properties.getetag).toBe(etags.get(url))
    }
  })

  it('calendar-query with Depth 1 gives the members that match', async () => {
    const filter = {
      name: `{${CALDAV}}comp-filter`,
      attributes: {name: 'VCALENDAR'},
      children: [{name: `{${CALDAV}}comp-filter`, attributes: {name: 'VEVENT'}}],
    }
    const body = {
      name: `{${CALDAV}}calendar-query`,
      children: [
        {name: 'prop', children: [{name: 'getetag'}]},
        {name: `{${CALDAV}}filter`, children: [filter]},
      ],
    }

    const {successes, failures, summary} = await clientOf(server)
      .report('cal/', {body, depth: 1})
      .collect()

    expect(failures).toEqual([])
    expect(summary).toMatchObject({complete: true, incomplete: [], requests: 1})
    expect(successes).toHaveLength(121)
    for (const {properties} of successes) expect(properties.getetag).toMatch(/^"[^"]+"$/)
  })

  it('addressbook-query with Depth 1 gives the cards', async () => {
    const body = {
      name: `{${CARDDAV}}addressbook-query`,
      children: [
        {name: 'prop', children: [{name: card}]},
        // Without a condition: every card matches.
        {name: `{${CARDDAV}}filter`},
      ],
    }

    // xandikos names the address book too, without data.
    const cards = members(clientOf(server).report('people/', {body, depth: 1}))
    const {successes, failures} = await cards.collect()

    expect(failures).toEqual([])
    expect(sorted(successes)).toEqual([
      '200 member /home/people/1.vcf',
      '200 member /home/people/2.vcf',
    ])
    for (const {properties} of successes) expect(properties[card]).toMatch(/^BEGIN:VCARD/)
  })

  it('an unknown report gives no data', async () => {
    const {successes, failures, summary} = await clientOf(server)
      .report('people/', {body: {name: '{urn:example}nonsense'}, depth: 1})
      .collect()

    expect(successes).toEqual([])
    expect(summary.complete).toBe(false)
    const url = server.url('home/people')
    const named = {bare: [`0 ${url}1.vcf`, `0 ${url}2.vcf`], refused: [`403 ${url}`]}
    const found = failures.map((failure) => `${failure.status} ${failure.url}`)
    expect(found.toSorted()).toEqual(named[unknownReport])
  })

  it('a multiget of the wrong kind is a Failure for each target', async () => {
    const {successes, failures} = await clientOf(server)
      .multiget('people/', ['people/1.vcf', 'people/2.vcf'], multiget)
      .collect()

    expect(successes).toEqual([])
    expect(sorted(failures)).toEqual([
      '403 status member /home/people/1.vcf',
      '403 status member /home/people/2.vcf',
    ])
  })

  it('names its reports', async () => {
    const properties = ['supported-report-set'] as const
    const result = await clientOf(server).stat('cal/', {properties, decoders: versioningDecoders})

    expect(result).toMatchObject({ok: true})
    expect(result.ok && result.properties['supported-report-set']).toEqual(
      expect.arrayContaining([
        `{${CALDAV}}calendar-multiget`,
        `{${CALDAV}}calendar-query`,
        'sync-collection',
      ]),
    )
  })

  it('expand-property gives no results of its own', async () => {
    const body = expandProperty({'current-user-principal': {displayname: {}}})
    const {successes, failures} = await clientOf(server).report('cal/', {body}).collect()

    expect(failures).toEqual([])
    expect(successes.map(({relation}) => relation)).toEqual(
      unknownReport === 'bare' ? [] : ['self'],
    )
  })

  it('a search is refused', async () => {
    const search = clientOf(server)
      .search('cal/', {where: {name: 'is-collection'}})
      .collect()

    await expect(search).rejects.toMatchObject({
      name: 'DavHttpError',
      method: 'SEARCH',
      status: 405,
    })
  })
})
