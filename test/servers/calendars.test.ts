/**
 * Calendar servers: listing, deleting, retrying and stopping. They store calendar and address data only, so the files of
 * the other tests do not exist here. The stored data is still read from the disk.
 */
import {randomBytes} from 'node:crypto'
import {
  collections,
  DavClient,
  decodePath,
  encodePath,
  isRetryable,
  isSuccess,
  members,
  type DavResult,
  type Failure,
  partition,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {beforeAll, expect, it, vi} from 'vitest'
import {calendarServers} from './servers.ts'
import {
  makeCalendar,
  makeHome,
  putMember,
  readStored,
  removeMember,
  resourceTypes,
  urlOf,
} from './support/calendars.ts'
import {send} from './support/http.ts'
import {readConnections} from './support/port.ts'
import {resultsOf} from '../support/results.ts'
import {pathBelow, statusByPath} from './support/results.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {transports} from './support/transports.ts'
import {nastyNames, numbered} from './support/trees.ts'

const clientOf = (server: Server, collection = ''): DavClient =>
  new DavClient({url: server.url(collection), transport: undiciTransport()})

const properties = ['resourcetype', 'getcontentlength', 'getetag'] as const

// The guard refuses the names with control characters. All are harmless here.
const everyName = {unguarded: true} as const

const quickly = {minDelay: 1, maxDelay: 5} as const

/** Names of members that are stored and listed. Some have a `;`, next to a member with the name before that `;`. */
const oddNames = [
  ...nastyNames.filter((name) => name.length < 200).map((name) => `${name}.ics`),
  'no extension',
  'tilde~',
  'a.ics',
  'a.ics;v=2',
  'urn:uuid:e6b3ae1d-5b02-4a2e-9b35-3c0a7e8dd7f1.ics',
]

const namesOf = ({calendars}: Server): readonly string[] =>
  oddNames.filter((name) => !calendars.refuses(name))

describeServers(calendarServers, (server) => {
  const {traits, calendars} = server

  beforeAll(async () => {
    await makeHome(server, 'home')
    await makeCalendar(server, 'home/odd', namesOf(server))
    await makeCalendar(server, 'home/two words;v=1', numbered(3))
    await makeCalendar(server, 'home/people', ['1.vcf', '2.vcf'], 'addressbook')
    await makeCalendar(server, 'many', numbered(100))
  })

  it.for(transports)('Depth 1 lists every member of a calendar, over %s', async ([, transport]) => {
    const dav = new DavClient({url: server.url('home'), transport: transport()})

    const {successes, failures, summary} = await dav
      .propfind('odd/', {depth: 1, properties})
      .collect()

    expect(failures).toEqual([])
    expect(summary).toMatchObject({complete: true, incomplete: [], requests: 1})
    const [self, ...below] = successes
    expect(self).toMatchObject({url: `${server.url('home')}odd/`, relation: 'self', status: 200})
    expect(self?.properties.resourcetype?.toSorted()).toEqual(
      ['collection', resourceTypes.calendar].toSorted(),
    )
    expect(new Set(below.map(({relation}) => relation))).toEqual(new Set(['member']))
    const stored = await readStored(server, 'home/odd')
    expect([...stored.keys()].toSorted()).toEqual(namesOf(server).toSorted())
    expect(sizesByPath('home/odd', below)).toEqual(
      new Map([...stored].map(([name, size]) => [calendars.listedAs(name), size])),
    )
  })

  it('Depth 0 is the member alone, for every name, with the ETag of a GET', async () => {
    const dav = clientOf(server, 'home')
    const stored = await readStored(server, 'home/odd')

    for (const name of namesOf(server)) {
      const {headers} = await send(urlOf(server, `home/odd/${name}`))
      const result = await dav.stat(encodePath(`odd/${name}`), {properties})

      expect(headers.etag).toMatch(/^"[^"]+"$/)
      expect(result).toMatchObject({
        ok: true,
        relation: 'self',
        status: 200,
        properties: {
          resourcetype: [],
          getcontentlength: stored.get(name),
          getetag: headers.etag,
        },
      })
      expect(decodePath(result)).toBe(`/home/odd/${name}`)
    }
  })

  it('an address book is listed with its type, and an unknown property of a card is missing', async () => {
    const asked = ['resourcetype', '{urn:example}colour'] as const

    const {successes} = await clientOf(server)
      .propfind('home/people/', {depth: 1, properties: asked})
      .collect()

    expect(successes.map((result) => pathBelow('home/people', result)).toSorted()).toEqual([
      '',
      '1.vcf',
      '2.vcf',
    ])
    expect(successes[0]?.properties.resourcetype?.toSorted()).toEqual(
      ['collection', resourceTypes.addressbook].toSorted(),
    )
    for (const {missing} of successes)
      expect(missing).toMatchObject([{name: '{urn:example}colour', status: 404}])
  })

  it('an empty calendar has one result, itself', async () => {
    await makeCalendar(server, 'empty', [])

    const {successes, summary} = await clientOf(server)
      .propfind('empty/', {depth: 1, properties})
      .collect()

    expect(successes).toMatchObject([{relation: 'self', url: server.url('empty')}])
    expect(summary).toMatchObject({complete: true, successes: 1, failures: 0})
  })

  it.for([
    ['Depth infinity', 'infinity'],
    ['a walk', {walk: true}],
  ] as const)('%s lists calendars and all their members', async ([, depth]) => {
    const isOne = depth === 'infinity' && traits.infinity === 'answered'

    const {successes, failures, summary} = await clientOf(server)
      .propfind('home/', {depth, properties})
      .collect()

    expect(failures).toEqual([])
    expect(summary).toMatchObject({complete: true, incomplete: [], requests: isOne ? 1 : 4})
    const stored = await readStored(server, 'home')
    expect(sizesByPath('home', successes)).toEqual(
      new Map<string, number | 'collection'>([
        ['', 'collection'],
        ...[...stored].map(([path, size]): [string, number | 'collection'] => {
          const [calendar = '', name] = path.split('/')
          if (name === undefined) return [path, size]
          // The answer does not show the collection that such an href is relative to.
          if (isOne && calendars.hasRelativeHref(name)) return [calendars.listedAs(name), size]
          return [`${calendar}/${calendars.listedAs(name)}`, size]
        }),
      ]),
    )
  })

  it('Depth 1 lists calendars without their members', async () => {
    const {successes, summary} = await clientOf(server)
      .propfind('home/', {depth: 1, properties})
      .collect()

    expect(summary).toMatchObject({complete: true, requests: 1})
    expect(sizesByPath('home', successes)).toEqual(
      new Map([
        ['', 'collection'],
        ['odd', 'collection'],
        ['people', 'collection'],
        ['two words;v=1', 'collection'],
      ]),
    )
  })

  it.for([0, 1, 'infinity', {walk: true}] as const)(
    'a missing collection has status 404 and no complete listing: %o',
    async (depth) => {
      const url = `${server.url()}nowhere/at-all/`
      const raw = await send(url, {method: 'PROPFIND', headers: {depth: '1'}})
      expect(raw.status).toBe(calendars.missing)
      expect(raw.text).toMatch(calendars.missing === 207 ? /HTTP\/1\.1 404/ : /not be found/)

      const outcome = await clientOf(server)
        .propfind('nowhere/at-all/', {depth, properties})
        .collect()
        .then(
          ({successes, failures, summary: {complete}}) => ({
            complete,
            statuses: [...successes, ...failures].map(({status}) => status),
          }),
          (error: unknown) => ({complete: false, statuses: [statusOf(error)]}),
        )

      expect(outcome).toEqual({complete: false, statuses: [404]})
    },
  )

  it('stat gives 404 for a member that never existed and for a deleted one', async () => {
    await makeCalendar(server, 'stat', ['1.ics'])
    const dav = clientOf(server)
    expect(await dav.stat('stat/1.ics')).toMatchObject({ok: true, status: 200})
    await removeMember(server, 'stat/1.ics')

    for (const target of ['stat/1.ics', 'stat/2.ics', 'nowhere.ics']) {
      expect(await dav.stat(target)).toMatchObject({ok: false, status: 404})
    }
  })

  it('a request URL with `//` lists the same members', async () => {
    await makeHome(server, 'slashes')
    await makeCalendar(server, 'slashes/cal', ['1.ics', 'a.ics;v=2'])
    const url = `${server.url()}/slashes//cal/`
    const raw = await send(url, {method: 'PROPFIND', headers: {depth: '0'}})
    expect(raw.text).toContain(calendars.foldsSlashes ? '>/slashes/cal/<' : '>//slashes//cal/<')
    const dav = new DavClient({url, transport: undiciTransport()})

    const {successes, summary} = await dav.propfind('', {depth: 1, properties}).collect()

    expect(summary).toMatchObject({complete: true, successes: 3, failures: 0})
    expect(successes.map(({relation}) => relation)).toEqual(['self', 'member', 'member'])
    for (const {url: own} of successes) expect(new URL(own).origin).toBe(new URL(url).origin)
  })

  it('a sync token is kept as the server wrote it, and changes with the calendar', async () => {
    await makeCalendar(server, 'sync', ['1.ics', '2.ics'])
    const body =
      '<propfind xmlns="DAV:"><prop><sync-token/><n:getctag xmlns:n="http://calendarserver.org/ns/"/></prop></propfind>'
    const raw = await send(server.url('sync'), {
      method: 'PROPFIND',
      headers: {depth: '0', 'content-type': 'application/xml'},
      body,
    })
    const [token, tag] = [/sync-token>([^<]+)</, /getctag>([^<]+)</].map(
      (pattern) => pattern.exec(raw.text)?.[1],
    )
    expect(token).toMatch(calendars.syncToken)
    const dav = clientOf(server)
    const asked = ['sync-token', '{http://calendarserver.org/ns/}getctag'] as const

    const before = await dav.stat('sync/', {properties: asked})
    await removeMember(server, 'sync/2.ics')
    const after = await dav.stat('sync/', {properties: asked})

    expect(before).toMatchObject({
      properties: {'sync-token': token, '{http://calendarserver.org/ns/}getctag': tag},
    })
    expect(after).toMatchObject({
      properties: {'sync-token': expect.stringMatching(calendars.syncToken)},
    })
    expect(after).not.toMatchObject({properties: {'sync-token': token}})
  })

  if (calendars.hasRelativeHref('a:b.ics'))
    it('Depth infinity lists a member with a colon in its name at a wrong place', async () => {
      await makeHome(server, 'colons')
      await makeCalendar(server, 'colons/cal', ['1.ics', 'a:b.ics'])
      const dav = clientOf(server)

      const listed = await dav.propfind('colons/', {depth: 'infinity', properties}).collect()
      const {successes, failures} = await dav
        .deleteMany(listed.successes.filter(({href}) => href === 'a%3Ab.ics'))
        .collect()

      expect([...sizesByPath('colons', listed.successes).keys()].toSorted()).toEqual([
        '',
        'a:b.ics',
        'cal',
        'cal/1.ics',
      ])
      expect(successes).toEqual([])
      expect(failures).toMatchObject([{relation: 'self', status: 404}])
      expect([...(await readStored(server, 'colons')).keys()].toSorted()).toEqual([
        'cal',
        'cal/1.ics',
        'cal/a:b.ics',
      ])
    })

  it('a deleted member is one Success, and the others stay', async () => {
    await makeCalendar(server, 'single', ['1.ics', '2.ics', '3.ics'])
    const raw = await send(urlOf(server, 'single/3.ics'), {method: 'DELETE'})
    expect(raw.status).toBe(calendars.deleted)
    expect(raw.text).toMatch(calendars.deleted === 200 ? /<multistatus xmlns="DAV:"/ : /^$/)

    const {successes, failures} = partition(
      resultsOf(await clientOf(server).delete('single/1.ics')),
    )

    expect(successes).toMatchObject([
      {url: `${server.url('single')}1.ics`, relation: 'self', status: calendars.deleted},
    ])
    expect(failures).toEqual([])
    expect([...(await readStored(server, 'single')).keys()]).toEqual(['2.ics'])
  })

  it.for(['with/', 'without'])(
    'a deleted calendar is one Success, %s a slash in its target',
    async (name) => {
      const path = name.replace('/', '')
      await makeCalendar(server, path, numbered(3))

      const {successes, failures} = partition(resultsOf(await clientOf(server).delete(name)))

      expect(failures).toEqual([])
      expect(successes).toMatchObject([{relation: 'self', status: calendars.deleted}])
      expect(
        [...(await readStored(server, ''))].filter(([stored]) => stored.startsWith(path)),
      ).toEqual([])
    },
  )

  it('a missing target is a Failure 404', async () => {
    await makeCalendar(server, 'gone', ['1.ics'])

    for (const target of ['gone/2.ics', 'gone/2.ics/', 'nowhere/', 'nowhere/1.ics']) {
      const {successes, failures} = partition(resultsOf(await clientOf(server).delete(target)))

      expect(successes).toEqual([])
      expect(failures).toMatchObject([{relation: 'self', reason: 'status', status: 404}])
    }
    expect([...(await readStored(server, 'gone')).keys()]).toEqual(['1.ics'])
  })

  it('every listed name is deleted by its result; a member listed under another name is a Failure 404', async () => {
    await makeCalendar(server, 'listed', namesOf(server))
    const dav = clientOf(server)
    const isFound = (name: string): boolean => calendars.listedAs(name) === name

    const listing = dav.propfind('listed/', {depth: 1, properties})
    const {successes, failures} = await dav.deleteMany(members(listing), everyName).collect()

    expect(statusByPath('listed', successes)).toEqual(
      Object.fromEntries(
        namesOf(server)
          .filter(isFound)
          .map((name) => [name, calendars.deleted]),
      ),
    )
    const others = namesOf(server).filter((name) => !isFound(name))
    expect(statusByPath('listed', failures)).toEqual(
      Object.fromEntries(others.map((name) => [calendars.listedAs(name), 404])),
    )
    expect([...(await readStored(server, 'listed')).keys()].toSorted()).toEqual(others.toSorted())
  })

  it('every name is deleted by its encoded path', async () => {
    await makeCalendar(server, 'encoded', namesOf(server))
    const targets = namesOf(server).map((name) => encodePath(`encoded/${name}`))

    const {successes, failures} = await clientOf(server).deleteMany(targets, everyName).collect()

    expect(failures).toEqual([])
    expect(successes).toHaveLength(targets.length)
    expect([...(await readStored(server, 'encoded')).keys()]).toEqual([])
  })

  it('a name with `;` is deleted, and the name before the `;` is kept', async () => {
    await makeHome(server, 'semicolons')
    await makeCalendar(server, 'semicolons/cal', ['a.ics', 'a.ics;v=2'])
    await makeCalendar(server, 'semicolons/cal;v=2', ['1.ics'])
    const dav = clientOf(server)
    const listed = await dav.propfind('semicolons/cal/', {depth: 1, properties}).collect()
    const homes = await dav.propfind('semicolons/', {depth: 1, properties}).collect()

    const targets = [...listed.successes, ...homes.successes].filter(
      (result) => decodePath(result)?.replace(/\/$/, '').endsWith(';v=2') === true,
    )
    const {successes, failures} = await dav.deleteMany(targets).collect()

    expect(failures).toEqual([])
    expect(statusByPath('semicolons', successes)).toEqual({
      'cal/a.ics;v=2': calendars.deleted,
      'cal;v=2': calendars.deleted,
    })
    expect([...(await readStored(server, 'semicolons')).keys()].toSorted()).toEqual([
      'cal',
      'cal/a.ics',
    ])
  })

  it('a bulk call has one result for each of 50 targets, and all of them are gone', async () => {
    await makeHome(server, 'bulk')
    await makeCalendar(server, 'bulk/cal', numbered(40))
    for (const name of numbered(10)) await makeCalendar(server, `bulk/${name}`, ['1.ics'])
    await makeCalendar(server, 'bulk/kept', ['1.ics'])
    const dav = clientOf(server)
    const listing = await dav.propfind('bulk/cal/', {depth: 1, properties}).collect()
    const homes = dav.propfind('bulk/', {depth: 1, properties})
    const targets: DavResult[] = listing.successes.filter(({relation}) => relation === 'member')
    for await (const home of collections(members(homes)))
      if (/\d\.txt$/.test(decodePath(home)?.replace(/\/$/, '') ?? '')) targets.push(home)

    const {successes, failures, summary} = await dav.deleteMany(targets).collect()

    expect(failures).toEqual([])
    expect(new Set(successes.map(({relation, status}) => `${relation} ${status}`))).toEqual(
      new Set([`self ${calendars.deleted}`]),
    )
    expect(successes.map(({url}) => url).toSorted()).toEqual(targets.map(({url}) => url).toSorted())
    expect(summary).toMatchObject({successes: 50, failures: 0, requests: 50})
    expect([...(await readStored(server, 'bulk')).keys()].toSorted()).toEqual([
      'cal',
      'kept',
      'kept/1.ics',
    ])
  })

  it('a missing target of a bulk call is a Failure 404; the others are deleted', async () => {
    await makeCalendar(server, 'gaps', ['0.ics', '1.ics', '2.ics'])

    const {successes, failures} = await clientOf(server, 'gaps')
      .deleteMany(['0.ics', 'missing.ics', '1.ics', 'missing/too.ics', '2.ics'])
      .collect()

    expect(statusByPath('gaps', successes)).toEqual({
      '0.ics': calendars.deleted,
      '1.ics': calendars.deleted,
      '2.ics': calendars.deleted,
    })
    expect(statusByPath('gaps', failures)).toEqual({'missing.ics': 404, 'missing/too.ics': 404})
    expect([...(await readStored(server, 'gaps')).keys()]).toEqual([])
  })

  it('with ifUnchanged a changed member is kept', async () => {
    await makeCalendar(server, 'unchanged', ['1.ics', '2.ics', 'changed;v=2.ics'])
    const dav = clientOf(server)
    const listed = await dav.propfind('unchanged/', {depth: 1, properties}).collect()
    await putMember(server, 'unchanged/changed;v=2.ics', {summary: 'another one'})

    const targets = listed.successes.filter(({relation}) => relation === 'member')
    const {successes, failures} = await dav.deleteMany(targets, {ifUnchanged: true}).collect()

    expect(statusByPath('unchanged', successes)).toEqual({
      '1.ics': calendars.deleted,
      '2.ics': calendars.deleted,
    })
    expect(statusByPath('unchanged', failures)).toEqual({'changed;v=2.ics': 412})
    expect([...(await readStored(server, 'unchanged')).keys()]).toEqual(['changed;v=2.ics'])
  })

  it('with ifUnchanged a calendar is not sent, although it has an ETag', async () => {
    await makeCalendar(server, 'whole', ['1.ics'])
    const dav = clientOf(server)
    const listed = await dav.stat('whole/', {properties})
    expect(listed).toMatchObject({properties: {getetag: expect.stringMatching(/^"[^"]+"$/)}})

    const {successes, failures, summary} = await dav
      .deleteMany([listed], {ifUnchanged: true})
      .collect()

    expect(successes).toEqual([])
    expect(failures).toMatchObject([{relation: 'self', status: 0}])
    expect(summary).toMatchObject({requests: 0})
    expect([...(await readStored(server, 'whole')).keys()]).toEqual(['1.ics'])
  })

  it('targets that a stopped server did not answer are deleted after its restart', async () => {
    await makeCalendar(server, 'outage', [...numbered(10), 'a.ics;v=2'])
    const dav = clientOf(server)
    const listing = await dav.propfind('outage/', {depth: 1, properties}).collect()
    const targets = listing.successes.filter(({relation}) => relation === 'member')
    expect(targets).toHaveLength(11)

    const {successes, failures} = await server.whileStopped(() => dav.deleteMany(targets).collect())
    expect(successes).toEqual([])
    expect(failures.map(({reason, status}) => `${reason} ${status}`)).toEqual(
      targets.map(() => 'no-answer 0'),
    )
    expect(failures.every(isRetryable)).toBe(true)
    expect(await readStored(server, 'outage')).toHaveProperty('size', 11)

    const queued: Failure[] = JSON.parse(JSON.stringify(failures))
    // Another user deletes one meanwhile: 404 on a repeated DELETE is success.
    await removeMember(server, 'outage/0.txt')
    const retried = await clientOf(server).retry(queued, quickly).collect()

    expect(retried.failures).toEqual([])
    expect(Object.keys(statusByPath('outage', retried.successes)).toSorted()).toEqual(
      [...numbered(10), 'a.ics;v=2'].toSorted(),
    )
    expect([...(await readStored(server, 'outage')).keys()]).toEqual([])
  })

  // Enough long names that no buffer of a connection holds the answer. Radicale sends it with gzip.
  const unknown = Array.from({length: 300}, () => {
    return `{urn:example}p${randomBytes(500).toString('hex')}` as const
  })

  it.for(transports)('a break frees the connection, over %s', async ([, transport]) => {
    const before = await readConnections(server.port)
    const dav = new DavClient({url: server.url(), transport: transport()})

    const results = dav.propfind('many/', {depth: 1, properties: ['resourcetype', ...unknown]})
    let opened: readonly string[] = []
    for await (const result of results) {
      expect(isSuccess(result)).toBe(true)
      opened = [...(await readConnections(server.port))].filter((one) => !before.has(one))
      break
    }

    expect(opened).toHaveLength(1)
    expect(await results.summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'stopped'}],
    })
    await vi.waitFor(async () => {
      const open = await readConnections(server.port)
      expect(opened.filter((connection) => open.has(connection))).toEqual([])
    }, 3000)
  })
})

/** Maps the path of each result to its size or type, in the form of the disk. */
function sizesByPath(
  collection: string,
  results: readonly {
    readonly url: string
    readonly properties: {resourcetype?: readonly string[]; getcontentlength?: number}
  }[],
): Map<string, number | 'collection' | undefined> {
  const sizes = new Map<string, number | 'collection' | undefined>()
  for (const result of results) {
    const path = pathBelow(collection, result)
    if (sizes.has(path)) throw new Error(`two results for ${result.url}`)
    const {resourcetype, getcontentlength} = result.properties
    sizes.set(path, resourcetype?.includes('collection') === true ? 'collection' : getcontentlength)
  }
  return sizes
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'status' in error ? error.status : error
}
