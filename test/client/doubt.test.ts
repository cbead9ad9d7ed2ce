// States which answers make a listing incomplete, and which only look incomplete. A sync job deletes files on the word
// `complete`. Some server writes each of these answers. RFC 4918, section 9.1.

import {
  collections,
  DavClient,
  type DavResult,
  type Incomplete,
  members,
  type PropfindOptions,
  type Summary,
  type Transport,
} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {propstat} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

const origin = 'http://localhost'
const url = `${origin}/docs/`
const COLLECTION = '<D:resourcetype><D:collection/></D:resourcetype>'
const FILE = '<D:resourcetype/>'
const ETAG = '<D:getetag>"1"</D:getetag>'

function entry(href: string, properties = href.endsWith('/') ? COLLECTION : FILE): string {
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', properties)}</D:response>`
}

function failed(href: string, status: string): string {
  return `<D:response><D:href>${href}</D:href><D:status>HTTP/1.1 ${status}</D:status></D:response>`
}

function listing(...hrefs: readonly string[]): string[] {
  return hrefs.map((href) => entry(href))
}

function multistatus(responses: readonly string[], headers: Record<string, string> = {}): Response {
  const body = `<D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>`
  return new Response(body, {status: 207, headers})
}

type Answers = Readonly<Record<string, readonly string[] | number | Response>>

interface Asked {
  readonly asked: readonly string[]
  readonly results: readonly DavResult[]
  readonly summary: Summary
}

/** Makes a server with these answers by Depth, path and query. Any other answer lists the collection alone. */
function serving(answers: Answers, asked: string[] = []): Transport {
  return async (request) => {
    const {pathname, search} = new URL(request.url)
    const key = `${request.headers['depth']} ${pathname}${search}`
    asked.push(key)
    const answer = answers[key] ?? [entry(pathname)]
    if (answer instanceof Response) return answer.clone()
    return typeof answer === 'number' ? new Response(null, {status: answer}) : multistatus(answer)
  }
}

async function ask(
  answers: Answers,
  options: PropfindOptions = {depth: 1},
  at = 'docs/',
): Promise<Asked> {
  const asked: string[] = []
  const dav = new DavClient({url: `${origin}/`, transport: serving(answers, asked)})
  const stream = dav.propfind(at, options)
  const results: DavResult[] = []
  for await (const result of stream) results.push(result)
  return {asked, results, summary: await stream.summary}
}

async function incompleteOf(
  responses: readonly string[],
  options: PropfindOptions = {depth: 1},
): Promise<readonly Incomplete[]> {
  const depth = typeof options.depth === 'object' ? 1 : options.depth
  return (await ask({[`${depth} /docs/`]: responses}, options)).summary.incomplete
}

const self = [{href: url, reason: 'self'}]

describe('members and collections of a listing', () => {
  const cut = [
    entry('/docs/'),
    entry('/docs/a'),
    entry('/docs/b/'),
    failed('/docs/', '507 Insufficient Storage'),
  ]
  const storage = [{href: url, reason: 'storage', status: 507}]
  const list = () =>
    new DavClient({url: `${origin}/`, transport: serving({'1 /docs/': cut})}).propfind('docs/')

  it.each([
    [
      'members',
      () => members(list()),
      ['507 status self /docs/', '200 member /docs/a', '200 member /docs/b/'],
    ],
    ['collections', () => collections(list()), ['200 self /docs/', '200 member /docs/b/']],
    ['both', () => collections(members(list())), ['200 member /docs/b/']],
  ] as const)('have the summary of the listing: %s', async (_, select, expected) => {
    const one = select()
    const given: DavResult[] = []
    for await (const result of one) given.push(result)
    expect(given.map(line).toSorted()).toEqual([...expected].toSorted())
    expect(await one.summary).toMatchObject({complete: false, incomplete: storage, requests: 1})

    const batches: DavResult[] = []
    for await (const batch of select().batches()) {
      expect(batch).not.toEqual([])
      batches.push(...batch)
    }
    expect(batches).toEqual(given)

    const {successes, failures, summary} = await select().collect()
    expect([...successes, ...failures].map(line).toSorted()).toEqual([...expected].toSorted())
    expect(summary.incomplete).toEqual(storage)
  })

  it('pass the gaps of the listing to a bulk call', async () => {
    const transport: Transport = async (request) =>
      request.method === 'DELETE' ? new Response(null, {status: 204}) : multistatus(cut)
    const dav = new DavClient({url: `${origin}/`, transport})
    const asked = () => dav.propfind('docs/')
    for (const targets of [members(asked()), collections(asked()), collections(members(asked()))]) {
      const {summary} = await dav.deleteMany(targets).collect()
      expect(summary).toMatchObject({complete: false, incomplete: storage})
    }
  })

  it('reject the summary with the error of the listing', async () => {
    const dav = new DavClient({
      url: `${origin}/`,
      transport: async () => new Response(null, {status: 503}),
    })
    const stream = members(dav.propfind('docs/'))
    await expect(stream.collect()).rejects.toMatchObject({status: 503})
    await expect(stream.summary).rejects.toMatchObject({status: 503})
  })
})

describe('an answer that is not a listing of the resource', () => {
  it.each([
    ['that of the collection around it, with it as a member', listing('/docs/', '/docs/only/')],
    ['that of the collection around it, and more', listing('/docs/', '/docs/only/', '/docs/other')],
    ['that of the root', listing('/', '/docs/only/')],
  ])('does not mean an empty collection: %s', async (_, responses) => {
    const {summary} = await ask({'1 /docs/only/': responses}, {depth: 1}, 'docs/only/')
    expect(summary.incomplete).toEqual([{href: `${url}only/`, reason: 'self'}])
  })

  it('is no listing if it has the response of a member only', async () => {
    expect(await incompleteOf(listing('/docs/only/', '/docs/only/a'))).toEqual(self)
    expect(await incompleteOf(listing('/docs/only/', '/docs/a'))).toEqual([])
    expect(await incompleteOf(listing('/docs/', '/docs/only/', '/docs/only/a'))).toEqual([])
  })

  it('in a walk makes that collection a gap', async () => {
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/only/'),
      '1 /docs/only/': listing('/docs/', '/docs/only/'),
    }
    const {results, summary} = await ask(answers, {depth: {walk: true}})
    expect(results.map(line)).toEqual(['200 self /docs/', '200 member /docs/only/'])
    expect(summary.incomplete).toEqual([{href: `${url}only/`, reason: 'self'}])
  })

  it('in a walk is a Failure of that collection if no href names it', async () => {
    const answers = {'1 /docs/': listing('/docs/', '/docs/only/'), '1 /docs/only/': []}
    const {results, summary} = await ask(answers, {depth: {walk: true}})
    expect(results.filter(({ok}) => !ok)).toMatchObject([
      {url: `${url}only/`, reason: 'no-answer', cause: 'unreadable'},
    ])
    expect(summary.complete).toBe(false)
  })

  it('is a listing if it has members, whatever else it names', async () => {
    const {summary} = await ask(
      {'1 /docs/only/': listing('/docs/', '/docs/only/', '/docs/only/a')},
      {depth: 1},
      'docs/only/',
    )
    expect(summary.complete).toBe(true)
  })

  it.each([
    ['404', [failed('/docs/x', '404 Not Found')]],
    ['403', [failed('/docs/x', '403 Forbidden'), failed('/docs/y', '403 Forbidden')]],
    ['no status', ['<D:response><D:href>/docs/x</D:href></D:response>']],
  ])('names failures below it alone: %s', async (_, responses) => {
    expect(await incompleteOf(responses)).toEqual(self)
  })
})

describe('a resource by another name', () => {
  const whole = [entry('/docs/'), entry('/docs/a')]
  it.each([
    [
      'a failure without the base path',
      failed('/s/', '403 Forbidden'),
      {reason: 'failed', status: 403},
    ],
    [
      '507 of the collection without the base path',
      failed('/d/', '507 No'),
      {reason: 'storage', status: 507},
    ],
    ['a file under another path', entry('/inner/b'), {reason: 'shallow'}],
    ['a file under another case', entry('/Docs/b'), {reason: 'shallow'}],
  ] as const)('may be a member that is missing: %s', async (_, stray, expected) => {
    for (const depth of [1, 'infinity', {walk: true}] as const)
      expect(await incompleteOf([...whole, stray], {depth})).toMatchObject([expected])
  })

  it('is not the resource if it is a parent', async () => {
    expect(await incompleteOf([...whole, entry('/')])).toEqual([])
  })
})

describe('an answer instead of a listing', () => {
  it('is no listing if the type of the collection is that of a file', async () => {
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/s/'),
      '1 /docs/s/': [entry('/docs/s/', FILE)],
    }
    const {summary} = await ask(answers, {depth: {walk: true}})
    expect(summary.incomplete).toEqual([{href: `${url}s/`, reason: 'self'}])
    expect(await incompleteOf([entry('/docs/', FILE)])).toEqual(self)
    expect(await incompleteOf([entry('/docs/', FILE), entry('/docs/a')])).toEqual([])
  })

  it('is no listing if one member has its href', async () => {
    expect(await incompleteOf([entry('/docs/index/')])).toEqual(self)
    expect(await incompleteOf([entry('/docs/index.html')])).toEqual(self)
  })

  it('is a part of a listing by its status', async () => {
    const body = `<D:multistatus xmlns:D="DAV:">${listing('/docs/', '/docs/a').join('')}</D:multistatus>`
    const {summary} = await ask({'1 /docs/': new Response(body, {status: 206})})
    expect(summary.incomplete).toEqual([{href: url, reason: 'failed', status: 206}])
  })

  it.each([
    '<response><href>/docs/b</href></response>',
    '<response xmlns="dav:"><href>/docs/b</href></response>',
    '<D:Response><D:href>/docs/b</D:href></D:Response>',
    '<x:response/>',
  ])('is incomplete with a misnamed response: %s', async (odd) => {
    expect(await incompleteOf([...listing('/docs/', '/docs/a'), odd])).toEqual([
      {href: url, reason: 'malformed'},
    ])
  })
})

describe('an href with an escaped path or URL', () => {
  const at = '/user/v/'
  it.each([
    ['http%3A//host/user/v/', 'self', '/user/v/'],
    ['http%3A//host/user/v/a%20b', 'member', '/user/v/a%20b'],
    ['http%3A//host/user/v/a%2520b', 'member', '/user/v/a%2520b'],
    ['http%3A%2F%2Fhost%2Fuser%2Fv%2Fa', 'member', '/user/v/a'],
    ['https:/host/user/v/a', 'member', '/user/v/a'],
    ['%2fuser%2fv%2fa.png', 'member', '/user/v/a.png'],
    ['%2Fuser%2Fv%2F', 'self', '/user/v/'],
    ['user/v/a', 'member', '/user/v/a'],
    ['user/v/', 'self', '/user/v/'],
    ['user/v', 'self', '/user/v'],
    ['\\user\\v\\a', 'member', '/user/v/a'],
    ['http:\\\\host\\user\\v\\a', 'member', '/user/v/a'],
    ['user%2fv%2fa', 'member', '/user/v/a'],
    ['//user//v//a', 'member', '/user/v/a'],
    ['%2fother%2fa', 'outside', '/other/a'],
    ['http%3A//host/other/', 'outside', '/other/'],
    ['user', 'member', '/user/v/user'],
    ['user/w', 'descendant', '/user/v/user/w'],
    ['a%2fb', 'member', '/user/v/a%2fb'],
    ['a\\b', 'member', '/user/v/a%5Cb'],
    ['users/v/a', 'descendant', '/user/v/users/v/a'],
  ])('%s is %s: %s', async (href, relation, path) => {
    const {results} = await ask({[`1 ${at}`]: [entry(href)]}, {depth: 1}, 'user/v/')
    expect(results).toMatchObject([{href, relation, url: origin + path}])
  })

  it('of a missing resource makes it a Failure 404, as xandikos writes it', async () => {
    const responses = [failed('http%3A//host/user/v/', '404 Not Found')]
    const {summary} = await ask({[`1 ${at}`]: responses}, {depth: 1}, 'user/v/')
    expect(summary.incomplete).toEqual([{href: origin + at, reason: 'self', status: 404}])
    const dav = new DavClient({url: `${origin}/`, transport: async () => multistatus(responses)})
    expect(await dav.stat('user/v/')).toMatchObject({
      ok: false,
      status: 404,
      reason: 'status',
      relation: 'self',
    })
  })
})

describe('Depth infinity that is answered as Depth 0', () => {
  it('is sent again with Depth 1, and followed by a walk', async () => {
    const answers = {
      'infinity /docs/': listing('/docs/'),
      '1 /docs/': listing('/docs/', '/docs/a', '/docs/b/'),
      '1 /docs/b/': listing('/docs/b/', '/docs/b/c'),
    }
    const {asked, results, summary} = await ask(answers, {depth: 'infinity'})
    expect(asked).toEqual(['infinity /docs/', '1 /docs/', '1 /docs/b/'])
    expect(results.map(({href}) => href)).toEqual(['/docs/', '/docs/a', '/docs/b/', '/docs/b/c'])
    expect(summary).toMatchObject({complete: true, requests: 3})
  })

  it('is trusted for a file', async () => {
    const {asked, summary} = await ask(
      {'infinity /docs/f': [entry('/docs/f', FILE)]},
      {depth: 'infinity'},
      'docs/f',
    )
    expect(asked).toEqual(['infinity /docs/f'])
    expect(summary.complete).toBe(true)
  })

  it.each([
    ['no type', ETAG],
    ['a type that nobody knows', '<D:resourcetype><x xmlns=""/></D:resourcetype>'],
  ])('is not trusted for a resource with %s', async (_, prop) => {
    const {asked} = await ask(
      {'infinity /docs/f': [entry('/docs/f', prop)]},
      {depth: 'infinity'},
      'docs/f',
    )
    expect(asked).toEqual(['infinity /docs/f', '1 /docs/f'])
  })

  it('is sent again after a missing property, and not after a Failure of the collection', async () => {
    const phantom = [entry('/docs/'), failed('/docs/x/s', '404 Not Found')]
    const {asked} = await ask({'infinity /docs/': phantom}, {depth: 'infinity'})
    expect(asked).toEqual(['infinity /docs/', '1 /docs/'])
    const storage = [entry('/docs/'), failed('/docs/', '507 Insufficient Storage')]
    const once = await ask({'infinity /docs/': storage}, {depth: 'infinity'})
    expect(once.asked).toEqual(['infinity /docs/'])
    expect(once.summary.incomplete).toMatchObject([{reason: 'storage'}])
  })

  it('is incomplete if the second request is refused', async () => {
    const {results, summary} = await ask(
      {'infinity /docs/': listing('/docs/'), '1 /docs/': 403},
      {depth: 'infinity'},
    )
    expect(results.map(line)).toEqual(['200 self /docs/', '403 status self /docs/'])
    expect(summary.incomplete).toEqual([{href: url, reason: 'refused', status: 403}])
  })
})

describe('a resourcetype without a known type', () => {
  const odd = [
    ['no namespace', '<D:resourcetype><collection/></D:resourcetype>'],
    ['another namespace', '<D:resourcetype><collection xmlns="dav:"/></D:resourcetype>'],
    ['an undeclared prefix', '<D:resourcetype><x:collection/></D:resourcetype>'],
    ['another case', '<D:resourcetype><D:Collection/></D:resourcetype>'],
    ['a type of the server', '<D:resourcetype><x:folder xmlns:x="urn:x"/></D:resourcetype>'],
  ] as const

  it.each(odd)('is a collection with a slash: %s', async (_, type) => {
    const answers = {
      '1 /docs/': [entry('/docs/'), entry('/docs/a/', type)],
      '1 /docs/a/': listing('/docs/a/', '/docs/a/b'),
    }
    const {asked, summary} = await ask(answers, {depth: {walk: true}})
    expect(asked).toEqual(['1 /docs/', '1 /docs/a/'])
    expect(summary.complete).toBe(true)
  })

  it.each(odd)('may be one without: %s', async (_, type) => {
    const responses = [entry('/docs/'), entry('/docs/a', type)]
    expect(await incompleteOf(responses, {depth: {walk: true}})).toEqual([
      {href: url, reason: 'shallow'},
    ])
    expect(
      (await ask({'infinity /docs/': responses}, {depth: 'infinity'})).summary.incomplete,
    ).toEqual([{href: url, reason: 'shallow'}])
  })
})

describe('a response for the collection alone, with refused properties', () => {
  const refused = (status: string): string =>
    `<D:response><D:href>/docs/</D:href>${propstat(`HTTP/1.1 ${status}`, '<D:getetag/><D:displayname/>')}</D:response>`

  it.each([
    ['403 Forbidden', 403],
    ['500 Internal Server Error', 500],
    ['401 Unauthorized', 401],
  ])('is incomplete: %s', async (text, status) => {
    expect(await incompleteOf([refused(text)])).toEqual([{href: url, reason: 'self', status}])
  })

  it('is complete if the properties are missing, or with members', async () => {
    expect(await incompleteOf([refused('404 Not Found')])).toEqual([])
    expect(await incompleteOf([refused('403 Forbidden'), entry('/docs/a')])).toEqual([])
  })
})

describe('pages', () => {
  const page = (link: string | undefined, ...hrefs: readonly string[]): Response =>
    multistatus(listing(...hrefs), link === undefined ? {} : {link})

  it('report the collection once, whichever page names it', async () => {
    const answers = {
      '1 /docs/': page('<?page=2>; rel=next', '/docs/a'),
      '1 /docs/?page=2': page(undefined, '/docs/', '/docs/b'),
    }
    const {results, summary} = await ask(answers)
    expect(results.map(line)).toEqual([
      '200 member /docs/a',
      '200 self /docs/',
      '200 member /docs/b',
    ])
    expect(summary.complete).toBe(true)
  })

  it.each([
    '<?page=2>; title="5\\", wide"; rel=next',
    '<?page=2>; title="a, <b>; rel=up"; rel="next"',
    '<x>; rel=up; title="\\\\", <?page=2>; rel=next',
    '<?page=2>; rel=next; rel=prev',
    '<?page=2> ; title*=UTF-8\'\'x ; rel = "last next"',
    '<?page=2>; REL=Next',
    ', ,<?page=2>;rel=next,',
    '<?page=2>; anchor="/docs/"; rel=next',
    'nonsense, <?page=2>; rel=next',
  ])('are found in a Link header: %s', async (link) => {
    const {asked} = await ask({
      '1 /docs/': page(link, '/docs/'),
      '1 /docs/?page=2': page(undefined, '/docs/b'),
    })
    expect(asked).toEqual(['1 /docs/', '1 /docs/?page=2'])
  })

  it.each([
    '<x>; title="<?page=2>; rel=next"',
    '<x>; title="a\\", <?page=2>; rel=next"; rel=up',
    '<?page=2>; rel="nextish"',
    '<?page=2>; title=next',
    '<?page=2>; rel=prev; rel=next',
    '<?page=2>; rel=next; anchor="/other/"',
    '<?page=2>; xrel=next',
    '<?page=2',
    'rel=next',
    '<?page=2>; title="unended; rel=next',
  ])('are not found in an invalid Link header: %s', async (link) => {
    const {asked, summary} = await ask({'1 /docs/': page(link, '/docs/')})
    expect(asked).toEqual(['1 /docs/'])
    expect(summary.complete).toBe(true)
  })
})

describe('a redirected page', () => {
  const next = {link: '<?page=2>; rel=next'}
  it.each([
    ['the first one again', '/docs/'],
    ['another collection', '/other/'],
  ])('is lost if it is %s', async (_, location) => {
    const answers = {
      '1 /docs/': multistatus(listing('/docs/', '/docs/a'), next),
      '1 /docs/?page=2': new Response(null, {status: 302, headers: {location}}),
    }
    const {results, summary} = await ask(answers)
    expect(results.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
    expect(summary.incomplete).toEqual([{href: url, reason: 'paged'}])
  })

  it('is read if it is another page', async () => {
    const answers = {
      '1 /docs/': multistatus(listing('/docs/', '/docs/a'), next),
      '1 /docs/?page=2': new Response(null, {status: 302, headers: {location: '/docs/?page=two'}}),
      '1 /docs/?page=two': listing('/docs/b'),
    }
    const {results, summary} = await ask(answers)
    expect(results.map(({href}) => href)).toEqual(['/docs/', '/docs/a', '/docs/b'])
    expect(summary.complete).toBe(true)
  })

  it('names another collection if a link leads there', async () => {
    const answers = {
      '1 /docs/': multistatus(listing('/docs/', '/docs/a'), {link: '</e/>; rel=next'}),
      '1 /e/': listing('/e/', '/e/b'),
    }
    expect((await ask(answers)).summary.complete).toBe(false)
  })
})

describe('an answer that only looks incomplete', () => {
  it('names the collection with its slash and without', async () => {
    expect(
      await incompleteOf(listing('/docs/', '/docs/a').concat(entry('/docs', COLLECTION))),
    ).toEqual([])
    expect(await incompleteOf(listing('/docs/', '/docs/'))).toEqual(self)
    // SabreDAV 1.8 writes a file whose name it cannot read so.
    expect(await incompleteOf([...listing('/docs/', '/docs/a'), entry('/docs', FILE)])).toEqual(
      self,
    )
    expect(
      await incompleteOf(listing('/docs/', '/docs/').concat(entry('/docs', COLLECTION))),
    ).toEqual(self)
  })

  it('has files without a type, and collections with one and no slash, as XRootD writes them', async () => {
    const answers = {
      '1 /docs/': [
        entry('/docs', COLLECTION),
        entry('/docs/a', ETAG),
        entry('/docs/b', COLLECTION),
      ],
      '1 /docs/b/': [entry('/docs/b', COLLECTION), entry('/docs/b/c', ETAG)],
    }
    const {asked, summary} = await ask(answers, {depth: {walk: true}})
    expect(asked).toEqual(['1 /docs/', '1 /docs/b/'])
    expect(summary.complete).toBe(true)
  })

  it('is incomplete if no resource has a type', async () => {
    expect(
      await incompleteOf([entry('/docs', ETAG), entry('/docs/a', ETAG)], {depth: {walk: true}}),
    ).toEqual([{href: url, reason: 'shallow'}])
  })

  it('comes from a server that ignores the Depth: each resource is reported once', async () => {
    const all = ['/docs/', '/docs/a', '/docs/b/', '/docs/b/c', '/docs/b/d/', '/docs/b/d/e']
    const below = (path: string): string[] =>
      listing(...all.filter((href) => href.startsWith(path)))
    const answers = {
      '1 /docs/': below('/docs/'),
      '1 /docs/b/': below('/docs/b/'),
      '1 /docs/b/d/': below('/docs/b/d/'),
    }
    for (const concurrency of [1, 8]) {
      const {results, summary} = await ask(answers, {depth: {walk: true}, concurrency})
      expect(results.map(({href}) => href).toSorted()).toEqual(all.toSorted())
      expect(summary.incomplete).toEqual([])
    }
  })

  it('repeats a failure in each listing: it is reported once', async () => {
    const deep = failed('/docs/a/b/x', '403 Forbidden')
    const answers = {
      '1 /docs/': [...listing('/docs/', '/docs/a/', '/docs/a/b/'), deep],
      '1 /docs/a/': [...listing('/docs/a/', '/docs/a/b/'), deep],
      '1 /docs/a/b/': [...listing('/docs/a/b/'), deep],
    }
    const {results, summary} = await ask(answers, {depth: {walk: true}, concurrency: 1})
    expect(results.filter(({ok}) => !ok).map(line)).toEqual(['403 status descendant /docs/a/b/x'])
    expect(summary.incomplete).toEqual([{href: `${url}a/b/x`, reason: 'failed', status: 403}])
  })

  it('has a principal with a slash, as SabreDAV writes it', async () => {
    const principal = '<D:resourcetype><D:principal/></D:resourcetype>'
    expect(await incompleteOf([entry('/docs/', principal)])).toEqual([])
  })

  it('names a deeper collection without its parent', async () => {
    const answers = {
      '1 /docs/': listing('/docs/', '/docs/a/', '/docs/a/b/'),
      '1 /docs/a/': listing('/docs/a/'),
    }
    const {summary} = await ask(answers, {depth: {walk: true}})
    expect(summary.incomplete).toEqual([{href: `${url}a/b/`, reason: 'shallow'}])
  })
})

describe('the summary of an incomplete listing', () => {
  it('is bounded, however many members failed', async () => {
    const many = Array.from({length: 5000}, (_, number) =>
      failed(`/docs/${number}`, '403 Forbidden'),
    )
    const {results, summary} = await ask(
      {'infinity /docs/': [entry('/docs/'), ...many]},
      {depth: 'infinity'},
    )
    expect(results.filter(({ok}) => !ok)).toHaveLength(5000)
    expect(summary.failures).toBe(5000)
    expect(summary.incomplete).toHaveLength(1000)
    // It stands for all the others.
    expect(summary.incomplete.at(-1)).toEqual({href: `${origin}/`, reason: 'failed'})
  })

  it('does not end a walk or a retry with many failures', {timeout: 60_000}, async () => {
    const many = Array.from({length: 130_000}, (_, number) =>
      failed(`/docs/${number}`, '403 Forbidden'),
    )
    const dav = new DavClient({
      url: `${origin}/`,
      transport: serving({'1 /docs/': [entry('/docs/'), ...many]}),
    })
    const {failures, summary} = await dav.propfind('docs/', {depth: {walk: true}}).collect()
    expect(failures).toHaveLength(130_000)
    expect(summary.complete).toBe(false)
    const again = await dav.retry(failures, {attempts: 1}).collect()
    expect(again.failures).toHaveLength(130_000)
    expect(again.summary.complete).toBe(false)
  })
})

describe('Depth infinity that overwhelms a server', () => {
  it.each([500, 413, 422, 504])(
    'is followed by a walk, once for the origin: %i',
    async (status) => {
      const asked: string[] = []
      const answers = {'infinity /docs/': status, '1 /docs/': listing('/docs/', '/docs/a')}
      const dav = new DavClient({url: `${origin}/`, transport: serving(answers, asked)})
      for (const _ of [1, 2]) {
        const {successes, summary} = await dav.propfind('docs/', {depth: 'infinity'}).collect()
        expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
        expect(summary.complete).toBe(true)
      }
      expect(asked).toEqual(['infinity /docs/', '1 /docs/', '1 /docs/'])
    },
  )

  it('is followed by a walk if no answer comes in time', async () => {
    const asked: string[] = []
    const walked = serving({'1 /docs/': listing('/docs/', '/docs/a')}, asked)
    const transport: Transport = async (request) =>
      request.headers['depth'] === 'infinity' ? new Promise(() => {}) : walked(request)
    const dav = new DavClient({url: `${origin}/`, transport, timeout: {headers: 50}})
    const {summary} = await dav.propfind('docs/', {depth: 'infinity'}).collect()
    expect(summary).toMatchObject({complete: true, requests: 2})
    expect(asked).toEqual(['1 /docs/'])
  })

  it('is not retried by a policy if no answer comes in time', async () => {
    const asked: string[] = []
    const walked = serving({'1 /docs/': listing('/docs/', '/docs/a')}, asked)
    const transport: Transport = async (request) => {
      if (request.headers['depth'] !== 'infinity') return walked(request)
      asked.push('infinity')
      return new Promise(() => {})
    }
    const retry = {attempts: 4, minDelay: 1}
    const dav = new DavClient({url: `${origin}/`, transport, timeout: {headers: 50}, retry})
    await dav.propfind('docs/', {depth: 'infinity'}).collect()
    expect(asked).toEqual(['infinity', '1 /docs/'])
  })

  it.each([500, 504])('fails if the walk is refused too: %i', async (status) => {
    const dav = new DavClient({
      url: `${origin}/`,
      transport: serving({'infinity /docs/': status, '1 /docs/': status}),
    })
    await expect(dav.propfind('docs/', {depth: 'infinity'}).collect()).rejects.toMatchObject({
      status,
    })
  })
})
