// States the requests and results of a sync by the report sync-collection: its rows, its pages, its tokens and its refusals.
// RFC 6578.

import {
  DavClient,
  DavError,
  DavHttpError,
  isFailure,
  keyOf,
  type ListingStream,
  MultiStatusError,
  nameOf,
  SyncState,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  NEVER,
  OPEN,
  startFaultServer,
} from '../support/fault-server.ts'
import {readToEnd, refusalOf} from '../support/results.ts'
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

let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport: undiciTransport()})
})

afterEach(() => server.close())

/** Tokens of the reports, and the method of every other request. */
function sent(): readonly string[] {
  return server.requests.map(({method, body}) =>
    method === 'REPORT' ? `token ${tokenOf(body)}` : method,
  )
}

/** A state after a sync with these members and this token. */
function stateOf(
  members: Readonly<Record<string, string>>,
  token: string | undefined = 't1',
): Promise<SyncState> {
  return SyncState.read([
    JSON.stringify({version: 1, url: `${server.url}cal/`, level: 1}),
    ...Object.entries(members).map(([path, etag]) => JSON.stringify([path, `"${etag}"`])),
    JSON.stringify({token}),
  ])
}

const contents = (state: SyncState): readonly string[] => [...state.lines()].slice(1)

describe('the report sync-collection', () => {
  it('has Depth 0, an empty token at first, the level, and the properties with getetag and resourcetype', async () => {
    server.answers(page('t1'))
    await dav.sync('cal/', {properties: ['displayname']}).collect()
    expect(server.requests).toMatchObject([
      {
        method: 'REPORT',
        url: '/cal/',
        headers: {depth: '0', 'content-type': 'application/xml; charset=utf-8'},
        body:
          '<?xml version="1.0" encoding="utf-8"?>\n<D:sync-collection xmlns:D="DAV:"><D:sync-token/>' +
          '<D:sync-level>1</D:sync-level><D:prop><D:displayname/><D:getetag/><D:resourcetype/></D:prop></D:sync-collection>',
      },
    ])
  })

  it('has the token, the level infinite and the limit of the call', async () => {
    server.answers(page('t2'))
    await dav
      .sync('cal/', {token: 't<1>', level: 'infinity', limit: 10, properties: ['getetag']})
      .collect()
    expect(server.requests[0]?.body).toContain(
      '<D:sync-token>t&lt;1&gt;</D:sync-token><D:sync-level>infinite</D:sync-level>' +
        '<D:limit><D:nresults>10</D:nresults></D:limit><D:prop><D:getetag/><D:resourcetype/></D:prop>',
    )
  })

  it('gives a Success for each new or changed member, a Failure 404 for each removed one, and the next token', async () => {
    server.answers(
      page('t2', collection('/cal/'), member('/cal/a.ics', '2'), removed('/cal/b.ics')),
    )
    const {successes, failures, summary} = await dav.sync('cal/', {token: 't1'}).collect()
    expect(successes).toMatchObject([
      {
        url: `${server.url}cal/a.ics`,
        relation: 'member',
        status: 200,
        properties: {getetag: '"2"', resourcetype: []},
      },
    ])
    expect(failures).toMatchObject([
      {url: `${server.url}cal/b.ics`, relation: 'member', status: 404, reason: 'status'},
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      covers: 'changes',
      syncToken: 't2',
      successes: 1,
      failures: 1,
      requests: 1,
    })
  })

  it('leaves the collection itself out, with its slash and without', async () => {
    server.answers(page('t2', collection('/cal'), member('/cal/a', '1')))
    expect((await readSync(dav.sync('cal/'))).changes).toEqual(['changed /cal/a "1"'])
  })

  it('gives members of any name, a collection, and a member without an ETag', async () => {
    server.answers(
      page('t1', member('/cal/0b1c2d', '1'), collection('/cal/sub/'), {
        href: '/cal/no-etag.ics',
        propstats: [{properties: {resourcetype: []}}, {status: 404, properties: ['getetag']}],
      }),
    )
    const {changes, summary} = await readSync(dav.sync('cal/'))
    expect(changes).toEqual([
      'changed /cal/0b1c2d "1"',
      'changed /cal/sub/ -',
      'changed /cal/no-etag.ics -',
    ])
    expect(summary).toMatchObject({complete: true, syncToken: 't1', covers: 'all'})
  })

  it('does not call a member of the first answer gone that the program never had', async () => {
    server.answers(page('t1', member('/cal/a', '1'), removed('/cal/moved-away')))
    expect((await readSync(dav.sync('cal/'))).changes).toEqual(['changed /cal/a "1"'])
  })

  it('tells every member gone that was named and is removed between the pages of the first answer', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), member('/cal/b', '1'), cut('/cal/')),
      page('t1', removed('/cal/a')),
    )
    expect((await readSync(dav.sync('cal/'))).changes).toEqual([
      'changed /cal/a "1"',
      'changed /cal/b "1"',
      'gone /cal/a',
    ])
  })

  it('gives a removal that the server tells by 410 as a Failure 404 too', async () => {
    server.answers(page('t2', {href: '/cal/a', status: 410}))
    const state = await stateOf({a: '1'})
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['gone /cal/a'])
    expect(contents(state)).toEqual(['{"token":"t2"}'])
  })

  it('does not call a member gone that an answer without a token names as removed and as there', async () => {
    for (const rows of [
      [removed('/cal/a'), member('/cal/a', '1')],
      [member('/cal/a', '1'), removed('/cal/a')],
    ]) {
      server.answers(refusal(403, 'valid-sync-token'), page('t2', removed('/cal/b'), ...rows))
      const state = await stateOf({a: '1', b: '1'})
      expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['gone /cal/b'])
      expect(contents(state)).toEqual(['["a","\\"1\\""]', '{"token":"t2"}'])
      server.forget()
    }
  })

  it('of level infinity that names a collection as removed, or as a file, means everything below it', async () => {
    const state = await SyncState.read([
      JSON.stringify({version: 1, url: `${server.url}cal/`, level: 'infinity'}),
      ...['s', 's/a', 's/t', 's/t/b', 'sa', 'x', 'x/c'].map((path) =>
        JSON.stringify([path, '"1"']),
      ),
      '{"token":"t1"}',
    ])
    server.answers(
      page('t2', removed('/cal/s/'), member('/cal/x', '2')),
      page('t3', collection('/cal/s/', '1'), member('/cal/s/a', '1')),
      listingOf(member('/cal/sa', '1')),
      page('t4', member('/abc/s', '2')),
      listingOf(member('/cal/sa', '1')),
    )
    const first = await readSync(dav.sync('cal/', {state, level: 'infinity'}))
    expect(first.changes).toEqual([
      'gone /cal/s/a',
      'gone /cal/s/t',
      'gone /cal/s/t/b',
      'gone /cal/x/c',
      'gone /cal/s/',
      'changed /cal/x "2"',
    ])
    const second = await readSync(dav.sync('cal/', {state, level: 'infinity'}))
    expect(second.changes).toEqual(['changed /cal/s/ "1"', 'changed /cal/s/a "1"'])
    const outside = await readSync(dav.sync('cal/', {state, level: 'infinity'}))
    expect(outside.changes).toEqual(['changed /abc/s "2"'])
  })

  it('does not take properties with 404 for a removal', async () => {
    const absent = {
      href: '/cal/a',
      propstats: [{status: 404, properties: ['getetag', 'resourcetype']}],
    }
    server.answers(page('t2', absent))
    const state = await stateOf({a: '1'})
    const {summary} = await readSync(dav.sync('cal/', {state}))
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}cal/a`, reason: 'failed', status: 404}],
    })
    expect(summary).not.toHaveProperty('syncToken')
    expect(contents(state)).toEqual(['["a","\\"1\\""]', '{"token":"t1"}'])
  })

  it('compares members by their decoded path', async () => {
    server.answers(
      page('t2', member('http://inner.example/cal/%c3%a4%7e', '2'), removed('/cal/b%2ec')),
    )
    const state = await stateOf({'%C3%A4~': '2', 'b.c': '1'})
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['gone /cal/b%2ec'])
  })

  it('keeps a member that the server refuses with 403 or 405, and goes on with the token', async () => {
    server.answers(
      page(
        't2',
        {href: '/cal/a', status: 403},
        {href: '/cal/new', status: 405},
        member('/cal/b', '2'),
      ),
    )
    const state = await stateOf({a: '1', b: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['403 /cal/a', '405 /cal/new', 'changed /cal/b "2"'])
    expect(summary).toMatchObject({complete: true, syncToken: 't2'})
    expect(contents(state)).toEqual(['["a","\\"1\\""]', '["b","\\"2\\""]', '{"token":"t2"}'])
  })

  it('keeps the old token if a member failed otherwise', async () => {
    server.answers(page('t2', {href: '/cal/a', status: 500}, member('/cal/b', '2')))
    const state = await stateOf({a: '1', b: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['500 /cal/a', 'changed /cal/b "2"'])
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}cal/a`, reason: 'failed', status: 500}],
    })
    expect(summary).not.toHaveProperty('syncToken')
    expect(state.token).toBe('t1')
  })

  it('reports a result outside the collection, and has no token then', async () => {
    server.answers(page('t2', member('/other/a', '2')))
    const state = await stateOf({a: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['changed /other/a "2"'])
    expect(summary.complete).toBe(false)
    expect(contents(state)).toEqual(['["a","\\"1\\""]', '{"token":"t1"}'])
  })
})

describe('an unchanged collection', () => {
  it('of 200,000 resources is one request', {timeout: 30_000}, async () => {
    server.answers(page('t1'))
    const state = await stateOf(
      Object.fromEntries(Array.from({length: 200_000}, (_, index) => [`event-${index}.ics`, 'e'])),
    )
    const {summary} = await readSync(dav.sync('cal/', {state}))
    expect(summary).toMatchObject({complete: true, syncToken: 't1', requests: 1})
    expect(state.size).toBe(200_000)
  })
})

describe('an answer in pages', () => {
  it('is read on with the token of each page while the collection itself has 507', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('p2', cut('/cal'), removed('/cal/b')),
      page('t2', member('/cal/c', '1')),
    )
    const {changes, summary} = await readSync(dav.sync('cal/', {token: 't1'}))
    expect(changes).toEqual(['changed /cal/a "1"', 'gone /cal/b', 'changed /cal/c "1"'])
    expect(sent()).toEqual(['token t1', 'token p1', 'token p2'])
    expect(summary).toMatchObject({complete: true, syncToken: 't2', requests: 3})
  })

  it.each([
    ['the token of its request', [page('t1', member('/cal/a', '1'), cut('/cal/'))], 1],
    [
      'the token of an earlier page',
      [
        page('p1', member('/cal/a', '1'), cut('/cal/')),
        page('p2', member('/cal/b', '1'), cut('/cal/')),
        page('p1', member('/cal/c', '1'), cut('/cal/')),
      ],
      3,
    ],
    ['nothing but the 507', [page('p1', cut('/cal/'))], 1],
  ] as const)('ends with a gap at a page with %s', async (_, answers, requests) => {
    server.answers(...answers)
    const {summary} = await readSync(dav.sync('cal/', {token: 't1'}))
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}cal/`, reason: 'paged'}],
      requests,
    })
    expect(summary).not.toHaveProperty('syncToken')
  })

  it('has a checkpoint with the token of the last page that was taken, with which the next sync continues', async () => {
    const url = `${server.url}cal/`
    const atStart = {version: 1, url, root: url, depth: 1, left: [{url, depth: 1}], incomplete: []}
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('p2', member('/cal/b', '1'), cut('/cal/')),
      page('t2', member('/cal/b', '1'), removed('/cal/c')),
    )
    const stream: ListingStream = dav.sync('cal/', {token: 't1'})
    expect(stream.checkpoint()).toEqual({...atStart, token: 't1'})
    for await (const result of stream) {
      if (nameOf(result) !== 'a') break
      expect(stream.checkpoint()).toEqual({...atStart, token: 't1'})
    }
    const left = stream.checkpoint()
    expect(left).toEqual({...atStart, token: 'p1'})

    const rest = dav.sync('cal/', {token: left.token})
    const {changes} = await readSync(rest)
    expect(changes).toEqual(['changed /cal/b "1"', 'gone /cal/c'])
    expect(sent()).toEqual(['token t1', 'token p1', 'token p1'])
    expect(rest.checkpoint()).toEqual({...atStart, left: [], token: 't2'})
    expect(() => dav.propfind('cal/', {resume: left})).toThrow(
      new TypeError('resume: token is for sync, which takes it as its token'),
    )
  })

  it('has no token in the checkpoint of a first sync that was stopped: a listed resource may be gone by now', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('p2', member('/cal/b', '1'), cut('/cal/')),
    )
    const stream = dav.sync('cal/')
    for await (const result of stream) if (nameOf(result) === 'b') break
    expect(stream.checkpoint()).not.toHaveProperty('token')
    expect(stream.checkpoint().left).toEqual([{url: `${server.url}cal/`, depth: 1}])
  })

  it('is saved before its new results, and again after they were taken, before the next page is requested', async () => {
    const events: string[] = []
    const answers = [
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      page('t1', member('/cal/b', '1')),
    ]
    server.script((_, number) => {
      events.push(`request ${number}`)
      return answers[number - 1] ?? {status: 500}
    })
    const state = new SyncState()
    const onPage = async (lines: string): Promise<void> => {
      events.push(`save ${lines.trim().split('\n').slice(1).join(' ')}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      events.push('saved')
    }
    for await (const result of dav.sync('cal/', {state, onPage})) events.push(change(result))
    expect(events).toEqual([
      'request 1',
      'save ["a","?"]',
      'saved',
      'changed /cal/a "1"',
      'save ["a","\\"1\\""] {"token":"p1"}',
      'saved',
      'request 2',
      'save ["b","?"]',
      'saved',
      'changed /cal/b "1"',
      'save ["b","\\"1\\""] {"token":"t1"}',
      'saved',
    ])
  })

  it('is asked for with a limit after 507 or number-of-matches-within-limits to the whole request', async () => {
    for (const answer of [{status: 507}, refusal(403, 'number-of-matches-within-limits')]) {
      server.forget()
      server.answers(answer, page('p1', member('/cal/a', '1'), cut('/cal/')), page('t1'))
      const {changes, summary} = await readSync(dav.sync('cal/'))
      expect(changes).toEqual(['changed /cal/a "1"'])
      expect(summary).toMatchObject({complete: true, syncToken: 't1', requests: 3})
      expect(server.requests.map(({body}) => body.includes('<D:nresults>500<'))).toEqual([
        false,
        true,
        true,
      ])
    }
  })
})

describe('a lost token', () => {
  it.each([403, 409, 412, 400, 415])(
    'after %i starts anew, and what is gone is told after the last page',
    async (status) => {
      server.answers(
        refusal(status, 'valid-sync-token'),
        page('p1', member('/cal/same', '1'), cut('/cal/')),
        page('t9', member('/cal/new', '1'), member('/cal/changed', '2')),
      )
      const state = await stateOf({same: '1', changed: '1', gone: '1'})
      const {changes, summary} = await readSync(dav.sync('cal/', {state}))
      expect(changes).toEqual([
        'changed /cal/new "1"',
        'changed /cal/changed "2"',
        'gone /cal/gone',
      ])
      expect(sent()).toEqual(['token t1', 'token ', 'token p1'])
      expect(summary).toMatchObject({complete: true, syncToken: 't9', covers: 'all'})
      expect(contents(state).toSorted()).toEqual([
        '["changed","\\"2\\""]',
        '["new","\\"1\\""]',
        '["same","\\"1\\""]',
        '{"token":"t9"}',
      ])
    },
  )

  it('is asked for once more without the token after a 500, as xandikos 0.2 answers', async () => {
    server.answers({status: 500}, page('t9', member('/cal/a', '1')))
    const state = await stateOf({a: '1', b: '1'})
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['gone /cal/b'])
    expect(sent()).toEqual(['token t1', 'token '])
  })

  it('is an error if the request without the token has a 500 too', async () => {
    server.answers({status: 500})
    const state = await stateOf({a: '1'})
    const {results, error} = await readToEnd(dav.sync('cal/', {state}))
    expect([results, error]).toEqual([[], expect.any(DavHttpError)])
    expect(contents(state)).toEqual(['["a","\\"1\\""]', '{"token":"t1"}'])
  })

  it('without a state gives all members, and says so', async () => {
    server.answers(refusal(403, 'valid-sync-token'), page('t9', member('/cal/a', '1')))
    const {changes, summary} = await readSync(dav.sync('cal/', {token: 't1'}))
    expect(changes).toEqual(['changed /cal/a "1"'])
    expect(summary).toMatchObject({complete: true, syncToken: 't9', covers: 'all'})
  })

  it('of a page leads to a listing without a state, and the old token stays: its first resources may be gone by now', async () => {
    server.answers(
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      refusal(403, 'valid-sync-token'),
      listingOf(collection('/cal/'), member('/cal/b', '1')),
    )
    const {changes, summary} = await readSync(dav.sync('cal/', {token: 't1'}))
    expect(changes).toEqual(['changed /cal/a "1"', 'changed /cal/b "1"'])
    expect(sent()).toEqual(['token t1', 'token p1', 'PROPFIND'])
    expect(summary).toMatchObject({complete: true, covers: 'all'})
    expect(summary).not.toHaveProperty('syncToken')
  })

  it('leaves the state alone while its new listing is not whole', async () => {
    server.answers(
      refusal(403, 'valid-sync-token'),
      page('p1', member('/cal/a', '2'), cut('/cal/')),
      {status: 503},
    )
    const state = await stateOf({a: '1', b: '1'})
    const {results, error} = await readToEnd(dav.sync('cal/', {state}))
    expect(results.map(change)).toEqual(['changed /cal/a "2"'])
    expect(error).toBeInstanceOf(DavHttpError)
    expect(contents(state).toSorted()).toEqual([
      '["a","\\"2\\""]',
      '["b","\\"1\\""]',
      '{"token":"t1"}',
    ])
  })

  it('of each page leads to a listing, not in a circle', async () => {
    const members = [collection('/cal/'), member('/cal/a', '1')]
    server.script(({method, body}) => {
      if (method === 'PROPFIND') return listingOf(...members)
      return tokenOf(body) === ''
        ? page('p1', member('/cal/a', '1'), cut('/cal/'))
        : refusal(403, 'valid-sync-token')
    })
    const state = await stateOf({a: '1', b: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['gone /cal/b'])
    expect(summary.complete).toBe(true)
    expect(sent()).toEqual(['token t1', 'token ', 'token p1', 'PROPFIND', 'PROPFIND'])
  })
})

describe('a silent full listing, with which DAViCal and SOGo answer a lost token', () => {
  const silent = page('t9', member('/cal/a', '1'), member('/cal/b', '2'))

  it('is recognized by a known member that it does not name and that is not there', async () => {
    server.script(({method}) => (method === 'PROPFIND' ? {status: 404} : silent))
    const state = await stateOf({a: '1', b: '1', c: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['changed /cal/b "2"', 'gone /cal/c'])
    expect(summary).toMatchObject({complete: true, syncToken: 't9', covers: 'all'})
    expect(sent()).toEqual(['token t1', 'PROPFIND', 'token '])
    expect(server.requests[1]).toMatchObject({url: '/cal/c', headers: {depth: '0'}})
  })

  it('is none if the member is there: repeated changes are no news, and the other members stay', async () => {
    server.script(({method}) => (method === 'PROPFIND' ? listingOf(member('/cal/c', '1')) : silent))
    const state = await stateOf({a: '1', b: '1', c: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toEqual(['changed /cal/b "2"'])
    expect(summary).toMatchObject({complete: true, syncToken: 't9', covers: 'changes'})
    expect(state.size).toBe(3)
  })

  it.each([
    ['all others have changed', page('t9', member('/cal/a', '2'), member('/cal/b', '2'))],
    ['all are gone', page('t9')],
  ])('is recognized by a missing member although %s', async (_, answer) => {
    server.script(({method}) => (method === 'PROPFIND' ? {status: 404} : answer))
    const state = await stateOf({a: '1', b: '1', c: '1'})
    const {changes, summary} = await readSync(dav.sync('cal/', {state}))
    expect(changes).toContain('gone /cal/c')
    expect(summary).toMatchObject({complete: true, syncToken: 't9', covers: 'all'})
    expect(sent()).toEqual(['token t1', 'PROPFIND', 'token '])
  })

  it('is none if something is named as gone, or if nothing is named and the token is the same', async () => {
    server.answers(page('t1'), page('t2', member('/cal/a', '2'), removed('/cal/b')))
    const state = await stateOf({a: '1', b: '1', c: '1'})
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual([])
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual([
      'changed /cal/a "2"',
      'gone /cal/b',
    ])
    expect(sent()).toEqual(['token t1', 'token t1'])
  })

  it('needs no further request if it names every known member', async () => {
    server.answers(silent)
    const state = await stateOf({a: '1', b: '1'})
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['changed /cal/b "2"'])
    expect(sent()).toEqual(['token t1'])
  })
})

describe('a broken answer', () => {
  const broken = answer207(
    [
      `${OPEN}<D:response><D:href>/cal/a</D:href><D:propstat><D:prop><D:getetag>"2"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`,
      CLOSE,
    ],
    {'transfer-encoding': 'none'},
  )

  it('of another resource, to which a redirect led, is given up at once', async () => {
    const rows = '<D:response><D:href>/b</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>'
    server.answers({status: 301, headers: {location: '/other/'}}, answer207([OPEN, rows, NEVER]))
    const state = await stateOf({a: '1'})
    const {results, error} = await readToEnd(dav.sync('cal/', {state}))
    expect([results, error]).toEqual([[], expect.any(DavError)])
    expect(await server.requests[1]?.ended).toBe('closed')
    expect(contents(state)).toEqual(['["a","\\"1\\""]', '{"token":"t1"}'])
  })

  it('gives its whole results, then an error, and keeps the token', async () => {
    server.answers(broken)
    const state = await stateOf({a: '1', b: '1'})
    const {results, error} = await readToEnd(dav.sync('cal/', {state}))
    expect(results.map(change)).toEqual(['changed /cal/a "2"'])
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(contents(state)).toEqual(['["b","\\"1\\""]', '{"token":"t1"}', '["a","\\"2\\""]'])
  })

  it('is repeated by the next sync, in which taken results are no news', async () => {
    server.answers(broken, page('t2', member('/cal/a', '2'), removed('/cal/b')), {status: 404})
    const state = await stateOf({a: '1', b: '1'})
    await readToEnd(dav.sync('cal/', {state}))
    expect((await readSync(dav.sync('cal/', {state}))).changes).toEqual(['gone /cal/b'])
    expect(contents(state)).toEqual(['["a","\\"2\\""]', '{"token":"t2"}'])
  })

  it('is a gap if a response cannot be understood', async () => {
    server.answers(page('t2', {status: 200}, member('/cal/a', '2')))
    const state = await stateOf({a: '1'})
    const {failures, summary} = await dav.sync('cal/', {state}).collect()
    expect(failures).toMatchObject([{reason: 'malformed'}])
    expect(summary.complete).toBe(false)
    expect(state.token).toBe('t1')
  })
})

describe('a call of sync', () => {
  it('sends a refused or broken page again by its policy', async () => {
    server.answers(
      {status: 503},
      page('p1', member('/cal/a', '1'), cut('/cal/')),
      CLOSE,
      page('t1'),
    )
    const {changes, summary} = await readSync(
      dav.sync('cal/', {retry: {attempts: 2, minDelay: 1, maxDelay: 2}}),
    )
    expect(changes).toEqual(['changed /cal/a "1"'])
    expect(summary).toMatchObject({complete: true, syncToken: 't1', requests: 4})
  })

  it('ends by its signal, and the state has what was taken', async () => {
    server.answers(page('p1', member('/cal/a', '1'), cut('/cal/')), NEVER)
    const state = new SyncState()
    const stop = new AbortController()
    let lines = ''
    const onPage = (more: string): void => {
      lines += more
      if (more.includes('p1')) setTimeout(() => stop.abort(new Error('enough')), 20)
    }
    const {results, error} = await readToEnd(dav.sync('cal/', {state, onPage, signal: stop.signal}))
    expect([results.map(change), error]).toEqual([['changed /cal/a "1"'], new Error('enough')])
    const read = await SyncState.read(lines)
    expect(contents(read)).toEqual(['["a","\\"1\\""]', '{"token":"p1"}'])
    expect(contents(read)).toEqual(contents(state))
  })

  it('sends nothing before it is read', async () => {
    dav.sync('cal/')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server.requests).toEqual([])
  })
})

describe('the options of sync', () => {
  it.each([
    ['token and state', () => dav.sync('cal/', {token: 't', state: new SyncState()}), TypeError],
    ['onPage without state', () => dav.sync('cal/', {onPage: () => {}}), TypeError],
    ['a limit of 0', () => dav.sync('cal/', {limit: 0}), RangeError],
    ['another origin', () => dav.sync('http://other.example/cal/'), TypeError],
  ])('refuse %s before anything is sent', async (_, call, kind) => {
    expect(await refusalOf(call)).toBeInstanceOf(kind)
    expect(server.requests).toEqual([])
  })

  it('refuse the state of another collection, and of another level', async () => {
    const state = await stateOf({a: '1'})
    const refusals = [
      await refusalOf(() => dav.sync('other/', {state})),
      await refusalOf(() => dav.sync('cal/', {state, level: 'infinity'})),
    ]
    expect(refusals).toEqual([expect.any(TypeError), expect.any(TypeError)])
  })

  it('refuse a state that another sync reads', async () => {
    server.answers(page('t2', member('/cal/a', '2'), member('/cal/b', '2')))
    const state = await stateOf({})
    let error: unknown
    for await (const result of dav.sync('cal/', {state})) {
      expect(isFailure(result)).toBe(false)
      ;({error} = await readToEnd(dav.sync('cal/', {state})))
    }
    expect(error).toBeInstanceOf(TypeError)
    expect(state.get(keyOf({url: `${server.url}cal/b`}))).toBe('"2"')
  })
})
