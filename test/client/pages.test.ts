// States the reading of a listing in pages. Each page is requested like the first one, on the same origin and never in a circle.
// A listing with missing pages is incomplete. RFC 8288, section 3; the pages of Nextcloud 31.

import {DavClient, type DavResult, type Depth, type Walk} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {line, linesOf, regular, startTreeServer} from '../support/tree-server.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const walk: Walk = {walk: true}
let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Serves answers by path and query, and 404 elsewhere. */
function serve(answers: Readonly<Record<string, Answer>>): void {
  server.script(({url}) => answers[url] ?? {status: 404})
}

function page(link: string | undefined, ...hrefs: readonly string[]): Answer {
  return answer207(listing(...hrefs), link === undefined ? {} : {link})
}

const next = (reference: string): string => `<${reference}>; rel="next"`
const sent = (): string[] => server.requests.map(({url}) => url)
const list = (depth: Depth | Walk = 1): ReturnType<typeof dav.propfind> =>
  dav.propfind('docs/', {depth})

const second = page(undefined, '/docs/', '/docs/b')

describe('the next page of a listing', () => {
  it.each<[string, (origin: string) => string | string[]]>([
    ['a path', () => '</docs/?page=2>; rel="next"'],
    ['a query alone', () => '<?page=2>; rel="next"'],
    ['a relative path', () => '<../docs/?page=2>; rel="next"'],
    ['an absolute URL', (origin) => `<${origin}docs/?page=2>; rel="next"`],
    ['one with a fragment', () => '</docs/?page=2#b>; rel="next"'],
    ['one with credentials', (origin) => next(`${origin.replace('//', '//a:b@')}docs/?page=2`)],
    ['one without quotes', () => '</docs/?page=2>; rel=next'],
    ['one in capitals and with spaces', () => '</docs/?page=2> ; REL = "NEXT"'],
    ['one of several relations', () => '</docs/?page=2>; rel="prev next last"'],
    ['one among other parameters', () => '</docs/?page=2>; title="a, b; c"; rel="next"; x=y'],
    ['one among other links', () => '</docs/>; rel="first", </docs/?page=2>; rel="next"'],
    ['one before other links', () => '</docs/?page=2>; rel="next",</docs/?page=9>;rel="last"'],
    ['one of several headers', () => ['</docs/>; rel="first"', '</docs/?page=2>; rel="next"']],
    ['one beside the condition of another', () => '</a,b>; rel="up", </docs/?page=2>; rel="next"'],
  ])('is requested: %s', async (_, link) => {
    const first = answer207(listing('/docs/', '/docs/a'), {link: link(server.url)})
    serve({'/docs/': first, '/docs/?page=2': second})
    const {successes, summary} = await list().collect()
    expect(successes.map(line)).toEqual(['self /docs/', 'member /docs/a', 'member /docs/b'])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 3,
      failures: 0,
      requests: 2,
    })
    expect(sent()).toEqual(['/docs/', '/docs/?page=2'])
  })

  it.each([
    '</docs/?page=0>; rel="prev"',
    '</docs/?page=2>; rel="next-archive"',
    '</docs/?page=2>; rel=nextish',
    '</docs/?page=2>; rev="next"',
    '</docs/?page=2>; title="rel=next"',
    '</docs/?page=2>; title="x; rel=next; y"; rel="last"',
    '</docs/?page=2>; title="next"',
    '</docs/?page=2>',
    'next',
  ])('is not found in another link: %s', async (link) => {
    serve({'/docs/': page(link, '/docs/', '/docs/a'), '/docs/?page=2': second})
    expect((await list().collect()).summary.complete).toBe(true)
    expect(sent()).toEqual(['/docs/'])
  })

  it('is requested with the same method, Depth, body and headers', async () => {
    serve({'/docs/': page(next('?page=2'), '/docs/'), '/docs/?page=2': second})
    const client = new DavClient({url: server.url, transport, headers: {'x-a': 'b'}})
    await client.propfind('docs/', {depth: 1, properties: ['getetag']}).collect()
    const asked = server.requests.map(({method, body, headers}) => {
      return [method, body, headers['depth'], headers['content-type'], headers['x-a']]
    })
    expect(asked[1]).toEqual(asked[0])
    expect(asked[0]?.[0]).toBe('PROPFIND')
  })

  it('has relations to the collection, which is reported once however each page writes it', async () => {
    serve({
      '/docs/': page(next('?page=2'), '/docs/', '/docs/a'),
      '/docs/?page=2': page(next('?page=3'), '/docs', '/docs/b/'),
      '/docs/?page=3': page(undefined, 'http://inner.example/d%6fcs/', '/docs/c'),
    })
    const {successes} = await list().collect()
    expect(successes.map(line)).toEqual([
      'self /docs/',
      'member /docs/a',
      'member /docs/b/',
      'member /docs/c',
    ])
  })

  it('follows any number of pages', async () => {
    server.script(({url}) => {
      const number = Number(new URL(url, server.url).searchParams.get('page') ?? 1)
      const link = number < 200 ? next(`/docs/?page=${number + 1}`) : undefined
      return page(link, '/docs/', `/docs/${number}`)
    })
    const {successes, summary} = await list().collect()
    expect(successes).toHaveLength(1 + 200)
    expect(summary).toMatchObject({complete: true, requests: 200})
  })

  it('is not requested if the reader stops before it', async () => {
    serve({'/docs/': page(next('?page=2'), '/docs/', '/docs/a'), '/docs/?page=2': second})
    for await (const {href} of list()) if (href === '/docs/a') break
    expect(sent()).toEqual(['/docs/'])
  })

  it('may have the description of the whole listing', async () => {
    const storage = verdict('/docs/', 'HTTP/1.1 507 Insufficient Storage')
    const last = answer207(OPEN + listed('/docs/b') + storage + SHUT)
    serve({'/docs/': page(next('?page=2'), '/docs/', '/docs/a'), '/docs/?page=2': last})
    expect((await list().collect()).summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'storage', status: 507}],
    })
  })
})

describe('a page that is not read', () => {
  const paged = (): unknown => ({
    complete: false,
    incomplete: [{href: `${server.url}docs/`, reason: 'paged'}],
  })

  it.each([
    'https://other.example/docs/?page=2',
    '//other.example/docs/?page=2',
    'http://127.0.0.1:1/docs/?page=2',
    'file:///docs/?page=2',
    'javascript:alert(1)',
    'http://[',
  ])('is on another origin: %s', async (reference) => {
    serve({'/docs/': page(next(reference), '/docs/', '/docs/a')})
    const {successes, summary} = await list().collect()
    expect(successes.map(line)).toEqual(['self /docs/', 'member /docs/a'])
    expect(summary).toMatchObject(paged() as object)
    expect(sent()).toEqual(['/docs/'])
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['links to itself', ['/docs/'], ['/docs/']],
    ['links to itself by its fragment', ['#more'], ['/docs/']],
    ['links to itself later', ['?page=2', '?page=2'], ['/docs/', '/docs/?page=2']],
    ['links to the first one', ['?page=2', '/docs/'], ['/docs/', '/docs/?page=2']],
    [
      'ends a circle of three',
      ['?page=2', '?page=3', '/docs/'],
      ['/docs/', '/docs/?page=2', '/docs/?page=3'],
    ],
    [
      'ends a circle without the first one',
      ['?page=2', '?page=3', '?page=2'],
      ['/docs/', '/docs/?page=2', '/docs/?page=3'],
    ],
  ])('was read before: %s', async (_, links, asked) => {
    const pages = links.map((link, index) => {
      const path = index === 0 ? '/docs/' : `/docs/?page=${index + 1}`
      return [path, page(next(link), '/docs/', `/docs/${index + 1}`)] as const
    })
    serve(Object.fromEntries(pages))
    const {successes, summary} = await list().collect()
    expect(sent()).toEqual(asked)
    expect(successes.map(line)).toEqual([
      'self /docs/',
      ...asked.map((__, i) => `member /docs/${i + 1}`),
    ])
    expect(summary).toMatchObject(paged() as object)
  })

  it('is the first one if a redirect led to it', async () => {
    serve({
      '/docs': {status: 301, headers: {location: '/docs/'}},
      '/docs/': page(next('?page=2'), '/docs/', '/docs/1'),
      '/docs/?page=2': page(next('/docs'), '/docs/', '/docs/2'),
    })
    const {successes, summary} = await dav.propfind('docs').collect()
    expect(successes.map(line)).toEqual(['self /docs/', 'member /docs/1', 'member /docs/2'])
    expect(summary.complete).toBe(false)
  })
})

describe('a page that fails', () => {
  it.each<[string, Answer, string]>([
    ['is refused', {status: 503}, 'DavHttpError'],
    ['is gone', {status: 404}, 'DavHttpError'],
    [
      'leads to another origin',
      {status: 302, headers: {location: 'https://x.example/'}},
      'DavHttpError',
    ],
    ['is a page for people', {status: 200, body: '<html><br></html>'}, 'MultiStatusError'],
    ['breaks off', answer207([OPEN, listed('/docs/b'), CLOSE]), 'DavNetworkError'],
    ['ends early', answer207(OPEN + listed('/docs/b')), 'MultiStatusError'],
  ])('ends the listing after the pages before it, if it %s', async (_, answer, name) => {
    serve({'/docs/': page(next('?page=2'), '/docs/', '/docs/a'), '/docs/?page=2': answer})
    const stream = list()
    const given: DavResult[] = []
    const reading = (async () => {
      for await (const result of stream) given.push(result)
    })()
    await expect(reading).rejects.toMatchObject({name})
    await expect(stream.summary).rejects.toMatchObject({name})
    expect(given.map(line).slice(0, 2)).toEqual(['self /docs/', 'member /docs/a'])
  })

  it('in a walk is a Failure of its collection, which retry lists from its first page', async () => {
    const answers = {
      '/docs/': page(undefined, '/docs/', '/docs/b/', '/docs/c'),
      '/docs/b/': page(next('?page=2'), '/docs/b/', '/docs/b/1'),
    }
    serve({...answers, '/docs/b/?page=2': {status: 503}})
    const {successes, failures, summary} = await list(walk).collect()
    const url = `${server.url}docs/b/`
    expect(successes.map(line)).toEqual([
      'self /docs/',
      'member /docs/b/',
      'member /docs/c',
      'descendant /docs/b/1',
    ])
    expect(failures).toMatchObject([{url, status: 503, relation: 'member', request: {url}}])
    expect(summary.incomplete).toEqual([{href: url, reason: 'refused', status: 503}])

    serve({...answers, '/docs/b/?page=2': page(undefined, '/docs/b/', '/docs/b/2')})
    const again = await dav.retry(failures, {attempts: 1}).collect()
    expect(again.successes.map(line)).toEqual([
      'member /docs/b/',
      'descendant /docs/b/1',
      'descendant /docs/b/2',
    ])
    expect(again.summary.complete).toBe(true)
  })
})

describe('pages of a listing of everything', () => {
  it.each<[string, Depth | Walk, Answer | 'cut' | 'honoured']>([
    ['in one answer', 'infinity', 'honoured'],
    ['in one that was cut', 'infinity', 'cut'],
    ['in a walk', walk, 'honoured'],
  ])('are read to the end %s', async (_, depth, infinity) => {
    const tree = regular(3, 2)
    const pages = (path: string): Record<string, string> =>
      path.includes('?') ? {} : {link: next('?page=2')}
    const paged = await startTreeServer(tree, {infinity, pages})
    const client = new DavClient({url: paged.url, transport})
    const {successes, summary} = await client.propfind('docs/', {depth}).collect()
    await paged.close()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree))
    expect(summary).toMatchObject({complete: true, incomplete: []})
    const first = paged.asked.filter((asked) => !asked.includes('?'))
    expect(paged.asked).toHaveLength(2 * first.length)
  })

  it('make a collection of a walk a gap if some are missing', async () => {
    serve({
      '/docs/': page(undefined, '/docs/', '/docs/b/'),
      '/docs/b/': page(next('https://other.example/'), '/docs/b/', '/docs/b/1'),
    })
    const {failures, summary} = await list(walk).collect()
    expect(failures).toEqual([])
    expect(summary.incomplete).toEqual([{href: `${server.url}docs/b/`, reason: 'paged'}])
  })
})

describe('a listing of Nextcloud with X-NC-Paginate', () => {
  const client = (): DavClient => {
    const headers = {'X-NC-Paginate': 'true', 'X-NC-Paginate-Count': '2'}
    return new DavClient({url: server.url, transport, headers})
  }
  const paged = (total: number, token: string, ...hrefs: readonly string[]): Answer =>
    answer207(listing(...hrefs), {'x-nc-paginate-token': token, 'x-nc-paginate-total': `${total}`})
  /** The token and the offset of each request. */
  const asked = (): unknown[] =>
    server.requests.map(({headers}) => [
      headers['x-nc-paginate'],
      headers['x-nc-paginate-token'],
      headers['x-nc-paginate-offset'],
    ])

  it('is read to its total, of which the collection itself is one', async () => {
    server.answers(
      paged(5, 't1', '/docs/', '/docs/a'),
      answer207(listing('/docs/b', '/docs/c')),
      answer207(listing('/docs/d')),
    )
    const {successes, summary} = await client().propfind('docs/').collect()
    expect(successes.map(({href}) => href)).toEqual([
      '/docs/',
      '/docs/a',
      '/docs/b',
      '/docs/c',
      '/docs/d',
    ])
    expect(summary).toMatchObject({complete: true, requests: 3})
    expect(asked()).toEqual([
      ['true', undefined, undefined],
      ['true', 't1', '2'],
      ['true', 't1', '4'],
    ])
  })

  it('is one request if the first page has all', async () => {
    server.answers(paged(2, 't1', '/docs/', '/docs/a'))
    expect((await client().propfind('docs/').collect()).summary).toMatchObject({
      complete: true,
      requests: 1,
    })
  })

  it.each<[string, Answer]>([
    ['another token, because the first one has expired', paged(4, 't2', '/docs/', '/docs/a')],
    ['no results', answer207(listing())],
    ['more results than the total', answer207(listing('/docs/b', '/docs/c', '/docs/d'))],
  ])('is not complete after a page with %s', async (_, later) => {
    server.answers(paged(4, 't1', '/docs/', '/docs/a'), later)
    const {summary} = await client().propfind('docs/').collect()
    expect(summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'paged'}],
      requests: 2,
    })
  })
})
