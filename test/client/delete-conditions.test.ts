// States the conditions of a DELETE: If-Match from the caller or from a listing, and an If header from a lock token. A
// failure keeps them. RFC 4918, sections 7.5 and 10.4; RFC 9110, sections 8.8.3 and 13.1.1.

import {DavClient, type DeleteTarget, type Failure, unwrap} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, type FaultServer, RESET, startFaultServer} from '../support/fault-server.ts'
import {listing, OPEN, SHUT, verdicts} from '../support/fault-server.ts'
import {generate, propstat} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}
const token = 'urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4'
const ifHeader = (path: string): string => `<${server.url}${path}> (<${token}>)`

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

function sentHeaders(name: string): unknown[] {
  return server.requests.map(({headers}) => headers[name])
}

/** Formats a response of a listing, with or without an ETag. */
function response(href: string, etag?: string, types = ''): string {
  const tag = etag === undefined ? '' : `<D:getetag>${etag}</D:getetag>`
  const prop = `<D:resourcetype>${types}</D:resourcetype>${tag}`
  return `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>`
}

it('lockRoot without lockToken is a TypeError: it would be no condition', async () => {
  const root = {lockRoot: `${server.url}a`}
  for (const call of [
    () => dav.delete('a', root),
    () => dav.delete({href: 'a', ...root}),
    () => dav.put('a', 'text', root),
    () => dav.mkcol('b/', root),
    () => dav.move('a', 'b', root),
    () => dav.proppatch('a', {remove: ['x'], ...root}),
  ])
    await expect(call()).rejects.toThrow(/lockToken/)
  expect(server.requests).toEqual([])
})

it.each(['ifMatch', 'lockToken', 'lockRoot'])(
  'a %s of null is a TypeError: it would be no condition',
  async (name) => {
    const none: object = {[name]: new Headers().get('etag')}
    const pair = {from: 'a', to: 'b', ...none}
    for (const call of [
      () => dav.delete('a', none),
      () => dav.delete({href: 'a', ...none}),
      () => dav.deleteMany([{href: 'a', ...none}]).collect(),
      () => dav.put('a', 'text', none),
      () => dav.putMany([{href: 'a', body: 'text', ...none}]).collect(),
      () => dav.mkcol('b/', none),
      () => dav.lock('a', none),
      () => dav.copy('a', 'b', none),
      () => dav.copyMany([pair]).collect(),
      () => dav.move('a', 'b', none),
      () => dav.moveMany([pair]).collect(),
      () => dav.proppatch('a', {remove: ['x'], ...none}),
    ])
      await expect(Promise.resolve().then<unknown>(call)).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  },
)

it('a Lock is a target like any result, although it has a lockRoot', async () => {
  const headers = {'lock-token': '<urn:a>', 'content-type': 'text/xml'}
  const lockdiscovery = `<D:lockdiscovery><D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:exclusive/></D:lockscope><D:depth>0</D:depth><D:timeout>Second-600</D:timeout><D:locktoken><D:href>urn:a</D:href></D:locktoken><D:lockroot><D:href>/a</D:href></D:lockroot></D:activelock></D:lockdiscovery>`
  const body = `<D:prop xmlns:D="DAV:">${lockdiscovery}</D:prop>`
  server.script(({method}) => (method === 'LOCK' ? {status: 200, headers, body} : {status: 204}))
  const lock = unwrap(await dav.lock('a'))
  expect(await dav.delete(lock)).toMatchObject({ok: true, status: 204})
  expect(sentHeaders('if')).toContain(`<${server.url}a> (<urn:a>)`)
})

describe('ifMatch', () => {
  it.each([
    ['"abc"', '"abc"'],
    ['abc', '"abc"'],
    ['*', '*'],
    ['"a, b"', '"a, b"'],
    ['686897696a7c876b7e', '"686897696a7c876b7e"'],
  ])('%s is sent as %s', async (ifMatch, sent) => {
    await dav.deleteMany([{href: 'a', ifMatch}]).collect()
    await dav.delete({href: 'b', ifMatch})
    expect(sentHeaders('if-match')).toEqual([sent, sent])
    expect(sentHeaders('if')).toEqual([undefined, undefined])
  })

  it.each(['W/"abc"', 'W/abc'])('is refused if it is weak: %s', async (ifMatch) => {
    const target = {href: 'a', ifMatch}
    const {failures: many} = await dav.deleteMany([target]).collect()
    for (const failures of [many, [await dav.delete(target)]]) {
      expect(failures).toMatchObject([{reason: 'refused', status: 0, url: `${server.url}a`}])
      expect(failures[0]?.description).toMatch(/weak/)
    }
    expect(server.requests).toEqual([])
  })

  it.each(['"a"b"', 'a\r\nx-evil: 1', 'a\nb', 'a\0b', 'W/"abc', '"abc', '"a", "b"', 7, null])(
    'is a TypeError in an array and a Failure in a stream if it is no ETag: %j',
    async (ifMatch) => {
      const target = {href: 'a', ifMatch} as DeleteTarget
      expect(() => dav.deleteMany(['b', target])).toThrow(TypeError)
      await expect(dav.delete(target)).rejects.toThrow(TypeError)
      const {failures, successes} = await dav.deleteMany(generate([target, 'b'])).collect()
      expect(failures.map(line)).toEqual(['0 refused self a'])
      expect(failures[0]?.url).toBe(`${server.url}a`)
      expect(successes.map(line)).toEqual(['204 self /b'])
      expect(server.requests.map(({url}) => url)).toEqual(['/b'])
    },
  )
})

describe('lockToken', () => {
  it.each([token, `<${token}>`, 'opaquelocktoken:1-2', '1234', '0123456789abcdef'.repeat(4)])(
    'is sent as an If header: %s',
    async (lockToken) => {
      await dav.deleteMany([{href: 'a', lockToken}]).collect()
      const bare = lockToken.replaceAll(/[<>]/g, '')
      expect(sentHeaders('if')).toEqual([`<${server.url}a> (<${bare}>)`])
      expect(sentHeaders('if-match')).toEqual([undefined])
    },
  )

  it('is sent together with an ifMatch', async () => {
    await dav.deleteMany([{href: 'a', lockToken: token, ifMatch: '"1"'}]).collect()
    expect(sentHeaders('if')).toEqual([ifHeader('a')])
    expect(sentHeaders('if-match')).toEqual(['"1"'])
  })

  it.each([
    '',
    '<>',
    '<<a>>',
    'a>b',
    'a<b',
    'a b',
    'a\r\nx-evil: 1',
    'a\0b',
    'a\tb',
    'ä',
    'a>) (<b',
    1,
    null,
  ])('is refused if it is no token: %j', async (lockToken) => {
    const target = {href: 'a', lockToken} as DeleteTarget
    expect(() => dav.deleteMany([target])).toThrow(TypeError)
    const {failures} = await dav.deleteMany(generate([target])).collect()
    expect(failures.map(line)).toEqual(['0 refused self a'])
    expect(server.requests).toEqual([])
  })
})

describe('ifUnchanged', () => {
  it('sends the ETags of a listing; a result without one becomes a Failure', async () => {
    const responses = [
      response('/docs/a', '"1"'),
      response('/docs/b', 'W/"2"'),
      response('/docs/any', '*'),
      response('/docs/c', 'unquoted'),
      response('/docs/none'),
      response('/docs/sub/', '"3"', '<D:collection/>'),
    ]
    server.script(({method}) =>
      method === 'DELETE' ? {status: 204} : answer207(OPEN + responses.join('') + SHUT),
    )
    const {successes} = await dav.propfind('docs/').collect()
    const before = server.requests.length
    const options = {ifUnchanged: true, concurrency: 1}
    for (const targets of [successes, generate(successes)]) {
      const results = await Array.fromAsync(dav.deleteMany(targets, options))
      expect(results.map(({href}) => href.replace('/docs/', ''))).toEqual(
        successes.map(({href}) => href.replace('/docs/', '')),
      )
      expect(results.map(({ok}) => ok)).toEqual([true, false, false, true, false, false])
      expect(results.slice(4)).toMatchObject([
        {reason: 'refused', status: 0, relation: 'self', url: `${server.url}docs/none`},
        {reason: 'refused', status: 0, relation: 'self', url: `${server.url}docs/sub/`},
      ])
    }
    const once = ['"1"', '"unquoted"']
    expect(sentHeaders('if-match').slice(before)).toEqual([...once, ...once])
  })

  it('refuses a result with an empty ETag', async () => {
    server.script(({method}) =>
      method === 'DELETE' ? {status: 204} : answer207(OPEN + response('/a', '') + SHUT),
    )
    const {successes} = await dav.propfind('a', {depth: 0}).collect()
    const {failures} = await dav.deleteMany(successes, {ifUnchanged: true}).collect()
    expect(failures.map(line)).toEqual(['0 refused self /a'])
    expect(server.requests.map(({method}) => method)).toEqual(['PROPFIND'])
  })

  it.each(['"a"b"', '"a&#13;&#10;x-evil: 1"', '"\u007F"'])(
    'refuses an ETag that cannot be a header value, in an array too: %s',
    async (etag) => {
      const body = OPEN + response('/a', etag) + response('/b', '"1"') + SHUT
      server.script(({method}) => (method === 'DELETE' ? {status: 204} : answer207(body)))
      const {successes} = await dav.propfind('').collect()
      const stream = dav.deleteMany(successes, {ifUnchanged: true, concurrency: 1})
      const results = await Array.fromAsync(stream)
      expect(results.map(line)).toEqual(['0 refused self /a', '204 self /b'])
    },
  )

  it.each<[string, DeleteTarget]>([
    ['a string', 'a'],
    ['a URL', new URL('http://127.0.0.1/a')],
    ['a target without ifMatch', {href: 'a'}],
    ['a target with a lock token only', {href: 'a', lockToken: token}],
  ])('makes %s a TypeError in an array and a Failure in a stream', async (_, given) => {
    const target = given instanceof URL ? new URL('a', server.url) : given
    expect(() => dav.deleteMany([target], {ifUnchanged: true})).toThrow(TypeError)
    const {failures} = await dav.deleteMany(generate([target]), {ifUnchanged: true}).collect()
    expect(failures).toMatchObject([{reason: 'refused', status: 0, url: `${server.url}a`}])
    expect(server.requests).toEqual([])
  })

  it.each([
    ['no type', '<D:getetag>"1"</D:getetag>', /resourcetype/],
    [
      'an unknown type',
      '<D:resourcetype><x xmlns=""/></D:resourcetype><D:getetag>"1"</D:getetag>',
      /resourcetype/,
    ],
    ['a weak ETag', '<D:resourcetype/><D:getetag>W/"1"</D:getetag>', /weak/],
    ['the ETag *', '<D:resourcetype/><D:getetag>*</D:getetag>', /no ETag/],
  ])('refuses a result with %s and gives the reason', async (_, prop, words) => {
    const body = `${OPEN}<D:response><D:href>/a</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`
    server.script(({method}) => (method === 'DELETE' ? {status: 204} : answer207(body)))
    const {successes} = await dav.propfind('a', {depth: 0}).collect()
    for (const targets of [successes, generate(successes)]) {
      const {failures} = await dav.deleteMany(targets, {ifUnchanged: true}).collect()
      expect(failures).toMatchObject([{reason: 'refused', status: 0, url: `${server.url}a`}])
      expect(failures[0]?.description).toMatch(words)
    }
    expect(server.requests.map(({method}) => method)).toEqual(['PROPFIND'])
  })

  it('accepts an ifMatch', async () => {
    await dav.deleteMany([{href: 'a', ifMatch: '"1"'}], {ifUnchanged: true}).collect()
    expect(sentHeaders('if-match')).toEqual(['"1"'])
  })

  it('yields a 412 for a changed resource, and does not retry it', async () => {
    server.answers({status: 412})
    const options = {ifUnchanged: true, retry: quick}
    const {failures} = await dav.deleteMany([{href: 'a', ifMatch: '"1"'}], options).collect()
    expect(failures).toMatchObject([
      {status: 412, reason: 'status', request: {conditions: {'if-match': '"1"'}, attempts: 1}},
    ])
    expect(server.requests).toHaveLength(1)
  })
})

describe('a failure', () => {
  const target = {href: 'a/', ifMatch: '"1"', lockToken: token}

  it('keeps the conditions as plain data, and a retry sends them again', async () => {
    // The client looks for the resource after the lost answer.
    server.answers({status: 503}, RESET, {status: 423}, answer207(listing('/a/')))
    const {failures} = await dav.deleteMany([target], {retry: quick}).collect()
    expect(failures[0]?.request?.conditions).toEqual({'if-match': '"1"', if: ifHeader('a/')})
    const written: Failure[] = JSON.parse(JSON.stringify(failures))
    server.answers({status: 204})
    const {successes} = await dav.retry(written, quick).collect()
    expect(successes).toMatchObject([{status: 204, attempts: 4}])
    const deletions = server.requests.filter(({method}) => method === 'DELETE')
    expect(deletions.map(({headers}) => headers['if-match'])).toEqual(['"1"', '"1"', '"1"', '"1"'])
    expect(deletions.map(({headers}) => headers['if'])).toEqual(Array(4).fill(ifHeader('a/')))
  })

  it('of a member keeps the lock token but not the If-Match', async () => {
    server.answers(answer207(verdicts({'/a/x': '423 Locked', '/b': '423 Locked'})))
    const {failures} = await dav.deleteMany([target]).collect()
    expect(failures.map(line)).toEqual([
      '423 status member /a/x',
      '423 status outside /b',
      '424 member self /a/',
    ])
    expect(failures.map(({request}) => request?.conditions)).toEqual([
      {if: ifHeader('a/')},
      undefined,
      {'if-match': '"1"', if: ifHeader('a/')},
    ])
    expect(failures[1]).not.toHaveProperty('request')
  })

  it.each(['in the call', 'by dav.retry'])(
    'of a member is sent again with the token: %s',
    async (how) => {
      const first = answer207(verdicts({'/a/x': '423 Locked'}))
      server.answers(first, {status: 204})
      if (how === 'in the call') await dav.deleteMany([target], {retry: quick}).collect()
      else await dav.retry((await dav.deleteMany([target]).collect()).failures, quick).collect()
      expect(server.requests.map(({url}) => url)).toEqual(['/a/', '/a/x', '/a/'])
      expect(sentHeaders('if')).toEqual(Array(3).fill(ifHeader('a/')))
      expect(sentHeaders('if-match')).toEqual(['"1"', undefined, '"1"'])
    },
  )

  it.each([
    {if: `(<${token}>)\r\nx-evil: 1`},
    {'if-match': '"1"\nx'},
    {authorization: 'Basic eA=='},
    {'if-match\r\nx': '1'},
    {host: 'elsewhere'},
    {depth: '0'},
  ])('from a queue cannot add another header: %j', async (conditions) => {
    const {failures} = await dav
      .deleteMany([{href: 'a', ifMatch: '"1"'}], {retry: {attempts: 1}})
      .collect()
    expect(failures).toEqual([])
    const url = `${server.url}a`
    const forged: Failure = {
      ok: false,
      href: '/a',
      url,
      relation: 'self',
      status: 423,
      reason: 'status',
      conditions: [],
      missing: [],
      request: {method: 'DELETE', url, depth: 'infinity', conditions, attempts: 1},
    }
    await expect(dav.retry([forged], quick).collect()).rejects.toThrow(TypeError)
    expect(server.requests).toHaveLength(1)
  })
})
