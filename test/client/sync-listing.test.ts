// States the sync of a server without the report sync-collection: ETags of a listing are compared with the state. A resource is
// called gone only after a whole listing. RFC 6578, section 3; RFC 4918, section 9.1.

import {DavClient, DavHttpError, SyncState} from 'multistatus'
import type {MultiStatusResponse} from 'multistatus/testing'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type Answer, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {readToEnd} from '../support/results.ts'
import {
  change,
  collection,
  cut,
  listingOf,
  member,
  page,
  readSync,
  refusal,
  removed,
  tokenOf,
} from '../support/sync-answers.ts'

vi.setConfig({testTimeout: 4000})

const CTAG = '{http://calendarserver.org/ns/}getctag'
const FILE_ID = '{http://owncloud.org/ns}fileid'

let server: FaultServer
let dav: DavClient
let lists: Record<string, readonly MultiStatusResponse[] | Answer>
let self: MultiStatusResponse
let report: Answer

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport: undiciTransport()})
  report = {status: 501}
  self = collection('/docs/')
  lists = {}
  server.script(({method, url, headers}) => {
    if (method === 'REPORT') return report
    if (headers['depth'] === '0') return listingOf(self)
    const list = lists[url] ?? {status: 404}
    return 'status' in list ? list : listingOf(collection(url), ...list)
  })
})

afterEach(() => server.close())

/** The method, Depth and path of each request since the last call. */
function sent(): readonly string[] {
  const requests = server.requests.map(({method, url, headers}) =>
    method === 'REPORT' ? method : [headers['depth'], url].join(' '),
  )
  server.forget()
  return requests
}

const changesOf = async (state: SyncState, level: 1 | 'infinity' = 1): Promise<readonly string[]> =>
  (await readSync(dav.sync('docs/', {state, level}))).changes

describe('a refused report', () => {
  const page200 = {status: 200, headers: {'content-type': 'text/html'}, body: '<html>Hello</html>'}
  it.each<[string, Answer]>([
    ...[400, 404, 405, 415, 501].map((status): [string, Answer] => [`${status}`, {status}]),
    ['403 supported-report', refusal(403, 'supported-report')],
    ['a page for people', page200],
    ['a Multi-Status without a token', listingOf({href: '/docs/', status: 403})],
  ])('is replaced by a listing: %s', async (_, answer) => {
    report = answer
    lists['/docs/'] = [member('/docs/a', '1'), collection('/docs/sub/')]
    const {changes, summary} = await readSync(dav.sync('docs/'))
    expect(changes).toEqual(['changed /docs/a "1"', 'changed /docs/sub/ -'])
    expect(sent()).toEqual(['REPORT', '1 /docs/'])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      covers: 'all',
      successes: 2,
      failures: 0,
      requests: 2,
    })
  })

  it.each([401, 429, 500, 503])(
    'is an error with %i, which says nothing of the report',
    async (status) => {
      report = {status}
      const {error} = await readToEnd(dav.sync('docs/'))
      expect(error).toMatchObject({name: 'DavHttpError', status})
      expect(sent()).toEqual(['REPORT'])
    },
  )

  it('of level infinity that names collections without members is followed by a walk', async () => {
    report = page('t1', collection('/docs/s/'), member('/docs/a', '1'))
    lists['/docs/'] = [collection('/docs/s/'), member('/docs/a', '1')]
    lists['/docs/s/'] = [member('/docs/s/b', '1')]
    const state = new SyncState()
    expect(await changesOf(state, 'infinity')).toEqual([
      'changed /docs/s/ -',
      'changed /docs/a "1"',
      'changed /docs/s/b "1"',
    ])
    expect(sent()).toEqual(['REPORT', '0 /docs/', '1 /docs/', '1 /docs/s/'])
    await changesOf(state, 'infinity')
    expect(sent()).not.toContain('REPORT')
  })

  it('of level infinity is believed if it names members of collections', async () => {
    report = page('t1', collection('/docs/s/'), member('/docs/s/b', '1'))
    const {summary} = await readSync(dav.sync('docs/', {level: 'infinity'}))
    expect(summary).toMatchObject({complete: true, syncToken: 't1', requests: 1})
  })

  it.each<[string, Answer]>([
    ['a bare 403', {status: 403}],
    ['a missing privilege', refusal(403, 'need-privileges')],
    ['409', {status: 409}],
  ])('may be answered next time: %s is forgotten', async (_, answer) => {
    const state = new SyncState()
    report = answer
    lists['/docs/'] = [member('/docs/a', '1')]
    expect(await changesOf(state)).toEqual(['changed /docs/a "1"'])
    report = page('t1', member('/docs/a', '1'), member('/docs/b', '1'))
    expect(await changesOf(state)).toEqual(['changed /docs/b "1"'])
    expect(state.token).toBe('t1')
    report = answer
    lists['/docs/'] = [member('/docs/a', '2')]
    expect(await changesOf(state)).toEqual(['changed /docs/a "2"', 'gone /docs/b'])
    expect(state.token).toBe('t1')
    sent()
    report = page('t2', member('/docs/a', '2'), {href: '/docs/b', status: 404})
    // The report repeats what the listing had found.
    expect(await changesOf(await SyncState.read(state.lines()))).toEqual(['gone /docs/b'])
    expect(sent()).toEqual(['REPORT'])
  })

  it.each<[string, Answer]>([
    ['a page for people', page200],
    ['a Multi-Status without a token', listingOf({href: '/docs/', status: 403})],
  ])('by %s leaves the token of an earlier sync alone', async (_, answer) => {
    const state = new SyncState()
    report = page('t1', member('/docs/a', '1'))
    await changesOf(state)
    report = answer
    lists['/docs/'] = [member('/docs/a', '2')]
    expect(await changesOf(state)).toEqual(['changed /docs/a "2"'])
    expect(state.token).toBe('t1')
  })

  it.each<[string, Answer]>([
    ['supported-report', refusal(403, 'supported-report')],
    ['sync-traversal-supported', refusal(403, 'sync-traversal-supported')],
    ['a page for people', page200],
  ])('with %s is not sent again', async (_, answer) => {
    const state = new SyncState()
    report = answer
    lists['/docs/'] = []
    await changesOf(state, 'infinity')
    sent()
    await changesOf(state, 'infinity')
    expect(sent()).toEqual(['0 /docs/', '1 /docs/'])
  })

  it('of a missing collection is the error of its listing', async () => {
    report = {status: 404}
    lists['/docs/'] = {status: 404}
    const state = new SyncState()
    const {results, error} = await readToEnd(dav.sync('docs/', {state}))
    expect(results).toEqual([])
    expect(error).toBeInstanceOf(DavHttpError)
    expect(error).toMatchObject({method: 'PROPFIND', status: 404})
  })

  it('is not sent again with the state of an earlier sync', async () => {
    const state = new SyncState()
    lists['/docs/'] = []
    await changesOf(state)
    await changesOf(await SyncState.read(state.lines()))
    expect(sent()).toEqual(['REPORT', '0 /docs/', '1 /docs/', '0 /docs/', '1 /docs/'])
    expect(state.token).toBeUndefined()
  })
})

describe('a server that takes level infinity for 1', () => {
  const known = (): Promise<SyncState> =>
    SyncState.read([
      JSON.stringify({version: 1, url: `${server.url}docs/`, level: 'infinity'}),
      ...['a', 's', 's/b'].map((path) => JSON.stringify([path, path === 's' ? '/' : '"1"'])),
      '{"token":"t1"}',
    ])

  /** Gives the report with one token another answer. */
  const script = (token?: string, answer = report): void =>
    server.script(({method, url, headers, body}) => {
      if (method === 'REPORT') return tokenOf(body) === token ? answer : report
      if (headers['depth'] === '0')
        return listingOf(url.endsWith('/') ? collection(url) : member(url, '1'))
      const rows = lists[url] ?? {status: 404}
      return 'status' in rows ? rows : listingOf(collection(url), ...rows)
    })

  beforeEach(() => {
    lists = {
      '/docs/': [member('/docs/a', '1'), collection('/docs/s/')],
      '/docs/s/': [member('/docs/s/b', '1')],
    }
    script()
  })

  it('is noticed by a new collection without members, which is then listed', async () => {
    const state = new SyncState()
    report = page('t1', member('/docs/a', '1'))
    await changesOf(state, 'infinity')
    expect(state.token).toBe('t1')
    report = page('t2', collection('/docs/s/'))
    expect(await changesOf(state, 'infinity')).toEqual([
      'changed /docs/s/ -',
      'changed /docs/s/b "1"',
    ])
    lists['/docs/s/'] = [member('/docs/s/b', '2')]
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/b "2"'])
  })

  it('is noticed by a new collection after a listing that failed', async () => {
    const state = new SyncState()
    report = page('t1', member('/docs/a', '1'))
    await changesOf(state, 'infinity')
    report = page('t2', collection('/docs/s/'))
    const whole = lists
    lists = {'/docs/': {status: 503}}
    await readToEnd(dav.sync('docs/', {state, level: 'infinity'}))
    lists = whole
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/b "1"'])
  })

  it('is noticed by a page with a new collection, although the next page breaks off', async () => {
    const state = new SyncState()
    report = page('t1', member('/docs/a', '1'))
    await changesOf(state, 'infinity')
    report = page('p1', collection('/docs/s/'), cut('/docs/'))
    script('p1', {status: 503})
    await readToEnd(dav.sync('docs/', {state, level: 'infinity'}))
    script('p1', page('t2', removed('/docs/a')))
    lists['/docs/'] = [collection('/docs/s/')]
    expect(await changesOf(state, 'infinity')).toEqual(['gone /docs/a', 'changed /docs/s/b "1"'])
  })

  it.each<[string, readonly MultiStatusResponse[]]>([
    ['no collection', [member('/docs/a', '1')]],
    ['collections alone', [member('/docs/a', '1'), collection('/docs/s/')]],
  ])('calls nothing gone if its full answer names %s', async (_, rows) => {
    const state = await known()
    script('t1', refusal(403, 'valid-sync-token'))
    report = page('t2', ...rows)
    expect(await changesOf(state, 'infinity')).toEqual([])
    expect(state.size).toBe(3)
  })

  it('is none if members of collections are known: a new collection is empty', async () => {
    const state = await known()
    report = page('t2', collection('/docs/new/'))
    const {changes, summary} = await readSync(dav.sync('docs/', {state, level: 'infinity'}))
    expect(changes).toEqual(['changed /docs/new/ -'])
    expect(summary).toMatchObject({complete: true, syncToken: 't2', covers: 'changes'})
  })

  it('is none if it names members of collections later, and its token counts', async () => {
    const state = new SyncState()
    report = page('t1', member('/docs/a', '1'))
    await changesOf(state, 'infinity')
    report = page('t2', collection('/docs/s/'))
    lists['/docs/s/'] = []
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/ -'])
    report = page('t3', collection('/docs/s/'), member('/docs/s/b', '1'))
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/b "1"'])
    expect(state.token).toBe('t3')
  })

  it.each(['sync-traversal-supported', 'supported-report'])(
    'says so by %s, and is listed whenever it does',
    async (condition) => {
      const state = new SyncState()
      report = page('t1', collection('/docs/t/'), member('/docs/t/c', '1'))
      await changesOf(state, 'infinity')
      lists['/docs/'] = [collection('/docs/s/'), collection('/docs/t/')]
      lists['/docs/t/'] = [member('/docs/t/c', '1')]
      const left = {href: '/docs/s/', status: 403, conditions: [condition]}
      report = page('t2', left, member('/docs/t/c', '1'))
      const changes = await changesOf(state, 'infinity')
      expect(changes).toEqual(['403 /docs/s/', 'changed /docs/s/ -', 'changed /docs/s/b "1"'])
      report = page('t3', member('/docs/t/c', '2'), member('/docs/s/b', '1'))
      script('t1', refusal(403, 'valid-sync-token'))
      expect(await changesOf(state, 'infinity')).toContain('changed /docs/t/c "2"')
      expect(state.token).toBe('t3')
    },
  )

  it('without a state is noticed by its first answer alone', async () => {
    report = page('t2', collection('/docs/s/'))
    const first = await readSync(dav.sync('docs/', {level: 'infinity'}))
    expect(first.changes).toContain('changed /docs/s/b "1"')
    const {summary} = await readSync(dav.sync('docs/', {token: 't1', level: 'infinity'}))
    expect(summary).toMatchObject({complete: true, syncToken: 't2', covers: 'changes'})
  })

  it('calls nothing gone below a collection that it refuses', async () => {
    const state = await known()
    script('t1', refusal(403, 'valid-sync-token'))
    const refused = {href: '/docs/s/', status: 403}
    report = page('t2', collection('/docs/t/'), member('/docs/t/c', '1'), refused)
    const changes = await changesOf(state, 'infinity')
    expect(changes).toEqual([
      'changed /docs/t/ -',
      'changed /docs/t/c "1"',
      '403 /docs/s/',
      'gone /docs/a',
    ])
    expect(state.token).toBe('t2')
  })
})

describe('a collection that refuses its listing', () => {
  const refused = {status: 403}

  it.each<[string, number, boolean]>([
    ['by 403', 403, false],
    ['by 405', 405, false],
    ['by 403 in a 207', 403, true],
  ])('%s keeps its members, and removals elsewhere are told', async (_, status, isRow) => {
    const state = new SyncState()
    lists = {
      '/docs/': [collection('/docs/s/', 's1'), member('/docs/a', '1'), member('/docs/b', '1')],
      '/docs/s/': [member('/docs/s/c', '1')],
    }
    await changesOf(state, 'infinity')
    lists['/docs/'] = [
      isRow ? {href: '/docs/s/', status} : collection('/docs/s/', 's1'),
      member('/docs/b', '2'),
    ]
    lists['/docs/s/'] = {status}
    const {changes, summary} = await readSync(dav.sync('docs/', {state, level: 'infinity'}))
    expect(changes.toSorted()).toEqual([
      `${status} /docs/s/`,
      'changed /docs/b "2"',
      'gone /docs/a',
    ])
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/s/`, status}],
    })
    expect(await changesOf(state, 'infinity')).toEqual([`${status} /docs/s/`])
    lists['/docs/'] = [collection('/docs/s/', 's1'), member('/docs/b', '2')]
    lists['/docs/s/'] = []
    expect(await changesOf(state, 'infinity')).toEqual(['gone /docs/s/c'])
  })

  it('is asked for again by each sync, although the ETags around it are the same', async () => {
    const state = new SyncState()
    self = {
      href: '/docs/',
      properties: {resourcetype: ['collection'], getetag: '"r1"', [FILE_ID]: '7'},
    }
    lists = {
      '/docs/': [collection('/docs/p/', 'p1'), collection('/docs/q/', 'q1')],
      '/docs/p/': [collection('/docs/p/s/', 's1')],
      '/docs/p/s/': refused,
      '/docs/q/': [member('/docs/q/a', '1')],
    }
    await changesOf(state, 'infinity')
    sent()
    expect(await changesOf(state, 'infinity')).toContain('403 /docs/p/s/')
    expect(sent()).toEqual(['0 /docs/', '1 /docs/', '1 /docs/p/', '1 /docs/p/s/'])
    lists['/docs/p/s/'] = [member('/docs/p/s/b', '1')]
    expect(await changesOf(state, 'infinity')).toContain('changed /docs/p/s/b "1"')
    expect(await changesOf(state, 'infinity')).toEqual([])
  })

  it('has its ETag from the first listing of it, and the report is not sent again', async () => {
    const state = new SyncState()
    lists = {'/docs/': [collection('/docs/s/', 's1')], '/docs/s/': refused}
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/ "s1"', '403 /docs/s/'])
    sent()
    expect(await changesOf(state, 'infinity')).toEqual(['403 /docs/s/'])
    expect(sent()).toEqual(['0 /docs/', '1 /docs/', '1 /docs/s/'])
  })

  it('in a report only may have other gaps in its listing', async () => {
    const state = new SyncState()
    lists = {'/docs/': [collection('/docs/s/')], '/docs/s/': [member('/docs/s/c', '1')]}
    await changesOf(state, 'infinity')
    const unread = {status: 403, properties: ['resourcetype']}
    lists['/docs/s/'] = [{href: '/docs/s/d', propstats: [{properties: {getetag: '"1"'}}, unread]}]
    report = listingOf({href: '/docs/s/', status: 403})
    const known = await SyncState.read([...state.lines()].filter((line) => !line.includes('tag')))
    expect(await changesOf(known, 'infinity')).toEqual(['403 /docs/s/', 'changed /docs/s/d "1"'])
  })

  it('makes a sync without a state incomplete: its members may be there', async () => {
    lists = {'/docs/': [collection('/docs/s/')], '/docs/s/': refused}
    const {summary} = await readSync(dav.sync('docs/', {level: 'infinity'}))
    expect(summary.complete).toBe(false)
  })
})

describe('a compared listing', () => {
  it('gives what is new, has another ETag, or is gone', async () => {
    const state = new SyncState()
    lists['/docs/'] = [member('/docs/a', '1'), member('/docs/b', '1'), member('/docs/c', '1')]
    expect(await changesOf(state)).toEqual([
      'changed /docs/a "1"',
      'changed /docs/b "1"',
      'changed /docs/c "1"',
    ])
    lists['/docs/'] = [member('/docs/a', '1'), member('/docs/b', '2'), member('/docs/d', '1')]
    expect(await changesOf(state)).toEqual([
      'changed /docs/b "2"',
      'changed /docs/d "1"',
      'gone /docs/c',
    ])
    expect(await changesOf(state)).toEqual([])
  })

  it('tells that a file without an ETag is a collection now', async () => {
    const state = new SyncState()
    lists['/docs/'] = [{href: '/docs/s', properties: {resourcetype: []}}]
    await changesOf(state, 'infinity')
    lists['/docs/'] = [collection('/docs/s/')]
    lists['/docs/s/'] = [member('/docs/s/a', '1')]
    expect(await changesOf(state, 'infinity')).toEqual([
      'changed /docs/s/ -',
      'changed /docs/s/a "1"',
    ])
    lists['/docs/'] = [member('/docs/s', '1')]
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s "1"', 'gone /docs/s/a'])
  })

  it('has no lines for the journal if nothing changed', async () => {
    const state = new SyncState()
    lists['/docs/'] = [collection('/docs/s/'), collection('/docs/e/', 'e')]
    lists['/docs/s/'] = [member('/docs/s/a', '1')]
    lists['/docs/e/'] = []
    const saves: string[] = []
    const onPage = (lines: string): void => {
      saves.push(lines)
    }
    await readSync(dav.sync('docs/', {state, level: 'infinity', onPage}))
    expect(saves).not.toEqual([])
    saves.length = 0
    const {changes} = await readSync(dav.sync('docs/', {state, level: 'infinity', onPage}))
    expect([changes, saves]).toEqual([[], []])
  })

  it('is read in pages, and calls nothing gone before the last one', async () => {
    const state = new SyncState()
    const hrefs = ['/docs/a', '/docs/b', '/docs/c', '/docs/d']
    lists['/docs/'] = hrefs.map((href) => member(href, '1'))
    await changesOf(state)
    sent()
    const headers = {
      'x-nc-paginate': 'true',
      'x-nc-paginate-token': 't1',
      'x-nc-paginate-total': '4',
    }
    const pages: readonly Answer[] = [
      {...listingOf(collection('/docs/'), member('/docs/a', '1')), headers},
      listingOf(member('/docs/c', '2'), member('/docs/e', '1')),
    ]
    server.script((request) => {
      if (request.headers['depth'] === '0') return listingOf(self)
      return pages[request.headers['x-nc-paginate-offset'] === '2' ? 1 : 0] ?? {status: 404}
    })
    const journal: string[] = []
    const onPage = (lines: string): void => void journal.push(lines)
    const {changes, summary} = await readSync(dav.sync('docs/', {state, onPage, pages: {size: 2}}))
    expect(changes).toEqual([
      'changed /docs/c "2"',
      'changed /docs/e "1"',
      'gone /docs/b',
      'gone /docs/d',
    ])
    expect(summary).toMatchObject({complete: true, covers: 'all', requests: 3})
    expect(sent()).toEqual(['0 /docs/', '1 /docs/', '1 /docs/'])
    expect(journal).not.toEqual([])
  })

  it('tells a gone resource with its URL, its relation and a status of its own', async () => {
    const state = new SyncState()
    lists['/docs/'] = [collection('/docs/s/')]
    lists['/docs/s/'] = [member('/docs/s/%C3%A4', '1')]
    await changesOf(state, 'infinity')
    lists['/docs/'] = []
    const {failures} = await dav.sync('docs/', {state, level: 'infinity'}).collect()
    expect(failures.toSorted((one, other) => one.href.length - other.href.length)).toMatchObject([
      {
        url: `${server.url}docs/s`,
        href: '/docs/s',
        relation: 'member',
        status: 404,
        reason: 'status',
      },
      {url: `${server.url}docs/s/%C3%A4`, relation: 'descendant', status: 404, conditions: []},
    ])
  })

  it('has a file without an ETag as changed each time, and a collection without one as new once', async () => {
    const state = new SyncState()
    lists['/docs/'] = [{href: '/docs/a', properties: {resourcetype: []}}, collection('/docs/s/')]
    expect(await changesOf(state)).toEqual(['changed /docs/a -', 'changed /docs/s/ -'])
    expect(await changesOf(state)).toEqual(['changed /docs/a -'])
  })

  it.each<[string, MultiStatusResponse]>([
    ['507 for the collection', {href: '/docs/', status: 507}],
    ['a member with 500', {href: '/docs/b', status: 500}],
    ['a response without an href', {status: 200}],
    ['a member at another path', member('/other/b', '1')],
  ])('calls nothing gone beside %s', async (_, odd) => {
    const state = new SyncState()
    lists['/docs/'] = [member('/docs/a', '1'), member('/docs/b', '1')]
    await changesOf(state)
    lists['/docs/'] = [odd, member('/docs/c', '1')]
    const {changes, summary} = await readSync(dav.sync('docs/', {state}))
    expect(changes.filter((one) => one.startsWith('gone'))).toEqual([])
    expect(summary.complete).toBe(false)
    lists['/docs/'] = [member('/docs/b', '1'), member('/docs/c', '1')]
    expect(await changesOf(state)).toEqual(['gone /docs/a'])
  })

  it('calls nothing gone while a collection below cannot be listed', async () => {
    const state = new SyncState()
    lists['/docs/'] = [collection('/docs/s/'), member('/docs/a', '1')]
    lists['/docs/s/'] = [member('/docs/s/b', '1')]
    await changesOf(state, 'infinity')
    lists['/docs/'] = [collection('/docs/s/')]
    lists['/docs/s/'] = {status: 500}
    const {changes, summary} = await readSync(dav.sync('docs/', {state, level: 'infinity'}))
    expect(changes).toEqual(['500 /docs/s/'])
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/s/`, reason: 'refused', status: 500}],
    })
    expect(state.size).toBe(3)
  })
  it('does not call a listed collection gone that answers its own listing with 404', async () => {
    const state = new SyncState()
    lists['/docs/'] = [collection('/docs/s/'), member('/docs/a', '1')]
    lists['/docs/s/'] = [member('/docs/s/b', '1')]
    await changesOf(state, 'infinity')
    lists['/docs/s/'] = {status: 404}
    const {changes, summary} = await readSync(dav.sync('docs/', {state, level: 'infinity'}))
    expect(changes).toEqual([])
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/s/`, reason: 'refused', status: 404}],
    })
    expect(state.size).toBe(3)
  })

  it('has no sync-token, even if the answer to a PROPFIND has one', async () => {
    server.script(({method}) =>
      method === 'REPORT'
        ? {status: 501}
        : page('t1', collection('/docs/'), {href: '/docs/a', status: 500}),
    )
    const {summary} = await readSync(dav.sync('docs/'))
    expect(summary.complete).toBe(false)
    expect(summary).not.toHaveProperty('syncToken')
  })
})

describe('the tag of a collection', () => {
  it('that changed back after an interrupted sync does not end the sync', async () => {
    const state = new SyncState()
    self = tagged('c1')
    lists['/docs/'] = [member('/docs/a', '1'), member('/docs/b', '1')]
    await changesOf(state)
    self = tagged('c2')
    lists['/docs/'] = [member('/docs/a', '2'), {href: '/docs/b', status: 500}]
    expect(await changesOf(state)).toEqual(['changed /docs/a "2"', '500 /docs/b'])
    self = tagged('c1')
    lists['/docs/'] = [member('/docs/a', '1'), member('/docs/b', '1')]
    expect(await changesOf(state)).toEqual(['changed /docs/a "1"'])
  })

  const tagged = (tag: string): MultiStatusResponse => ({
    href: '/docs/',
    properties: {resourcetype: ['collection'], [CTAG]: tag},
  })

  it('that is unchanged ends the sync after one request', async () => {
    const state = new SyncState()
    self = tagged('c1')
    lists['/docs/'] = [member('/docs/a', '1')]
    await changesOf(state)
    sent()
    const {changes, summary} = await readSync(dav.sync('docs/', {state}))
    expect(changes).toEqual([])
    expect(summary).toMatchObject({complete: true, covers: 'changes', requests: 1})
    self = tagged('c2')
    lists['/docs/'] = []
    expect(await changesOf(state)).toEqual(['gone /docs/a'])
    expect(sent()).toEqual(['0 /docs/', '0 /docs/', '1 /docs/'])
  })

  it('is not kept after a listing with gaps', async () => {
    const state = new SyncState()
    self = tagged('c1')
    lists['/docs/'] = [{href: '/docs/a', status: 500}]
    await changesOf(state)
    lists['/docs/'] = [member('/docs/a', '1')]
    expect(await changesOf(state)).toEqual(['changed /docs/a "1"'])
  })

  it('says nothing of the resources below its members', async () => {
    const state = new SyncState()
    self = tagged('c1')
    lists['/docs/'] = [collection('/docs/s/')]
    lists['/docs/s/'] = [member('/docs/s/a', '1')]
    await changesOf(state, 'infinity')
    lists['/docs/s/'] = [member('/docs/s/a', '2')]
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/s/a "2"'])
  })
})

describe('the ETag of a collection', () => {
  const own = (etag: string): MultiStatusResponse => ({
    href: '/docs/',
    properties: {resourcetype: ['collection'], getetag: `"${etag}"`, [FILE_ID]: '7'},
  })

  beforeEach(() => {
    self = own('r1')
    lists = {
      '/docs/': [
        collection('/docs/p/', 'p1'),
        collection('/docs/q/', 'q1'),
        member('/docs/a', '1'),
      ],
      '/docs/p/': [collection('/docs/p/pp/', 'pp1'), member('/docs/p/b', '1')],
      '/docs/p/pp/': [member('/docs/p/pp/c', '1')],
      '/docs/q/': [member('/docs/q/d', '1')],
    }
  })

  it('of Nextcloud and ownCloud tells that nothing below changed, so only changed collections are listed', async () => {
    const state = new SyncState()
    await changesOf(state, 'infinity')
    sent()
    expect(await changesOf(state, 'infinity')).toEqual([])
    expect(sent()).toEqual(['0 /docs/'])

    self = own('r2')
    lists['/docs/'] = [collection('/docs/p/', 'p2'), collection('/docs/q/', 'q1')]
    lists['/docs/p/'] = [collection('/docs/p/pp/', 'pp1'), member('/docs/p/b', '2')]
    expect(await changesOf(state, 'infinity')).toEqual([
      'changed /docs/p/ "p2"',
      'changed /docs/p/b "2"',
      'gone /docs/a',
    ])
    expect(sent()).toEqual(['0 /docs/', '1 /docs/', '1 /docs/p/'])
    expect(await changesOf(await SyncState.read(state.lines()), 'infinity')).toEqual([])
    expect(state.size).toBe(6)
  })

  it('is not kept before its members were listed: an interrupted sync lists them again', async () => {
    const state = new SyncState()
    lists['/docs/p/'] = {status: 503}
    await readToEnd(dav.sync('docs/', {state, level: 'infinity'}))
    lists['/docs/p/'] = [member('/docs/p/b', '1')]
    const changes = await changesOf(state, 'infinity')
    expect(changes).toContain('changed /docs/p/b "1"')
    sent()
    expect(await changesOf(state, 'infinity')).toEqual([])
    expect(sent()).toEqual(['0 /docs/'])
  })

  it('of other servers says nothing of the members', async () => {
    self = collection('/docs/', 'r1')
    const state = new SyncState()
    await changesOf(state, 'infinity')
    lists['/docs/p/pp/'] = [member('/docs/p/pp/c', '2')]
    expect(await changesOf(state, 'infinity')).toEqual(['changed /docs/p/pp/c "2"'])
  })
})

describe('a token', () => {
  it('of a server that has lost the report leads to a compared listing', async () => {
    report = page('t1', member('/docs/a', '1'), member('/docs/b', '1'))
    const state = new SyncState()
    await changesOf(state)
    report = {status: 405}
    lists['/docs/'] = [member('/docs/a', '1')]
    const {results} = await readToEnd(dav.sync('docs/', {state}))
    expect(results.map(change)).toEqual(['gone /docs/b'])
    expect(state.token).toBeUndefined()
  })
})
