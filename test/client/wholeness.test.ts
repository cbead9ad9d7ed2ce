// States which answers look complete and are not: a program would delete files over them. Some server writes each of these answers.
// RFC 4918, section 9.1.

import {DavClient, type PropfindOptions, type Summary} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {propstat} from '../support/fixtures.ts'

const url = 'http://localhost/docs/'
const COLLECTION = '<D:resourcetype><D:collection/></D:resourcetype>'
const FILE = '<D:resourcetype/>'

function entry(href: string, properties = href.endsWith('/') ? COLLECTION : FILE): string {
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', properties)}</D:response>`
}

/** Lists from a server with these answers by Depth and path. Any other answer lists the collection alone. */
async function ask(
  answers: Readonly<Record<string, readonly string[]>>,
  options: PropfindOptions = {depth: 'infinity'},
  headers: Readonly<Record<string, string>> = {},
): Promise<{asked: readonly string[]; hrefs: readonly string[]; summary: Summary}> {
  const asked: string[] = []
  const dav = new DavClient({
    url,
    transport: async (request) => {
      const {pathname} = new URL(request.url)
      const key = `${request.headers['depth']} ${pathname}`
      asked.push(key)
      const responses = answers[key] ?? [entry(pathname)]
      const body = `<D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>`
      return {status: 207, headers: new Headers(headers), body: new Response(body).body}
    },
  })
  const stream = dav.propfind('', options)
  const hrefs: string[] = []
  for await (const {href} of stream) hrefs.push(href)
  return {asked, hrefs, summary: await stream.summary}
}

function listing(...hrefs: readonly string[]): string[] {
  return hrefs.map((href) => entry(href))
}

describe('an answer to Depth infinity', () => {
  it('is incomplete if it names members without their collection', async () => {
    const answer = listing('/docs/', '/docs/a/', '/docs/a/b/c.txt')
    const {summary} = await ask({'infinity /docs/': answer})
    expect(summary.incomplete).toEqual([{href: url, reason: 'shallow'}])
  })

  it('proves nothing about a collection by missing members', async () => {
    const gone =
      '<D:response><D:href>/docs/a/gone</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>'
    const {asked} = await ask({'infinity /docs/': [...listing('/docs/', '/docs/a/'), gone]})
    expect(asked).toEqual(['infinity /docs/', '1 /docs/a/'])
  })

  it('is incomplete with exactly 100 collections, after which lighttpd leaves out the others', async () => {
    const tree = (many: number): string[] => [
      '/docs/',
      ...Array.from({length: many}, (_, index) => [`/docs/${index}/`, `/docs/${index}/a`]).flat(),
    ]
    const complete = async (many: number): Promise<boolean> =>
      (await ask({'infinity /docs/': listing(...tree(many))})).summary.complete
    expect(await complete(98)).toBe(true)
    expect(await complete(99)).toBe(false)
    expect(await complete(100)).toBe(true)
  })

  it.each([403, 507])(
    'that is a %i for the collection alone is followed by a walk',
    async (status) => {
      const refusal = `<D:response><D:href>/docs/</D:href><D:status>HTTP/1.1 ${status} No</D:status></D:response>`
      const answers = {'infinity /docs/': [refusal], '1 /docs/': listing('/docs/', '/docs/a')}
      const {asked, hrefs, summary} = await ask(answers)
      expect(asked).toEqual(['infinity /docs/', '1 /docs/'])
      expect(hrefs).toEqual(['/docs/', '/docs/a'])
      expect(summary.complete).toBe(true)
    },
  )

  it('of lighttpd is not used', async () => {
    const server = {server: 'lighttpd/1.4.69'}
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/a/'),
      '1 /docs/a/': listing('/docs/a/', '/docs/a/b'),
    }
    const {asked, hrefs, summary} = await ask(answers, {depth: 'infinity'}, server)
    expect(asked).toEqual(['infinity /docs/', '1 /docs/', '1 /docs/a/'])
    expect(hrefs).toEqual(['/docs/', '/docs/a/', '/docs/a/b'])
    expect(summary.complete).toBe(true)
  })
})

describe('an answer in a walk', () => {
  const walk = {depth: {walk: true}} as const

  it('is incomplete if members have the href of the collection, as SabreDAV writes them', async () => {
    const answer = listing('/docs/', '/docs/')
    expect((await ask({'1 /docs/': answer}, walk)).summary.incomplete).toEqual([
      {href: url, reason: 'self'},
    ])
  })

  it('is no listing if a proxy gave the members another path', async () => {
    const answer = listing('/docs/', '/inner/a/', '/inner/b')
    const {summary} = await ask({'1 /docs/': answer}, walk)
    expect(summary.incomplete).toContainEqual({href: url, reason: 'self'})
  })

  it('is incomplete if a collection has another spelling', async () => {
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/Foo/'),
      '1 /docs/Foo/': listing('/docs/Foo/', '/docs/Foo/y', '/docs/foo/x/'),
    }
    const {hrefs, summary} = await ask(answers, walk)
    expect(hrefs).toContain('/docs/foo/x/')
    expect(summary.incomplete).toEqual([{href: `${url}foo/x/`, reason: 'shallow'}])
  })

  it('is incomplete if it lists members of another collection, which come as written', async () => {
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/b/', '/docs/c/'),
      '1 /docs/b/': listing('/docs/b/', '/docs/b/x', '/docs/c/'),
    }
    const {hrefs, summary} = await ask(answers, {...walk, concurrency: 1})
    expect(hrefs).toEqual(['/docs/', '/docs/b/', '/docs/c/', '/docs/b/x', '/docs/c/'])
    expect(summary.incomplete).toContainEqual({href: `${url}c/`, reason: 'shallow'})
  })

  it('with Depth 1 proves nothing about members by deeper results', async () => {
    const answers = {'1 /docs/': listing('/docs/', '/docs/a/', '/docs/a/b')}
    expect((await ask(answers, walk)).asked).toEqual(['1 /docs/', '1 /docs/a/'])
  })

  it('with Depth 1 is incomplete if it names a deeper collection', async () => {
    const answers = {'1 /docs/': listing('/docs/', '/docs/a/b/')}
    expect((await ask(answers, walk)).summary.incomplete).toEqual([
      {href: `${url}a/b/`, reason: 'shallow'},
    ])
  })

  it.each([
    ['403', propstat('HTTP/1.1 403 Forbidden', '<D:resourcetype/>')],
    ['text', propstat('HTTP/1.1 200 OK', '<D:resourcetype>collection</D:resourcetype>')],
  ])('is incomplete if the type of a member is %s', async (_, type) => {
    const member = `<D:response><D:href>/docs/a</D:href>${propstat('HTTP/1.1 200 OK', '<D:getetag>"1"</D:getetag>')}${type}</D:response>`
    const {summary} = await ask({'1 /docs/': [entry('/docs/'), member]}, walk)
    expect(summary.incomplete).toEqual([{href: url, reason: 'shallow'}])
  })

  it('is complete if the server answers 404 for the type of a member', async () => {
    const member = `<D:response><D:href>/docs/a</D:href>${propstat('HTTP/1.1 200 OK', '<D:getetag>"1"</D:getetag>')}${propstat('HTTP/1.1 404 Not Found', '<D:resourcetype/>')}</D:response>`
    const {summary} = await ask({'1 /docs/': [entry('/docs/'), member]}, walk)
    expect(summary.complete).toBe(true)
  })

  it('is incomplete if a member is malformed and has no status', async () => {
    const odd = '<D:response><D:href>/docs/a/</D:href></D:response>'
    const {summary} = await ask({'1 /docs/': [entry('/docs/'), odd]}, walk)
    expect(summary.incomplete).toEqual([{href: `${url}a/`, reason: 'failed'}])
  })

  it('finds collections by their slash if a decoder changes the type', async () => {
    const answers = {'1 /docs/': listing('/docs/', '/docs/a/')}
    const options = {...walk, decoders: {resourcetype: () => ['folder']}}
    expect((await ask(answers, options)).asked).toEqual(['1 /docs/', '1 /docs/a/'])
  })
})

describe('a listing', () => {
  it('is incomplete if the collection itself is answered 403 without a property, as lighttpd does', async () => {
    const closed = `<D:response><D:href>/docs/</D:href><D:propstat><D:status>HTTP/1.1 403 Forbidden</D:status></D:propstat></D:response>`
    const {summary} = await ask({'1 /docs/': [closed]}, {depth: 1})
    expect(summary.incomplete).toEqual([{href: url, reason: 'self', status: 403}])
  })
})

describe('a continued listing', () => {
  const levels = (order: 'walk first' | 'levels first'): {walk: true; levels: number} =>
    order === 'walk first' ? {walk: true, levels: 3} : {levels: 3, walk: true}
  const dav = new DavClient({url, transport: () => Promise.reject(new TypeError('not sent'))})
  const resume = dav.propfind('', {depth: levels('walk first')}).checkpoint()

  it('may be given its depth, in either notation', () => {
    const again = dav.propfind('', {depth: levels('levels first'), resume}).checkpoint()
    expect(again).toEqual(resume)
  })

  it('is a TypeError with other levels', () => {
    expect(() => dav.propfind('', {depth: {walk: true, levels: 4}, resume})).toThrow(TypeError)
  })
})
