/**
 * Each call of `tsdav` 2.3 beside ours, on Radicale, or on a scripted server for an answer that Radicale does not give. Both give the
 * same, or the difference is asserted. guide/from-tsdav.md shows the regions.
 */
import {readFile} from 'node:fs/promises'
import {
  type Auth,
  basicAuth,
  bearerAuth,
  calendarDecoders,
  DavClient,
  discover,
  type ElementToWrite,
  keyOf,
  members,
  SyncState,
  unwrap,
  versioningDecoders,
} from 'multistatus'
import * as tsdav from 'tsdav'
import {DAVClient, type DAVCalendar, type DAVObject} from 'tsdav'
import {afterAll, afterEach, beforeAll, beforeEach, expect, it, vi} from 'vitest'
import {type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {radicale} from './radicale.ts'
import {contentOf, makeCalendar, makeHome, putMember, removeMember} from './support/calendars.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

// #region names
// multistatus
const CALDAV = 'urn:ietf:params:xml:ns:caldav'
const CARDDAV = 'urn:ietf:params:xml:ns:carddav'
// #endregion

// #region query
// multistatus
const calendarData = `{${CALDAV}}calendar-data`
/** The body of a calendar-query for all components of a kind. */
const calendarQuery = (component: string): ElementToWrite => ({
  name: `{${CALDAV}}calendar-query`,
  children: [
    {name: 'prop', children: [{name: 'getetag'}, {name: calendarData}]},
    {
      name: `{${CALDAV}}filter`,
      children: [
        {
          name: `{${CALDAV}}comp-filter`,
          attributes: {name: 'VCALENDAR'},
          children: [{name: `{${CALDAV}}comp-filter`, attributes: {name: component}}],
        },
      ],
    },
  ],
})
// #endregion

const ONE_REFUSED = `<multistatus xmlns="DAV:">
  <response><href>/work/1.ics</href>
    <propstat><prop><getetag>"1"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat></response>
  <response><href>/work/2.ics</href><status>HTTP/1.1 403 Forbidden</status></response>
</multistatus>`
const ONE_LOCKED = `<multistatus xmlns="DAV:">
  <response><href>/work/2.ics</href><status>HTTP/1.1 423 Locked</status></response>
</multistatus>`

const XML = {'content-type': 'application/xml'}

const credentials = {username: 'ana', password: 'secret'}
const headers = {authorization: 'Basic YW5hOnNlY3JldA=='}

interface Clients {
  readonly url: string
  readonly client: DAVClient
  readonly dav: DavClient
}

describeServers([radicale], (server) => {
  let faults: FaultServer

  beforeAll(async () => {
    faults = await startFaultServer()
  })

  afterAll(() => faults.close())

  beforeEach(async () => {
    vi.spyOn(console, 'log').mockReturnValue()
    await makeHome(server, 'ana')
    await makeCalendar(server, 'ana/work', ['1.ics', '2.ics'])
    await makeCalendar(server, 'ana/people', ['1.vcf', '2.vcf'], 'addressbook')
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    await removeMember(server, 'ana')
  })

  it('the calendars of a user are found from the root of the server', async () => {
    const url = server.url()
    // #region login
    // tsdav
    const client = new DAVClient({
      serverUrl: url,
      credentials: {username: 'ana', password: 'secret'},
      authMethod: 'Basic',
      defaultAccountType: 'caldav',
    })
    await client.login()
    const theirs = await client.fetchCalendars()
    // #endregion
    // #region login
    // multistatus
    const dav = new DavClient({url, auth: basicAuth('ana', 'secret')})
    const found = await discover(dav, 'caldav')
    if (!found.ok) throw new Error(found.description)
    const calendars = []
    for (const home of found.homeSets) {
      const properties = ['displayname', 'resourcetype', 'sync-token'] as const
      for await (const result of dav.propfind(home, {properties}))
        if (result.ok && result.properties.resourcetype?.includes(`{${CALDAV}}calendar`))
          calendars.push(result)
    }
    // #endregion
    expect(theirs.map((calendar) => calendar.url)).toEqual([`${url}ana/work/`])
    expect(calendars.map((calendar) => calendar.url)).toEqual([`${url}ana/work/`])
    expect(calendars[0]?.properties['sync-token']).toBe(theirs[0]?.syncToken)
  })

  it('discovery takes one call here, and its trace is in the result', async () => {
    const {url, client, dav} = await open(server)
    // #region discover
    // tsdav
    const account = {serverUrl: url, accountType: 'caldav' as const}
    const rootUrl = await tsdav.serviceDiscovery({account, headers})
    const principalUrl = await tsdav.fetchPrincipalUrl({account: {...account, rootUrl}, headers})
    const homeUrl = await tsdav.fetchHomeUrl({
      account: {...account, rootUrl, principalUrl},
      headers,
    })
    // #endregion
    // #region discover
    // multistatus
    const found = await discover(dav, 'caldav')
    if (!found.ok) for (const {method, status} of found.steps) console.log(method, status)
    // #endregion
    expect(found).toMatchObject({principal: principalUrl, homeSets: [{url: homeUrl}]})
    expect(await client.createAccount({account})).toMatchObject({principalUrl, homeUrl})
    expect(await tsdav.createAccount({account, headers})).toMatchObject({homeUrl})
    const made = await tsdav.createDAVClient({
      serverUrl: url,
      credentials,
      authMethod: 'Basic',
      defaultAccountType: 'caldav',
    })
    expect(await made.fetchCalendars()).toMatchObject([{url: `${url}ana/work/`}])
  })

  it('the addresses of a user are a property of the principal', async () => {
    const {client, dav} = await open(server)
    const {account} = client
    if (account?.principalUrl === undefined) throw new Error('not logged in')
    const {principalUrl} = account
    // #region addresses
    // tsdav
    const addresses = await client.fetchCalendarUserAddresses({account})
    // #endregion
    // #region addresses
    // multistatus
    const name = `{${CALDAV}}calendar-user-address-set` as const
    const {properties} = unwrap(
      await dav.stat(principalUrl, {properties: [name], decoders: calendarDecoders}),
    )
    // #endregion
    expect(properties[name]).toEqual(addresses)
    expect(addresses).toEqual(['/ana/'])
  })

  it('the events of a calendar have the same data, but for the line breaks', async () => {
    const {client, dav} = await open(server)
    const calendar = await workOf(client)
    // #region events
    // tsdav
    const objects = await client.fetchCalendarObjects({calendar})
    for (const {url, etag, data} of objects) console.log(url, etag, data)
    // #endregion
    // #region events
    // multistatus
    const report = dav.report('ana/work/', {body: calendarQuery('VEVENT'), depth: 1})
    for await (const result of members(report)) {
      if (!result.ok) console.log('not read', result.url, result.status)
      else console.log(result.url, result.properties.getetag, result.properties[calendarData])
    }
    // #endregion
    const ours = await dav.report('ana/work/', {body: calendarQuery('VEVENT'), depth: 1}).collect()
    const read = ours.successes.map(({url, properties}) => [url, properties[calendarData]] as const)
    expect(new Map(read)).toEqual(new Map(objects.map(({url, data}) => [url, asInXml(data)])))
    expect(objects.length).toBe(2)

    const props = {'d:getetag': {}}
    const filters = {'comp-filter': {_attributes: {name: 'VCALENDAR'}}}
    const theirs = await client.calendarQuery({url: calendar.url, props, filters, depth: '1'})
    expect(hrefsOf(theirs)).toEqual(hrefsOf(ours.successes))
  })

  it('one event that cannot be read loses all of them for tsdav, and is a Failure here', async () => {
    const {url} = faults
    faults.script(() => ({status: 207, headers: XML, body: ONE_REFUSED}))
    const client = new DAVClient({serverUrl: url, credentials})
    const dav = new DavClient({url})
    const theirs = client.fetchCalendarObjects({calendar: {url: `${url}work/`}})
    await expect(theirs).rejects.toThrow('Collection query failed: 403')
    const ours = await dav.report('work/', {body: calendarQuery('VEVENT'), depth: 1}).collect()
    expect(ours.successes).toMatchObject([{href: '/work/1.ics'}])
    expect(ours.failures).toMatchObject([{href: '/work/2.ics', status: 403}])
  })

  it('some events are read by their URLs', async () => {
    const {client, dav} = await open(server)
    const {url} = await workOf(client)
    // #region multiget
    // tsdav
    const events = await client.calendarMultiGet({
      url,
      props: {'d:getetag': {}, 'c:calendar-data': {}},
      objectUrls: ['/ana/work/1.ics', '/ana/work/2.ics'],
      depth: '1',
    })
    // #endregion
    // #region multiget
    // multistatus
    const {successes, failures} = await dav
      .multiget('ana/work/', ['ana/work/1.ics', 'ana/work/2.ics'], {
        report: `{${CALDAV}}calendar-multiget`,
        properties: ['getetag', calendarData],
      })
      .collect()
    // #endregion
    expect(failures).toEqual([])
    const read = successes.map(({href, properties}) => [href, properties[calendarData]] as const)
    expect(new Map(read)).toEqual(
      new Map(events.map(({href = '', props}) => [href, asInXml(props?.['calendarData'])])),
    )
    expect(hrefsOf(events)).toEqual(new Set(['/ana/work/1.ics', '/ana/work/2.ics']))
  })

  it('an event is made, changed and deleted under the condition of its ETag', async () => {
    const {url, client, dav} = await open(server)
    const calendar = await workOf(client)
    const {body: first} = contentOf('calendar', 'ana/work/3.ics', 'first')
    const {body: second} = contentOf('calendar', 'ana/work/3.ics', 'second')
    // #region write
    // tsdav
    const made = await client.createCalendarObject({
      calendar,
      filename: '3.ics',
      iCalString: first,
    })
    const etag = made.headers.get('etag') ?? ''
    const event = {url: `${calendar.url}3.ics`, data: second, etag}
    const changed = await client.updateCalendarObject({calendarObject: event})
    const deleted = await client.deleteCalendarObject({calendarObject: event})
    // #endregion
    // tsdav gives the refused DELETE as an answer: the ETag is that of the first version.
    expect([made.status, changed.status, deleted.status]).toEqual([201, 201, 412])
    await removeMember(server, 'ana/work/3.ics')
    // #region write
    // multistatus
    const type = 'text/calendar; charset=utf-8'
    const created = unwrap(await dav.put('ana/work/3.ics', first, {type, create: true}))
    const ifMatch = created.etag
    const updated = unwrap(await dav.put('ana/work/3.ics', second, {type, ifMatch}))
    const refused = await dav.delete({href: 'ana/work/3.ics', ifMatch})
    if (!refused.ok && refused.status === 412) console.log('Somebody has changed it')
    // #endregion
    expect([created.status, updated.status, refused.status]).toEqual([201, 201, 412])

    const object = {url: `${url}ana/work/4.ics`, headers: {'content-type': type}}
    const {body} = contentOf('calendar', 'ana/work/4.ics', 'fourth')
    const statuses = [
      await client.createObject({...object, data: body}),
      await client.createObject({...object, data: body}),
      await client.updateObject({...object, data: body}),
      await client.deleteObject({url: object.url}),
    ]
    expect(statuses.map(({ok}) => ok)).toEqual([true, true, true, true])
  })

  it('a DELETE that left a locked member standing is a success for tsdav, and a Failure here', async () => {
    const {url} = faults
    const client = new DAVClient({serverUrl: url, credentials})
    const dav = new DavClient({url})
    faults.script(() => ({status: 207, headers: XML, body: ONE_LOCKED}))
    // #region delete
    // tsdav
    const {ok} = await client.deleteObject({url: `${url}work/`})
    // #endregion
    // #region delete
    // multistatus
    const deleted = await dav.delete('work/')
    if (!deleted.ok) console.log(deleted.reason, deleted.members)
    // #endregion
    expect(ok).toBe(true)
    expect(deleted).toMatchObject({
      ok: false,
      reason: 'member',
      members: [{href: '/work/2.ics', status: 423}],
    })
  })

  it('the cards of an address book have the same data', async () => {
    const {url, client, dav} = await open(server, 'carddav')
    // #region cards
    // tsdav
    const [addressBook] = await client.fetchAddressBooks()
    const cards = addressBook && (await client.fetchVCards({addressBook}))
    // #endregion
    // #region cards
    // multistatus
    const addressData = `{${CARDDAV}}address-data` as const
    const listed = await members(dav.propfind('ana/people/', {properties: ['getetag']})).collect()
    const {successes} = await dav
      .multiget('ana/people/', listed.successes, {
        report: `{${CARDDAV}}addressbook-multiget`,
        properties: ['getetag', addressData],
      })
      .collect()
    // #endregion
    expect(addressBook?.url).toBe(`${url}ana/people/`)
    const ours = successes.map((card) => [card.url, card.properties[addressData]] as const)
    expect(new Map(ours)).toEqual(new Map(cards?.map((card) => [card.url, asInXml(card.data)])))
    expect(successes.length).toBe(2)

    const [props, query] = [{'d:getetag': {}}, {url: `${url}ana/people/`, depth: '1' as const}]
    const filters = {'prop-filter': {_attributes: {name: 'FN'}}}
    const found = await client.addressBookQuery({...query, props, filters})
    const objectUrls = found.map(({href}) => href ?? '')
    expect(hrefsOf(found)).toEqual(new Set(['/ana/people/1.vcf', '/ana/people/2.vcf']))
    const read = await client.addressBookMultiGet({...query, props, objectUrls})
    expect(hrefsOf(read)).toEqual(hrefsOf(found))
  })

  it('a card is made, changed and deleted', async () => {
    const {client, dav} = await open(server, 'carddav')
    const [addressBook] = await client.fetchAddressBooks()
    if (addressBook === undefined) throw new Error('no address book')
    const {body} = contentOf('addressbook', 'ana/people/3.vcf', 'third')
    // #region card
    // tsdav
    const made = await client.createVCard({addressBook, filename: '3.vcf', vCardString: body})
    const vCard = {url: `${addressBook.url}3.vcf`, data: body}
    const changed = await client.updateVCard({vCard})
    const deleted = await client.deleteVCard({vCard})
    // #endregion
    // #region card
    // multistatus
    const type = 'text/vcard; charset=utf-8'
    const verdicts = [
      await dav.put('ana/people/3.vcf', body, {type, create: true}),
      await dav.put('ana/people/3.vcf', body, {type}),
      await dav.delete('ana/people/3.vcf'),
    ]
    // #endregion
    const statuses = [made, changed, deleted].map(({status}) => status)
    expect(statuses).toEqual([201, 201, 200])
    expect(verdicts.map(({ok, status}) => [ok, status])).toEqual([
      [true, 201],
      [true, 201],
      [true, 200],
    ])
  })

  it('a calendar is made with its properties', async () => {
    const {url, client, dav} = await open(server)
    // #region make
    // tsdav
    const [answer] = await client.makeCalendar({
      url: `${url}ana/theirs/`,
      props: {'d:displayname': 'Theirs'},
    })
    // #endregion
    // #region make
    // multistatus
    const made = await dav.mkcol('ana/ours/', {
      properties: {resourcetype: [`{${CALDAV}}calendar`], displayname: 'Ours'},
    })
    // #endregion
    expect([answer?.status, made.status]).toEqual([201, 201])
    const [plain] = await client.makeCollection({url: `${url}ana/plain/`})
    expect([plain?.ok, (await dav.mkcol('ana/empty/')).ok]).toEqual([true, true])
    const names = ['work', 'theirs', 'ours'].map((name) => `${url}ana/${name}/`)
    const calendars = await client.fetchCalendars()
    expect(new Set(calendars.map((calendar) => calendar.url))).toEqual(new Set(names))
    expect(
      unwrap(await dav.stat('ana/theirs/', {properties: ['displayname']})).properties.displayname,
    ).toBe('Theirs')
    expect(
      unwrap(await dav.stat('ana/ours/', {properties: ['displayname']})).properties.displayname,
    ).toBe('Ours')
  })

  it('properties have the same values; tsdav names them without their namespaces', async () => {
    const {url, client, dav} = await open(server)
    // #region propfind
    // tsdav
    const responses = await client.propfind({
      url: `${url}ana/work/`,
      props: {'d:getetag': {}, 'cs:getctag': {}},
      depth: '0',
    })
    const theirs = responses[0]?.props?.['getctag']
    // #endregion
    // #region propfind
    // multistatus
    const getctag = '{http://calendarserver.org/ns/}getctag' as const
    const {properties} = unwrap(await dav.stat('ana/work/', {properties: ['getetag', getctag]}))
    // #endregion
    expect(properties[getctag]).toBe(theirs)

    // #region dirty
    // tsdav
    const collection = {url: `${url}ana/work/`, ctag: 'an old one'}
    const {isDirty, newCtag} = await client.isCollectionDirty({collection})
    // #endregion
    // #region dirty
    // multistatus
    const hasChanged = properties[getctag] !== 'an old one'
    // #endregion
    expect([isDirty, hasChanged, newCtag]).toEqual([true, true, properties[getctag]])

    // #region reports
    // tsdav
    const reports = await client.supportedReportSet({collection})
    // #endregion
    // #region reports
    // multistatus
    const report = 'supported-report-set'
    const options = {properties: [report], decoders: versioningDecoders} as const
    const known = unwrap(await dav.stat('ana/work/', options)).properties[report]
    // #endregion
    expect(reports).toContain('syncCollection')
    expect(known).toContain('sync-collection')
    expect(known?.length).toBe(reports.length)
  })

  it('a name of digits stays a text here', async () => {
    const {url, client, dav} = await open(server)
    unwrap(await dav.mkcol('ana/year/', {properties: {displayname: '2026.10'}}))
    const [theirs] = await client.propfind({
      url: `${url}ana/year/`,
      props: {'d:displayname': {}},
      depth: '0',
    })
    expect(theirs?.props?.['displayname']).toBe(2026.1)
    const ours = await dav.stat('ana/year/', {properties: ['displayname']})
    expect(unwrap(ours).properties.displayname).toBe('2026.10')
  })

  it('a request and a report of any kind are sent', async () => {
    const {url, client, dav} = await open(server)
    const target = `${url}ana/work/`
    // #region request
    // tsdav
    const [answer] = await client.davRequest({
      url: target,
      init: {method: 'OPTIONS', body: undefined},
      parseOutgoing: false,
    })
    // #endregion
    // #region request
    // multistatus
    const {status, headers: fields} = await dav.request('OPTIONS', 'ana/work/')
    // #endregion
    expect([answer?.status, status, fields.get('dav')]).toEqual([
      200,
      200,
      '1, 2, 3, calendar-access, addressbook, extended-mkcol',
    ])
    // #region report
    // tsdav
    const events = await client.collectionQuery({
      url: target,
      body: {
        'calendar-query': {
          _attributes: {'xmlns:c': CALDAV, 'xmlns:d': 'DAV:'},
          'd:prop': {'d:getetag': {}},
          filter: {'comp-filter': {_attributes: {name: 'VCALENDAR'}}},
        },
      },
      depth: '1',
      defaultNamespace: tsdav.DAVNamespaceShort.CALDAV,
    })
    // #endregion
    // #region report
    // multistatus
    const report = dav.report('ana/work/', {body: calendarQuery('VEVENT'), depth: 1})
    const {successes} = await report.collect()
    // #endregion
    expect(hrefsOf(successes)).toEqual(hrefsOf(events))
    expect(successes.length).toBe(2)
  })

  it('the changes since the last time are the same', async () => {
    const {url, client, dav} = await open(server)
    const calendar = await workOf(client)
    const objects = await client.fetchCalendarObjects({calendar})
    const state = new SyncState()
    await dav.sync('ana/work/', {state}).collect()
    const token = calendar.syncToken ?? ''
    await putMember(server, 'ana/work/1.ics', {kind: 'calendar', summary: 'changed'})
    await removeMember(server, 'ana/work/2.ics')
    await putMember(server, 'ana/work/3.ics', {kind: 'calendar'})
    // #region sync
    // tsdav
    const collection = {...calendar, objects, objectMultiGet: client.calendarMultiGet.bind(client)}
    const {objects: changes} = await client.smartCollectionSyncDetailed({
      collection,
      method: 'webdav',
    })
    const {created, updated, deleted} = changes
    // #endregion
    // #region sync
    // multistatus
    for await (const result of dav.sync('ana/work/', {state, properties: [calendarData]})) {
      if (result.ok) console.log('changed', result.url, result.properties[calendarData])
      else if (result.status === 404) console.log('gone', result.url)
      else console.log('failed', result.url, result.status)
    }
    // #endregion
    const urls = (of: readonly DAVObject[]): readonly string[] => of.map((object) => object.url)
    expect([urls(created), urls(updated), urls(deleted)]).toEqual([
      [`${url}ana/work/3.ics`],
      [`${url}ana/work/1.ics`],
      [`${url}ana/work/2.ics`],
    ])
    expect(state.get(`${url}ana/work/1.ics`)).toBe(updated[0]?.etag)
    expect(state.size).toBe(2)

    // #region token
    // tsdav
    const responses = await client.syncCollection({
      url: calendar.url,
      props: {'d:getetag': {}},
      syncLevel: 1,
      syncToken: token,
    })
    // #endregion
    // #region token
    // multistatus
    const {successes, failures, summary} = await dav.sync('ana/work/', {token}).collect()
    console.log(summary.complete, summary.syncToken)
    // #endregion
    // tsdav gives the status of the answer for a changed resource, and ours the one of its properties.
    const theirs = responses.map(({href, status}) => `${status} ${href}`)
    expect(new Set(theirs)).toEqual(
      new Set(['207 /ana/work/1.ics', '404 /ana/work/2.ics', '207 /ana/work/3.ics']),
    )
    const ours = [...successes, ...failures].map(({href, status}) => `${status} ${href}`)
    expect(new Set(ours)).toEqual(
      new Set(['200 /ana/work/1.ics', '404 /ana/work/2.ics', '200 /ana/work/3.ics']),
    )
    expect(summary.complete).toBe(true)

    const all = await client.smartCollectionSync({collection, method: 'webdav'})
    expect(new Set(urls(all.objects ?? []))).toEqual(
      new Set([`${url}ana/work/3.ics`, `${url}ana/work/1.ics`]),
    )
  })

  it('new and changed calendars are found by their sync tokens', async () => {
    const {url, client, dav} = await open(server)
    const account = {oldCalendars: [await workOf(client)]}
    await makeCalendar(server, 'ana/new', ['1.ics'])
    await putMember(server, 'ana/work/3.ics', {kind: 'calendar'})
    const oldTokens = new Map(account.oldCalendars.map((old) => [keyOf(old), old.syncToken]))
    // #region calendars
    // tsdav
    const {created, updated} = await client.syncCalendarsDetailed(account)
    // #endregion
    // #region calendars
    // multistatus
    const home = dav.propfind('ana/', {properties: ['resourcetype', 'sync-token']})
    const {successes} = await members(home).collect()
    const calendars = successes.filter(({properties}) =>
      properties.resourcetype?.includes(`{${CALDAV}}calendar`),
    )
    const changed = calendars.filter(
      (calendar) => calendar.properties['sync-token'] !== oldTokens.get(keyOf(calendar)),
    )
    // #endregion
    expect([...created, ...updated].map((calendar) => calendar.url)).toEqual([
      `${url}ana/new/`,
      `${url}ana/work/`,
    ])
    expect(new Set(changed.map((calendar) => calendar.url))).toEqual(
      new Set([`${url}ana/new/`, `${url}ana/work/`]),
    )
    expect(await client.syncCalendars(account)).toHaveLength(2)
  })

  it('free and busy times are a text', async () => {
    const {url} = faults
    const calendar = 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n'
    faults.script(() => ({
      status: 200,
      headers: {'content-type': 'text/calendar'},
      body: calendar,
    }))
    const client = new DAVClient({serverUrl: url, credentials})
    const dav = new DavClient({url})
    // #region busy
    // tsdav
    const {raw} = await client.freeBusyQuery({
      url: `${url}work/`,
      timeRange: {start: '2026-12-01T00:00:00Z', end: '2026-12-08T00:00:00Z'},
      depth: '1',
    })
    // #endregion
    // #region busy
    // multistatus
    const range = {start: '20261201T000000Z', end: '20261208T000000Z'}
    const body = {
      name: `{${CALDAV}}free-busy-query`,
      children: [{name: `{${CALDAV}}time-range`, attributes: range}],
    }
    const {successes} = await dav.report('work/', {body, depth: 1}).collect()
    const times = successes[0]?.content?.text
    // #endregion
    expect([raw, times]).toEqual([calendar, calendar])
    for (const {body: sent} of faults.requests.slice(-2))
      expect(sent).toMatch(/start="20261201T000000Z" end="20261208T000000Z"/)
  })

  it('credentials are headers there, and a function of the request here', async () => {
    const {url} = faults
    faults.script(() => ({status: 404}))
    // #region auth
    // tsdav
    const basic = tsdav.getBasicAuthHeaders({username: 'ana', password: 'secret'})
    const bearer = tsdav.getBearerAuthHeaders({accessToken: 'abc'})
    // #endregion
    // #region auth
    // multistatus
    const withPassword = basicAuth('ana', 'secret')
    const withToken = bearerAuth('abc')
    const withFreshToken: Auth = async () => `Bearer ${await freshToken()}`
    // #endregion
    const sent = []
    for (const auth of [withPassword, withToken, withFreshToken]) {
      await new DavClient({url, auth}).exists('')
      sent.push(faults.requests.at(-1)?.headers.authorization)
    }
    expect(sent).toEqual([basic.authorization, bearer.authorization, 'Bearer fresh'])
    expect(sent).toEqual(['Basic YW5hOnNlY3JldA==', 'Bearer abc', 'Bearer fresh'])

    faults.script(() => ({status: 200, body: '{"access_token":"fresh","expires_in":60}'}))
    const tokens = {tokenUrl: `${url}token`, clientId: 'a', clientSecret: 'b', redirectUrl: url}
    const code = {...tokens, authorizationCode: 'c'}
    expect(await tsdav.fetchOauthTokens(code)).toMatchObject({access_token: 'fresh'})
    const refresh = {...tokens, refreshToken: 'd'}
    expect(await tsdav.refreshAccessToken(refresh)).toMatchObject({access_token: 'fresh'})
    expect(await tsdav.getOauthHeaders(refresh)).toMatchObject({
      headers: {authorization: 'Bearer fresh'},
    })
  })

  it('two spellings of a URL are one resource', () => {
    // #region same
    // tsdav
    const isSame = tsdav.urlMatches(
      '/ana/work',
      'https://dav.example/ana/work/',
      'https://dav.example/',
    )
    // #endregion
    // #region same
    // multistatus
    const url = 'https://dav.example/%61na//work'
    const isEqual = keyOf({url}) === keyOf({url: 'https://dav.example/ana/work/'})
    // #endregion
    expect([isSame, isEqual]).toEqual([true, true])
    expect(tsdav.urlEquals('https://dav.example/%61na/', 'https://dav.example/ana/')).toBe(false)
    expect(tsdav.urlContains('/ana/work/', '/ana/workshop/')).toBe(true)
  })

  it('guide/from-tsdav.md has a row for each function and method of tsdav, and each method is called here', async () => {
    const guide = await readFile(new URL('../../guide/from-tsdav.md', import.meta.url), 'utf8')
    const firstCells = Array.from(guide.matchAll(/^\|([^|]*)/gm), ([, cell = '']) => cell)
    const named = new Set(firstCells.join('').match(/(?<=`)\w+/g))
    const methods = Object.getOwnPropertyNames(DAVClient.prototype).filter(
      (name) => name !== 'constructor',
    )
    const names = [...Object.keys(tsdav), ...methods].filter((name) => name !== 'default')
    expect(names.filter((name) => !named.has(name))).toEqual([])
    const source = await readFile(new URL(import.meta.url), 'utf8')
    expect(methods.filter((name) => !source.includes(`client.${name}(`))).toEqual([])
  })
})

async function workOf(client: DAVClient): Promise<DAVCalendar> {
  const [calendar] = await client.fetchCalendars()
  if (calendar === undefined) throw new Error('no calendar')
  return calendar
}

function hrefsOf(results: readonly {readonly href?: string}[]): ReadonlySet<unknown> {
  return new Set(results.map(({href}) => href))
}

/** Adds the line break that tsdav cuts off, and makes each one a line feed, as XML does. XML 1.0, section 2.11. */
function asInXml(data: unknown): string {
  return `${String(data)}\r\n`.replaceAll('\r\n', '\n')
}

function freshToken(): Promise<string> {
  return Promise.resolve('fresh')
}

/** The two clients of a server, the first one logged in. */
async function open(
  server: Pick<Server, 'url'>,
  defaultAccountType: 'caldav' | 'carddav' = 'caldav',
): Promise<Clients> {
  const url = server.url()
  const client = new DAVClient({
    serverUrl: url,
    credentials,
    authMethod: 'Basic',
    defaultAccountType,
  })
  await client.login()
  return {url, client, dav: new DavClient({url, auth: basicAuth('ana', 'secret')})}
}
