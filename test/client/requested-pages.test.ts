// States listings that the client requests in pages: by the headers of Nextcloud 31, and by the offset of Yandex Disk. The results
// are those of one listing. After any doubt, the whole listing follows. No RFC has such pages.

import {type Checkpoint, DavClient, isCollection, type Pages} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {Random} from '../fuzz/random.ts'
import {propstat, verdict} from '../support/fixtures.ts'
import {KINDS, servePages} from '../support/paging-server.ts'
import {line, readToEnd, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const pages: Pages = {size: 2}
let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const whole = (...hrefs: readonly string[]): Answer => answer207(listing(...hrefs))

const pathsOf = (results: readonly {readonly href: string}[]): string[] =>
  results.map(({href}) => href)

const paged = (): object => ({
  complete: false,
  incomplete: [{href: `${server.url}docs/`, reason: 'paged'}],
})

describe('the option pages', () => {
  it.each([0, 1, 1.5, -2, Infinity, NaN])('refuses a size of %s', async (size) => {
    for (const call of [
      () => dav.propfind('docs/', {pages: {size}}),
      () => dav.walk('docs/', {pages: {size}}),
      () => dav.sync('docs/', {pages: {size}}),
    ])
      expect(await refusalOf(call)).toEqual(
        new RangeError(`pages: size is a whole number above 1, not ${size}`),
      )
    expect(server.requests).toEqual([])
  })

  it('belongs to requests with Depth 1 alone', async () => {
    server.answers(whole('/docs/'))
    await dav.propfind('docs/', {depth: 0, pages}).collect()
    await dav.propfind('docs/', {depth: 'infinity', pages}).collect()
    const asked = server.requests.map(({headers}) => [headers['depth'], headers['x-nc-paginate']])
    expect(asked).toEqual([
      ['0', undefined],
      ['infinity', undefined],
      // The answer named the resource alone, as if the Depth were 0.
      ['1', 'true'],
    ])
  })
})

describe('a listing in pages of Nextcloud', () => {
  const first = (total: number, ...hrefs: readonly string[]): Answer =>
    answer207(listing(...hrefs), {
      'x-nc-paginate': 'true',
      'x-nc-paginate-token': 't1',
      'x-nc-paginate-total': `${total}`,
    })
  const later = (...hrefs: readonly string[]): Answer =>
    answer207(listing(...hrefs), {'x-nc-paginate': 'true'})
  /** The headers of each request: paginate, token, offset and count. */
  const asked = (): string[] =>
    server.requests.map(({headers}) =>
      ['x-nc-paginate', 'x-nc-paginate-token', 'x-nc-paginate-offset', 'x-nc-paginate-count']
        .map((name) => headers[name] ?? '-')
        .join(' '),
    )
  const PLAIN = '- - - -'
  const FIRST = 'true - - 2'
  const SECOND = '- t1 2 2'

  it('is read to its total, of which the collection itself is one', async () => {
    server.answers(first(5, '/docs/', '/docs/a'), later('/docs/b', '/docs/c'), later('/docs/d'))
    const {successes, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(successes.map(line)).toEqual([
      '200 self /docs/',
      '200 member /docs/a',
      '200 member /docs/b',
      '200 member /docs/c',
      '200 member /docs/d',
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 5,
      failures: 0,
      requests: 3,
    })
    expect(asked()).toEqual([FIRST, SECOND, '- t1 4 2'])
    expect(server.requests.map(({url}) => url)).toEqual(['/docs/', '/docs/', '/docs/'])
  })

  it.each<[string, Answer]>([
    ['has all on its first page', first(2, '/docs/', '/docs/a')],
    ['comes from a server without pages, and is short', whole('/docs/')],
    ['comes from a server without pages, and is long', whole('/docs/', '/docs/a', '/docs/b')],
  ])('is one request if it %s', async (_, answer) => {
    server.answers(answer)
    const {summary} = await dav.propfind('docs/', {pages}).collect()
    expect(summary).toMatchObject({complete: true, requests: 1})
    expect(asked()).toEqual([FIRST])
  })

  it.each<[string, readonly Answer[], readonly string[]]>([
    // A browser hides headers of other origins.
    ['a full page without a token', [whole('/docs/', '/docs/a')], [FIRST]],
    [
      'a page without results, as Nextcloud 31.0 answers to a forgotten token',
      [first(4, '/docs/', '/docs/a'), later()],
      [FIRST, SECOND],
    ],
    [
      'a page with fewer results than the total promised',
      [first(5, '/docs/', '/docs/a'), later('/docs/b'), later()],
      [FIRST, SECOND, '- t1 3 2'],
    ],
    [
      'a page with more results than the total promised',
      [first(3, '/docs/', '/docs/a'), later('/docs/b', '/docs/c')],
      [FIRST, SECOND],
    ],
    [
      'a page with a member of an earlier page',
      [first(4, '/docs/', '/docs/a'), later('/docs/a', '/docs/b')],
      [FIRST, SECOND],
    ],
    [
      'a listing that has changed, after a forgotten token',
      [first(3, '/docs/', '/docs/a'), whole('/docs/', '/docs/b', '/docs/c')],
      [FIRST, SECOND],
    ],
    [
      'the status 500, as of a cache that has lost an entry',
      [first(4, '/docs/', '/docs/a'), {status: 500}],
      [FIRST, SECOND],
    ],
    [
      'a page with another token',
      [
        first(4, '/docs/', '/docs/a'),
        answer207(listing('/docs/b', '/docs/c'), {'x-nc-paginate-token': 't2'}),
      ],
      [FIRST, SECOND],
    ],
    [
      'pages without a total',
      [
        answer207(listing('/docs/', '/docs/a'), {'x-nc-paginate-token': 't1'}),
        later('/docs/b', '/docs/c'),
        later(),
      ],
      [FIRST, SECOND, '- t1 4 2'],
    ],
  ])('is requested as a whole after %s', async (_, answers, requests) => {
    server.answers(...answers, whole('/docs/', '/docs/a', '/docs/b', '/docs/c'))
    const {successes, failures, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(pathsOf(successes)).toEqual(['/docs/', '/docs/a', '/docs/b', '/docs/c'])
    expect(failures).toEqual([])
    expect(summary).toMatchObject({complete: true, incomplete: []})
    expect(asked()).toEqual([...requests, PLAIN])
  })

  it('is whole if a forgotten token gave the same listing once more', async () => {
    const all = ['/docs/', '/docs/a', '/docs/b', '/docs/c', '/docs/d']
    server.answers(first(5, '/docs/', '/docs/a'), whole(...all))
    const {successes, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(pathsOf(successes)).toEqual(all)
    expect(summary).toMatchObject({complete: true, requests: 2})
    expect(asked()).toEqual([FIRST, SECOND])
  })

  it('reports a collection that has lost its type on a later page from the whole listing', async () => {
    const untyped = `<D:response><D:href>/docs/b/</D:href>${propstat(
      'HTTP/1.1 200 OK',
      '<D:resourcetype/>',
    )}</D:response>`
    server.answers(
      first(3, '/docs/', '/docs/a'),
      answer207(OPEN + untyped + SHUT, {'x-nc-paginate': 'true'}),
      whole('/docs/', '/docs/a', '/docs/b/'),
    )
    const {successes, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(successes.map((result) => [result.href, isCollection(result)])).toEqual([
      ['/docs/', true],
      ['/docs/a', false],
      ['/docs/b/', true],
    ])
    expect(summary).toMatchObject({complete: true, requests: 3})
  })

  it('has the gaps of the whole listing that replaced its pages', async () => {
    const storage = verdict('/docs/', 'HTTP/1.1 507 Insufficient Storage')
    server.answers(
      first(4, '/docs/', '/docs/a'),
      later(),
      answer207(OPEN + storage + listed('/docs/b') + SHUT),
    )
    const {successes, failures, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(pathsOf(successes)).toEqual(['/docs/', '/docs/a', '/docs/b'])
    expect(failures.map(line)).toEqual(['507 status self /docs/'])
    expect(summary.incomplete).toEqual([
      {href: `${server.url}docs/`, reason: 'storage', status: 507},
    ])
  })

  it('notices a member with the href of the collection, as SabreDAV writes it, on a later page', async () => {
    const all = ['/docs/', '/docs/a', '/docs/', '/docs/b']
    server.answers(first(4, '/docs/', '/docs/a'), later('/docs/', '/docs/b'), whole(...all))
    const {summary} = await dav.propfind('docs/', {pages}).collect()
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'self'}],
      requests: 3,
    })
  })

  it('is not complete if the client has headers of its own that keep the server at pages', async () => {
    const client = new DavClient({
      url: server.url,
      transport,
      headers: {'X-NC-Paginate': 'true'},
    })
    server.answers(first(4, '/docs/', '/docs/a'), later(), first(4, '/docs/', '/docs/a'))
    const {summary} = await client.propfind('docs/', {pages}).collect()
    expect(summary).toMatchObject({...paged(), requests: 3})
  })

  it.each([403, 503])('ends with the error of a later page: %i', async (status) => {
    server.answers(first(4, '/docs/', '/docs/a'), {status})
    const {results, error} = await readToEnd(dav.propfind('docs/', {pages}))
    expect(results.map(line)).toEqual(['200 self /docs/', '200 member /docs/a'])
    expect(error).toMatchObject({name: 'DavHttpError', status})
    expect(asked()).toEqual([FIRST, SECOND])
  })

  it('ends with the error of the whole listing', async () => {
    server.answers(first(4, '/docs/', '/docs/a'), {status: 500})
    const {error} = await readToEnd(dav.propfind('docs/', {pages}))
    expect(error).toMatchObject({name: 'DavHttpError', status: 500})
    expect(asked()).toEqual([FIRST, SECOND, PLAIN])
  })

  it('asks the URL behind a redirect for later pages, because the token belongs to it', async () => {
    server.script(({url, headers}) => {
      if (url === '/docs') return {status: 301, headers: {location: '/docs/'}}
      const isLater = headers['x-nc-paginate-token'] === 't1'
      return isLater ? later('/docs/b') : first(3, '/docs/', '/docs/a')
    })
    const {successes, summary} = await dav.propfind('docs', {pages}).collect()
    expect(pathsOf(successes)).toEqual(['/docs/', '/docs/a', '/docs/b'])
    expect(summary.complete).toBe(true)
    expect(server.requests.map(({url}) => url)).toEqual(['/docs', '/docs/', '/docs/'])
  })

  it('in a walk has the pages of each collection, and goes on from a checkpoint', async () => {
    const answers: Readonly<Record<string, readonly Answer[]>> = {
      '/docs/': [first(3, '/docs/', '/docs/a/'), later('/docs/b/')],
      '/docs/a/': [first(3, '/docs/a/', '/docs/a/1'), later('/docs/a/2')],
      '/docs/b/': [first(3, '/docs/b/', '/docs/b/1'), later('/docs/b/2')],
    }
    server.script(({url, headers}) => {
      const answer = answers[url]?.[headers['x-nc-paginate-token'] === undefined ? 0 : 1]
      return answer ?? {status: 404}
    })
    const stream = dav.walk('docs/', {pages, concurrency: 1})
    let checkpoint: Checkpoint | undefined
    for await (const {href} of stream) {
      if (href !== '/docs/a/2') continue
      checkpoint = JSON.parse(JSON.stringify(stream.checkpoint()))
      break
    }
    expect(checkpoint?.root).toBe(`${server.url}docs/`)
    expect(checkpoint?.left.map(({url}) => url)).toEqual([
      `${server.url}docs/a/`,
      `${server.url}docs/b/`,
    ])
    const rest = await dav.walk('docs/', {pages, resume: checkpoint, concurrency: 1}).collect()
    expect(pathsOf(rest.successes)).toEqual(['/docs/a/1', '/docs/a/2', '/docs/b/1', '/docs/b/2'])
    expect(rest.summary.complete).toBe(true)
  })
})

describe('a listing in pages by offset', () => {
  const offset: Pages = {size: 2, dialect: 'offset'}
  let names: string[]
  const sent = (): string[] => server.requests.map(({url}) => url)

  /** Serves pages of the names. A test may change the names before a request. */
  function serve(change: (number: number) => void = () => {}, most = Infinity): void {
    server.script(({url}, number) => {
      change(number)
      const {searchParams} = new URL(url, server.url)
      const from = Number(searchParams.get('offset') ?? 0)
      const amount = Math.min(most, Number(searchParams.get('amount') ?? Infinity))
      return whole('/docs/', ...names.slice(from, from + amount).map((name) => `/docs/${name}`))
    })
  }

  beforeEach(() => {
    names = ['a', 'b', 'c', 'd', 'e']
  })

  it('repeats the last member of each page on the next one, and ends at a page with nothing new', async () => {
    serve()
    const {successes, summary} = await dav.propfind('docs/', {pages: offset}).collect()
    expect(successes.map(line)).toEqual([
      '200 self /docs/',
      '200 member /docs/a',
      '200 member /docs/b',
      '200 member /docs/c',
      '200 member /docs/d',
      '200 member /docs/e',
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 6,
      failures: 0,
      requests: 4,
    })
    expect(sent()).toEqual([
      '/docs/?offset=0&amount=2',
      '/docs/?offset=1&amount=3',
      '/docs/?offset=3&amount=3',
      '/docs/?offset=4&amount=3',
    ])
    expect(server.requests.map(({headers}) => headers['x-nc-paginate'])).toEqual(
      Array.from({length: 4}),
    )
  })

  it('is the same if the server counts the collection as the first result', async () => {
    server.script(({url}) => {
      const {searchParams} = new URL(url, server.url)
      const from = Number(searchParams.get('offset'))
      const all = ['/docs/', ...names.map((name) => `/docs/${name}`)]
      return whole(...all.slice(from, from + Number(searchParams.get('amount'))))
    })
    const {successes, summary} = await dav.propfind('docs/', {pages: offset}).collect()
    expect(pathsOf(successes)).toEqual([
      '/docs/',
      '/docs/a',
      '/docs/b',
      '/docs/c',
      '/docs/d',
      '/docs/e',
    ])
    expect(summary.complete).toBe(true)
  })

  it('is requested as a whole if a member was removed from a page that was read', async () => {
    serve((number) => {
      if (number === 2) names = ['b', 'c', 'd', 'e']
    })
    const {successes, summary} = await dav.propfind('docs/', {pages: offset}).collect()
    expect(pathsOf(successes).toSorted()).toEqual([
      '/docs/',
      '/docs/a',
      '/docs/b',
      '/docs/c',
      '/docs/d',
      '/docs/e',
    ])
    expect(summary.complete).toBe(true)
    expect(sent()).toEqual(['/docs/?offset=0&amount=2', '/docs/?offset=1&amount=3', '/docs/'])
  })

  it('reports a member once that a new one has moved to the next page', async () => {
    serve((number) => {
      if (number === 2) names = ['a', 'aa', 'b', 'c', 'd', 'e']
    })
    const {successes, summary} = await dav.propfind('docs/', {pages: offset}).collect()
    expect(pathsOf(successes).toSorted()).toEqual([
      '/docs/',
      '/docs/a',
      '/docs/aa',
      '/docs/b',
      '/docs/c',
      '/docs/d',
      '/docs/e',
    ])
    expect(summary.complete).toBe(true)
  })

  it('is read to its end if the server gives fewer results than requested', async () => {
    serve(undefined, 2)
    const {successes, summary} = await dav
      .propfind('docs/', {pages: {...offset, size: 100}})
      .collect()
    expect(successes).toHaveLength(6)
    expect(summary.complete).toBe(true)
    expect(sent()).toEqual([
      '/docs/?offset=0&amount=100',
      '/docs/?offset=1&amount=101',
      '/docs/?offset=2&amount=101',
      '/docs/?offset=3&amount=101',
      '/docs/?offset=4&amount=101',
    ])
  })

  it.each<[string, number, readonly string[]]>([
    ['an empty collection', 1, []],
    ['a collection with one member', 2, ['a']],
    ['a server that ignores the query, and gives more than requested', 1, ['a', 'b', 'c']],
    ['a server that ignores the query, and gives no more than requested', 3, ['a', 'b']],
  ])('of %s: number of requests %i', async (_, requests, members) => {
    const hrefs = members.map((name) => `/docs/${name}`)
    server.answers(whole('/docs/', ...hrefs))
    const {successes, summary} = await dav.propfind('docs/', {pages: offset}).collect()
    expect(pathsOf(successes)).toEqual(['/docs/', ...hrefs])
    expect(summary).toMatchObject({complete: true, requests})
  })

  it('keeps its query to itself: relations, gaps and checkpoints have the URL of the collection', async () => {
    server.script(({url}) =>
      url.startsWith('/docs?')
        ? {status: 301, headers: {location: url.replace('/docs', '/docs/')}}
        : answer207(OPEN + listed('/docs/') + verdict('/docs/', 'HTTP/1.1 507 x') + SHUT),
    )
    const stream = dav.walk('docs', {pages: offset})
    const {successes, summary} = await stream.collect()
    expect(successes.map(({url, relation}) => [url, relation])).toEqual([
      [`${server.url}docs/`, 'self'],
    ])
    expect(summary.incomplete).toEqual([
      {href: `${server.url}docs/`, reason: 'storage', status: 507},
    ])
    expect(stream.checkpoint()).toMatchObject({
      url: `${server.url}docs`,
      root: `${server.url}docs/`,
    })
    expect(sent()).toEqual(['/docs?offset=0&amount=2', '/docs/?offset=0&amount=2'])
  })

  it('in a walk has the pages of each collection', async () => {
    server.script(({url}) => {
      const {pathname, searchParams} = new URL(url, server.url)
      const all = pathname === '/docs/' ? ['a', 'b', 'c/'] : ['1', '2', '3']
      const from = Number(searchParams.get('offset'))
      const hrefs = all.slice(from, from + Number(searchParams.get('amount')))
      return whole(pathname, ...hrefs.map((name) => pathname + name))
    })
    const {successes, summary} = await dav.walk('docs/', {pages: offset}).collect()
    expect(pathsOf(successes)).toEqual([
      '/docs/',
      '/docs/a',
      '/docs/b',
      '/docs/c/',
      '/docs/c/1',
      '/docs/c/2',
      '/docs/c/3',
    ])
    expect(summary).toMatchObject({complete: true, requests: 6})
  })
})

describe('pages of a collection that changes', {timeout: 30_000}, () => {
  it.each(KINDS)('have each member once that was there all the time: %s', async (kind) => {
    let changed = 0
    let pageful = 0
    for (let seed = 1; seed <= 30; seed++) {
      server.forget()
      const random = new Random(seed)
      const members = servePages(server, kind, random)
      const dialect = kind.startsWith('offset') ? 'offset' : 'nextcloud'
      const {successes, failures, summary} = await dav
        .propfind('docs/', {pages: {size: 2 + random.below(5), dialect}})
        .collect()
      const found = pathsOf(successes)
      expect([seed, failures, summary.incomplete]).toEqual([seed, [], []])
      expect([seed, new Set(found).size]).toEqual([seed, found.length])
      expect([seed, found.filter((href) => href !== '/docs/' && !members.ever.has(href))]).toEqual([
        seed,
        [],
      ])
      expect([seed, [...members.always].filter((href) => !found.includes(href))]).toEqual([
        seed,
        [],
      ])
      if (members.changes > 0) changed++
      if (server.requests.length > 1) pageful++
    }
    // Else the seeds prove nothing.
    const isPaged = kind !== 'without pages'
    expect(changed).toBeGreaterThan(isPaged ? 10 : 0)
    expect(pageful > 10).toBe(isPaged)
  })
})

describe('a listing with links to its pages', () => {
  it('reports a member once that has moved to a later page', async () => {
    server.answers(
      answer207(listing('/docs/', '/docs/a'), {link: '<?page=2>; rel="next"'}),
      whole('/docs/', '/docs/a', '/docs/b'),
    )
    const {successes, summary} = await dav.propfind('docs/').collect()
    expect(pathsOf(successes)).toEqual(['/docs/', '/docs/a', '/docs/b'])
    expect(summary.complete).toBe(true)
  })

  it('is followed whatever pages were requested', async () => {
    server.answers(
      answer207(listing('/docs/', '/docs/a'), {link: '<?page=2>; rel="next"'}),
      whole('/docs/', '/docs/b'),
    )
    const {successes, summary} = await dav.propfind('docs/', {pages}).collect()
    expect(pathsOf(successes)).toEqual(['/docs/', '/docs/a', '/docs/b'])
    expect(summary).toMatchObject({complete: true, requests: 2})
  })
})
