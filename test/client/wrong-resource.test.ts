// States that a destructive call reaches the intended resource and no other, however a server reads paths. The same
// holds for answers from another URL. The model servers here hold harmless names only. RFC 3986, section 3.3; RFC 4918,
// section 9.6.

import {
  DavClient,
  type DavResult,
  type DeleteTarget,
  type Failure,
  members,
  type Transport,
  partition,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {describe, expect, it} from 'vitest'

import {generate, propstat} from '../support/fixtures.ts'
import {line, resultsOf} from '../support/results.ts'

const origin = 'https://dav.example'
const base = `${origin}/files/`

interface Model {
  readonly dav: DavClient
  /** Method and path of each request. */
  readonly sent: readonly string[]
  /** Names of the existing resources. */
  readonly names: ReadonlySet<string>
}

function entry(href: string, type = href.endsWith('/') ? '<D:collection/>' : ''): string {
  const prop = `<D:resourcetype>${type}</D:resourcetype><D:getetag>"1"</D:getetag>`
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>`
}

function multistatus(...entries: readonly string[]): Response {
  const body = `<D:multistatus xmlns:D="DAV:">${entries.join('')}</D:multistatus>`
  return new Response(body, {status: 207})
}

/**
 * A server with files in one collection. `write` formats a name for a listing, and `read` decodes the name of a request.
 */
function model(
  files: readonly string[],
  read: (path: string) => string,
  write: (name: string) => string = (name) => name,
): Model {
  const names = new Set(files)
  const sent: string[] = []
  const transport: Transport = async ({method, url}) => {
    const path = url.slice(origin.length)
    sent.push(`${method} ${path}`)
    if (method === 'PROPFIND')
      return multistatus(
        entry('/files/'),
        ...Array.from(names, (name) => entry(`/files/${write(name)}`)),
      )
    const name = read(path.slice('/files/'.length))
    return new Response(null, {status: names.delete(name) ? 204 : 404})
  }
  return {dav: new DavClient({url: base, transport}), sent, names}
}

/** Decodes a path like a servlet container, which cuts parameters off first. */
const asServlet = (path: string): string => decodeURIComponent(path.replaceAll(/;[^/]*/g, ''))

describe('a name with a semicolon', () => {
  it.each<[string, (path: string) => string, (name: string) => string]>([
    ['a servlet container that lists it raw', asServlet, (name) => name],
    ['a servlet container that escapes it', asServlet, (name) => name.replaceAll(';', '%3B')],
    ['a server without parameters', decodeURIComponent, (name) => name],
  ])('is deleted alone on %s', async (_, read, write) => {
    for (const how of ['delete', 'deleteMany', 'stream'] as const) {
      const {dav, names, sent} = model(['a.txt', 'a.txt;v=2', 'b;c;d'], read, write)
      const {successes} = await dav.propfind('').collect()
      const odd = successes.filter(({href}) => /;|%3B/.test(href))
      const results: DavResult[] = []
      if (how === 'delete')
        for (const one of odd)
          results.push(...partition(resultsOf(await dav.delete(one))).successes)
      else
        results.push(
          ...(await dav.deleteMany(how === 'stream' ? generate(odd) : odd).collect()).successes,
        )
      expect(results.map(({status}) => status)).toEqual([204, 204])
      expect([...names]).toEqual(['a.txt'])
      expect(sent.slice(1).toSorted()).toEqual([
        'DELETE /files/a.txt%3Bv=2',
        'DELETE /files/b%3Bc%3Bd',
      ])
    }
  })

  it.each<[string, DeleteTarget]>([
    ['a string', 'a.txt;v=2'],
    ['a URL', new URL(`${base}a.txt;v=2`)],
    ['an object', {href: 'a.txt;v=2'}],
    ['an escaped string', 'a.txt%3Bv=2'],
  ])('names that resource as %s', async (_, target) => {
    const {dav, names} = model(['a.txt', 'a.txt;v=2'], asServlet)
    await dav.delete(target)
    expect([...names]).toEqual(['a.txt'])
  })

  it('of a failed member is kept by the retry', async () => {
    const sent: string[] = []
    const failing = multistatus(
      '<D:response><D:href>/files/c/a;1</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>',
    )
    const answers = [failing, new Response(null, {status: 204}), new Response(null, {status: 204})]
    const transport: Transport = async ({url}) => {
      sent.push(url.slice(origin.length))
      return answers.shift() ?? new Response(null, {status: 404})
    }
    const dav = new DavClient({url: base, transport})
    const {successes} = await dav.deleteMany(['c/'], {retry: {attempts: 2, minDelay: 1}}).collect()
    expect(successes).toHaveLength(1)
    expect(sent).toEqual(['/files/c/', '/files/c/a%3B1', '/files/c/'])
  })

  it('of a collection does not stop the retry of its members', async () => {
    const answer = multistatus(
      '<D:response><D:href>/files/c;1/a</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>',
    )
    const dav = new DavClient({url: base, transport: async () => answer})
    const {failures} = await dav.deleteMany([{url: `${base}c;1/`}]).collect()
    expect(failures.map(({request}) => request?.url)).toEqual([`${base}c%3B1/a`, `${base}c%3B1/`])
  })

  it('of a collection is kept by a walk', async () => {
    const asked: string[] = []
    const transport: Transport = async ({url}) => {
      const path = url.slice(origin.length)
      asked.push(path)
      return path === '/files/'
        ? multistatus(entry('/files/'), entry('/files/x;1/'))
        : multistatus(entry('/files/x;1/'))
    }
    const {summary} = await new DavClient({url: base, transport})
      .propfind('', {depth: {walk: true}})
      .collect()
    expect(asked).toEqual(['/files/', '/files/x%3B1/'])
    expect(summary.complete).toBe(true)
  })

  it.each([';x', '%3Bx'])('that consists of parameters only is refused: %s', async (name) => {
    const {dav, sent} = model([';x'], asServlet)
    await expect(dav.delete(name)).rejects.toThrow(/base/)
    const {failures} = await dav.deleteMany(generate([name])).collect()
    expect(failures).toMatchObject([{reason: 'refused', status: 0}])
    expect(sent).toEqual([])
  })
})

describe('a name with a control character', () => {
  it.each(['a%01b', 'a%00', '%1Fa', 'a%7F', 'a%0Ab', '%09'])(
    'is refused as a target: %s',
    async (name) => {
      const {dav, sent} = model([], decodeURIComponent)
      const lists = [
        [await dav.delete(name)],
        (await dav.deleteMany([name]).collect()).failures,
        (await dav.deleteMany(generate([name])).collect()).failures,
        [await dav.delete({url: base + name})],
      ]
      for (const failures of lists) {
        expect(failures).toMatchObject([
          {reason: 'refused', status: 0, relation: 'self', url: base + name},
        ])
        expect(failures[0]?.description).toMatch(/control character.*unguarded: true/)
      }
      expect(sent).toEqual([])
    },
  )

  it('is deleted with unguarded: true', async () => {
    const {dav, names} = model(['a\u0001b'], decodeURIComponent)
    const {successes} = await dav.deleteMany(['a%01b'], {unguarded: true}).collect()
    expect(successes.map(line)).toEqual(['204 self /files/a%01b'])
    expect([...names]).toEqual([])
  })

  it('of a failed member is listed without a request', async () => {
    const answer = multistatus(
      '<D:response><D:href>/files/c/a%01</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>',
      '<D:response><D:href>/files/c/b</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>',
    )
    const dav = new DavClient({url: base, transport: async () => answer})
    const {failures} = await dav.deleteMany(['c/']).collect()
    expect(failures.map(({url, request}) => [url, request?.url])).toEqual([
      [`${base}c/a%01`, undefined],
      [`${base}c/b`, `${base}c/b`],
      [`${base}c/`, `${base}c/`],
    ])
  })

  it('of a failure from a queue is not sent again', async () => {
    const {dav, sent} = model(['b'], decodeURIComponent)
    const failed = (name: string): Failure => ({
      ok: false,
      href: `/files/${name}`,
      url: base + name,
      relation: 'self',
      status: 423,
      reason: 'status',
      conditions: [],
      missing: [],
      request: {method: 'DELETE', url: base + name, depth: 'infinity', attempts: 1},
    })
    const {failures, successes} = await dav.retry([failed('a%01'), failed('b')], 2).collect()
    expect(failures).toMatchObject([{status: 423, reason: 'status', url: `${base}a%01`}])
    expect(failures[0]?.description).toMatch(/^Not sent again: .*control character/)
    expect(successes).toMatchObject([{status: 204, url: `${base}b`}])
    expect(sent).toEqual(['DELETE /files/b'])
    const again = await dav.retry([failed('a%01')], {unguarded: true, attempts: 1}).collect()
    expect(again.successes).toMatchObject([{status: 404, attempts: 2}])
    expect(sent).toHaveLength(2)
  })
})

describe('an answer from another URL', () => {
  /** Redirects `tmp/` to `precious/` and answers all other requests. */
  function redirecting(location = '/files/precious/'): {dav: DavClient; deleted: string[]} {
    const deleted: string[] = []
    const transport: Transport = async ({method, url}) => {
      const path = url.slice(origin.length)
      if (method === 'DELETE') deleted.push(path)
      if (path === '/files/tmp/') return new Response(null, {status: 302, headers: {location}})
      if (method === 'DELETE') return new Response(null, {status: 204})
      return multistatus(
        entry('/files/precious/'),
        entry('/files/precious/a'),
        entry('/files/precious/b/'),
      )
    }
    return {dav: new DavClient({url: base, transport}), deleted}
  }

  it.each([0, 1, 'infinity', {walk: true}] as const)(
    'names no member of the requested collection: depth %j',
    async (depth) => {
      const {dav, deleted} = redirecting()
      const {successes, summary} = await dav.propfind('tmp/', {depth}).collect()
      expect(successes.map(({relation}) => relation)).toEqual(['outside', 'outside', 'outside'])
      expect(summary.complete).toBe(false)
      const results = await Array.fromAsync(dav.deleteMany(members(dav.propfind('tmp/', {depth}))))
      expect(results.map(({ok}) => ok)).not.toContain(true)
      await dav.deleteMany((await dav.propfind('tmp/', {depth}).collect()).successes).collect()
      expect(deleted).toEqual([])
    },
  )

  it('makes the result of a stat no target of a DELETE', async () => {
    const sent: string[] = []
    const transport: Transport = async ({method, url}) => {
      sent.push(`${method} ${url.slice(origin.length)}`)
      return url.endsWith('/d')
        ? new Response(null, {status: 302, headers: {location: '/files/other'}})
        : multistatus(entry('/files/other', ''))
    }
    const dav = new DavClient({url: base, transport})
    const result = await dav.stat('d', {properties: ['getetag', 'resourcetype']})
    expect(result).toMatchObject({relation: 'outside', url: `${base}other`})
    const {failures} = await dav.deleteMany([result], {ifUnchanged: true}).collect()
    expect(failures).toMatchObject([{reason: 'refused'}])
    expect(sent).toEqual(['PROPFIND /files/d', 'PROPFIND /files/other'])
  })

  it('about a resource below the requested one is no result of a stat', async () => {
    for (const entries of [[entry('/files/d/index.html', '')], [entry('/files/d/a/b', '')]]) {
      const dav = new DavClient({url: base, transport: async () => multistatus(...entries)})
      expect(await dav.stat('d')).toMatchObject({ok: false, status: 0, reason: 'no-answer'})
    }
  })

  it('does not prove that a target is gone', async () => {
    const {dav} = redirecting()
    const transport: Transport = async (request) =>
      request.method === 'DELETE'
        ? new Response(null, {status: 204})
        : request.url.endsWith('/tmp/')
          ? new Response(null, {status: 302, headers: {location: '/files/precious/'}})
          : multistatus(entry('/files/precious/'))
    const verifying = new DavClient({url: dav.url, transport})
    const {failures} = await verifying.deleteMany(['tmp/'], {verify: true}).collect()
    expect(failures).toMatchObject([{status: 0, reason: 'no-answer', cause: 'unreadable'}])
  })

  it('does not prove it with a 404 of its own either', async () => {
    const transport: Transport = async ({method, url}) => {
      if (method === 'DELETE') return new Response(null, {status: 204})
      return url.endsWith('/tmp')
        ? new Response(null, {status: 302, headers: {location: '/files/home'}})
        : new Response(null, {status: 404})
    }
    const dav = new DavClient({url: base, transport})
    const {failures} = await dav.deleteMany(['tmp'], {verify: true}).collect()
    expect(failures).toMatchObject([{status: 0, reason: 'no-answer'}])
  })

  it('counts if only the slash differs', async () => {
    const transport: Transport = async ({url}) =>
      url.endsWith('/tmp')
        ? new Response(null, {status: 301, headers: {location: '/files/tmp/'}})
        : multistatus(entry('/files/tmp/'), entry('/files/tmp/a'))
    const {successes, summary} = await new DavClient({url: base, transport})
      .propfind('tmp')
      .collect()
    expect(successes.map(({relation}) => relation)).toEqual(['self', 'member'])
    expect(summary.complete).toBe(true)
  })

  it.each([
    ['another origin', 'https://evil.example/files/'],
    ['another port', 'https://dav.example:8443/files/'],
    ['plain http', 'http://dav.example/files/'],
  ])('is refused if a fetch followed a redirect to %s', async (_, answered) => {
    const fetch = async (): Promise<Response> => {
      const response = multistatus(entry('/files/'), entry('/files/a'))
      Object.defineProperty(response, 'url', {value: answered})
      return response
    }
    const dav = new DavClient({url: base, transport: fetchTransport({fetch})})
    await expect(dav.propfind('').collect()).rejects.toMatchObject({
      name: 'DavError',
      method: 'PROPFIND',
      url: base,
    })
    const {failures} = await dav.deleteMany(['a']).collect()
    expect(failures).toMatchObject([{status: 0, reason: 'refused', url: `${base}a`}])
  })

  it('is no verdict on a DELETE that a fetch redirected, and the DELETE is not repeated', async () => {
    let count = 0
    const fetch = async (): Promise<Response> => {
      count++
      const response = new Response(null, {status: 204})
      Object.defineProperty(response, 'url', {value: `${base}b`})
      return response
    }
    const dav = new DavClient({url: base, transport: fetchTransport({fetch})})
    const {failures} = await dav.deleteMany(['a'], {retry: {attempts: 4, minDelay: 1}}).collect()
    expect(failures).toMatchObject([{status: 0, reason: 'refused', url: `${base}a`}])
    expect(count).toBe(1)
  })

  it('may have a path as its url', async () => {
    const transport: Transport = async () => ({
      status: 204,
      headers: new Headers(),
      body: null,
      url: '/files/a',
    })
    const {successes} = await new DavClient({url: base, transport}).deleteMany(['a']).collect()
    expect(successes).toHaveLength(1)
  })
})

describe('a result outside its request', () => {
  const only = async (): Promise<Response> => multistatus(entry('/inner/x'))

  it.each(['delete', 'deleteMany', 'stream'] as const)('is no target of %s', async (how) => {
    const dav = new DavClient({url: `${origin}/`, transport: only})
    const result = await dav.stat('files/x')
    expect(result.relation).toBe('outside')
    const failures =
      how === 'delete'
        ? [await dav.delete(result)]
        : (await dav.deleteMany(how === 'stream' ? generate([result]) : [result]).collect())
            .failures
    expect(failures).toMatchObject([{reason: 'refused', status: 0, url: `${origin}/inner/x`}])
  })

  it('is a target with unguarded: true', async () => {
    const sent: string[] = []
    const transport: Transport = async ({method, url}) => {
      if (method === 'PROPFIND') return only()
      sent.push(url)
      return new Response(null, {status: 204})
    }
    const dav = new DavClient({url: `${origin}/`, transport})
    await dav.delete(await dav.stat('files/x'), {unguarded: true})
    expect(sent).toEqual([`${origin}/inner/x`])
  })
})

describe('an href that begins with two slashes', () => {
  it.each([
    ['/', '//dir/f.txt', '/dir/f.txt', 'descendant'],
    ['/', '//a', '/a', 'member'],
    ['/', '//dav.example/a', '/a', 'member'],
    ['/dav/', '//dav//a', '/dav/a', 'member'],
    ['/dav/', '//other/dav/a', '/other/dav/a', 'outside'],
  ])('is resolved in a listing of %s: %s', async (at, href, path, relation) => {
    const dav = new DavClient({url: origin, transport: async () => multistatus(entry(href))})
    const {successes} = await dav.propfind(at).collect()
    expect(successes).toMatchObject([{href, url: origin + path, relation}])
  })
})

describe('the base of a client', () => {
  it.each([
    '/a%2Fb/',
    '/a;v=1/',
    '/a%09b/',
    '/a//b/',
    '/a%5Cb/',
    '/%E0%A4%85/',
    '/a%20b/',
    '/a%3Bb/',
  ])('is read like the targets in it: %s', async (path) => {
    const sent: string[] = []
    const transport: Transport = async ({url}) => {
      sent.push(url)
      return new Response(null, {status: 204})
    }
    const dav = new DavClient({url: origin + path, transport})
    const {successes} = await dav.deleteMany(['x%20y', 'sub/z']).collect()
    expect(successes).toHaveLength(2)
    await expect(dav.delete('')).rejects.toThrow(/base/)
    await expect(dav.delete('/elsewhere')).rejects.toThrow(/outside/)
  })
})

describe('a repeated refused target', () => {
  it('has one verdict', async () => {
    const {dav, sent} = model([], decodeURIComponent)
    const foreign = 'https://other.example/files/a'
    const targets = ['b#1', 'b#1', 'a%01', 'a%01', '/x', foreign, foreign, '/x']
    const {failures, summary} = await dav.deleteMany(generate(targets), {concurrency: 1}).collect()
    expect(failures.map(({url, reason}) => `${reason} ${url}`)).toEqual([
      `refused ${base}b%231`,
      `refused ${base}a%01`,
      `refused ${origin}/x`,
      `refused ${foreign}`,
    ])
    expect(summary.failures).toBe(4)
    expect(sent).toEqual([])
  })

  it('does not hide a valid target with its URL', async () => {
    const {dav, names} = model(['a'], decodeURIComponent)
    const stray: DavResult = {
      ok: true,
      href: '/files/a',
      url: `${base}a`,
      relation: 'outside',
      status: 200,
      properties: {},
      missing: [],
    }
    const results = await Array.fromAsync(
      dav.deleteMany(generate([stray, stray, 'a']), {concurrency: 1}),
    )
    expect(results.map(({ok, status}) => [ok, status])).toEqual([
      [false, 0],
      [true, 204],
    ])
    expect([...names]).toEqual([])
  })
})

describe('the Failure of a refused reference', () => {
  it.each([
    ['//base/', 'https://base/'],
    ['//other/files/x', 'https://other/files/x'],
    ['%2F', `${base}%2F`],
    ['a\\b', `${base}a%5Cb`],
    ['100%', `${base}100%25`],
    ['../x', `${origin}/x`],
  ])('has its intended URL: %s', async (target, url) => {
    const {dav, sent} = model([], decodeURIComponent)
    const {failures} = await dav.deleteMany(generate([target])).collect()
    expect(failures).toMatchObject([{reason: 'refused', status: 0, url}])
    expect(sent).toEqual([])
  })
})

describe('a name that some servers read as its collection', () => {
  it.each(['%3Bx', ';x', '%2F', '%5C', '%2f%2F'])('is refused, but listed: %s', async (name) => {
    const {dav, sent, names} = model([], asServlet)
    const listed = `${base}d/${name}`
    const transport: Transport = async ({method, url}) => {
      sentHere.push(`${method} ${url}`)
      return method === 'PROPFIND'
        ? multistatus(entry('/files/d/'), entry(`/files/d/${name}`, ''))
        : new Response(null, {status: 204})
    }
    const sentHere: string[] = []
    const listing = new DavClient({url: base, transport})
    const {failures} = await listing.deleteMany(members(listing.propfind('d/'))).collect()
    expect(failures).toMatchObject([{reason: 'refused', url: listed}])
    expect(sentHere).toHaveLength(1)
    const alone = await dav.deleteMany([`d/${name}`]).collect()
    expect(alone.failures).toMatchObject([{reason: 'refused'}])
    expect([sent, [...names]]).toEqual([[], []])
  })
})

describe('a base with two slashes at its beginning', () => {
  it('contains the hrefs that begin like it', async () => {
    const dav = new DavClient({
      url: `${origin}//a/`,
      transport: async () => multistatus(entry('//a/'), entry('//a/m.txt')),
    })
    const {successes} = await dav.propfind('').collect()
    expect(successes.map(({url, relation}) => [url, relation])).toEqual([
      [`${origin}//a/`, 'self'],
      [`${origin}//a/m.txt`, 'member'],
    ])
  })
})

describe('a collection known by its type', () => {
  it('is requested with its slash', async () => {
    const sent: string[] = []
    const transport: Transport = async ({method, url}) => {
      sent.push(`${method} ${url.slice(origin.length)}`)
      if (method === 'DELETE') return new Response(null, {status: 204})
      return multistatus(
        entry('/files'),
        entry('/files/sub', '<D:collection/>'),
        entry('/files/a', ''),
      )
    }
    const dav = new DavClient({url: base, transport})
    const {successes} = await dav.propfind('').collect()
    const [, sub, file] = successes
    if (sub === undefined || file === undefined) throw new Error('no listing')
    await dav.deleteMany([sub, file], {concurrency: 1}).collect()
    await dav.delete(sub)
    await dav.propfind(sub).collect()
    expect(sent.slice(1)).toEqual([
      'DELETE /files/sub/',
      'DELETE /files/a',
      'DELETE /files/sub/',
      'PROPFIND /files/sub/',
    ])
  })
})
