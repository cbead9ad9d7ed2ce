// States the Digest headers of RFC 7616 and RFC 2617 with their vectors, the choice among challenges, the life of a nonce, and the
// proof of the server.

import {inspect} from 'node:util'

import {DavClient, DavError, DavHttpError, digestAuth} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {readDigest} from '../../src/auth/digest-challenge.ts'
import {loadHash} from '../../src/auth/digest-hash.ts'
import {NonceCounts, Space, spellingsOf} from '../../src/auth/digest-space.ts'
import {decodeChallenges} from '../../src/protocol/challenge.ts'
import {fieldsOf, type GateOptions, guard, makeGate} from '../support/digest-gate.ts'
import {type FaultServer, startFaultServer} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 20_000})

interface Vector {
  readonly header: string
  readonly username?: string
  readonly password?: string
  readonly cnonce: string
  readonly method?: string
  readonly url: string
}

/** Makes the space of a challenge with a known cnonce. */
async function spaceOf(vector: Vector): Promise<Space> {
  const [challenge] = decodeChallenges(vector.header)
  const offer = challenge && readDigest(challenge, vector.url)
  if (offer === undefined) throw new Error('the challenge cannot be answered')
  const {username = 'Mufasa', password = 'Circle of Life'} = vector
  const [spelling = 'utf-8'] = spellingsOf(username, offer)
  return new Space({
    challenge: offer,
    spelling,
    account: {username, password},
    hash: await loadHash(offer.hash),
    counts: new NonceCounts(),
    cnonce: vector.cnonce,
  })
}

async function signed(vector: Vector): Promise<Record<string, string>> {
  const space = await spaceOf(vector)
  const {header} = space.sign({method: vector.method ?? 'GET', url: vector.url, headers: {}})
  return fieldsOf(header)
}

describe('the vectors', () => {
  const old = {
    cnonce: '0a4f113b',
    password: 'Circle Of Life',
    url: 'http://www.nowhere.org/dir/index.html',
  }
  const old2617 = (more: string): string =>
    `Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"${more}`

  it.each([
    [', qop="auth,auth-int"', '6629fae49393a05397450978507c4ef1'],
    ['', '670fd8c2df070c60b045671b8b24ff02'],
    [', qop="auth", algorithm=MD5-sess', '8e3825c57e897f5a0dec6c2d4e5059d0'],
  ])('of RFC 2617 with %j', async (more, response) => {
    expect(await signed({...old, header: old2617(more)})).toMatchObject({
      response,
      username: 'Mufasa',
      uri: '/dir/index.html',
      opaque: '5ccc069c403ebaf9f0171e9517f40e41',
    })
  })

  it('of RFC 2617 for the proof of the server', async () => {
    const space = await spaceOf({...old, header: old2617(', qop="auth"')})
    const sent = space.sign({method: 'GET', url: old.url, headers: {}})
    const info = (rspauth: string, more = ', cnonce="0a4f113b", nc=00000001, qop=auth'): string =>
      `rspauth="${rspauth}"${more}`
    const right = '376602cfd2f4e8e5e78b948a85263e85'
    expect(space.accept(info(right), sent)).toBe(true)
    expect(space.accept(info(right.toUpperCase()), sent)).toBe(true)
    expect(space.accept(info('0'.repeat(32)), sent)).toBe(false)
    expect(space.accept(info(right, ''), sent)).toBe(false)
    expect(space.accept(info(right, ', cnonce="0a4f113c", nc=00000001'), sent)).toBe(false)
    expect(space.accept(info(right, ', cnonce="0a4f113b", nc=00000002'), sent)).toBe(false)
    expect(space.accept(info(right, ', cnonce="0a4f113b"'), sent)).toBe(false)
    expect(space.accept('cnonce="0a4f113b", nc=00000001', sent)).toBe(false)
    expect(space.accept(info(right, ', cnonce="0a4f113b", nc=00000001, qop=auth-int'), sent)).toBe(
      false,
    )
    expect(space.accept('nextnonce="n2"', sent)).toBe(true)
  })

  const young = {
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
    url: 'http://www.example.org/dir/index.html',
  }
  const of7616 = (more: string): string =>
    `Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"${more}`

  it.each([
    [', algorithm=MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    [', algorithm=SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    [', algorithm=SHA-512-256', '430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0'],
    [', algorithm=MD5-sess', 'e783283f46242139c486a698fec7211d'],
    [
      ', algorithm="sha-256-SESS"',
      '2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7',
    ],
  ])('of RFC 7616 with %j', async (more, response) => {
    expect(await signed({...young, header: of7616(more)})).toMatchObject({
      response,
      qop: 'auth',
      nc: '00000001',
    })
  })

  it('of a PROPFIND', async () => {
    const url = 'http://www.example.org/dav/'
    const vector = {...young, url, method: 'PROPFIND', header: of7616(', algorithm=SHA-256')}
    expect(await signed(vector)).toMatchObject({
      response: '472813d8ff2f1928d26cbad9ac150add164a16415c966b14e65a684aac8cc376',
    })
  })

  it('of a hashed name', async () => {
    const header =
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", charset=UTF-8, userhash=true'
    expect(await signed({...young, username: 'Jäsøn Doe', header})).toMatchObject({
      username: '793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b',
      userhash: 'true',
    })
  })
})

describe('the form of a header', () => {
  const base = 'Digest realm="r", nonce="n", qop="auth-int,fish, auth"'
  const at = {cnonce: 'c', url: 'http://dav.example/a%20b?x=1#part'}
  const headerOf = async (header: string, username = 'ana'): Promise<string> =>
    (await spaceOf({...at, header, username})).sign({method: 'GET', url: at.url, headers: {}})
      .header

  it('has the request target as sent, and tokens unquoted', async () => {
    expect(await headerOf(`${base}, algorithm="MD5", opaque=""`)).toMatch(
      /^Digest username="ana", realm="r", nonce="n", uri="\/a%20b\?x=1", response="[\da-f]{32}", algorithm=MD5, opaque="", qop=auth, nc=00000001, cnonce="c"$/,
    )
    expect(await headerOf(base)).not.toMatch(/algorithm|opaque|userhash/)
    expect(await headerOf(`${base}, userhash=false`)).not.toMatch(/userhash/)
  })

  it.each([
    ['http://dav.example', '/'],
    ['http://dav.example?x', '/?x'],
    ['http://dav.example/?', '/?'],
  ])('of %s is for %s', async (url, uri) => {
    expect(await signed({cnonce: 'c', header: base, url})).toMatchObject({uri})
  })

  it.each([
    ['müller', base, 'username="mÃ¼ller"'],
    ['müller', `${base}, charset="utf-8"`, "username*=UTF-8''m%C3%BCller"],
    ["a'(b)*", `${base}, charset=UTF-8`, 'username="a\'(b)*"'],
    ['a"b\\c', base, String.raw`username="a\"b\\c"`],
    ['a"b', `${base}, charset=UTF-8`, "username*=UTF-8''a%22b"],
    ["日'(本)*", `${base}, charset=UTF-8`, "username*=UTF-8''%E6%97%A5%27%28%E6%9C%AC%29%2A"],
  ])('for the name %s by %s', async (name, header, field) => {
    expect(await headerOf(header, name)).toContain(`${field},`)
  })
})

describe('a challenge that cannot be answered', () => {
  it.each([
    'Basic realm="r"',
    'Digest nonce="n", qop="auth"',
    'Digest realm="r", qop="auth"',
    'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-3',
    'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-512',
    'Digest realm="r", nonce="n", qop="auth-int"',
    'Digest realm="r", nonce="n", algorithm=MD5-sess',
    'Digest realm="r", nonce="n", qop="auth", domain="/ http://["',
  ])('is %s', (header) => {
    const [challenge] = decodeChallenges(header)
    expect(challenge).toBeDefined()
    expect(challenge && readDigest(challenge, 'http://dav.example/')).toBeUndefined()
  })
})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

const sentHeaders = (): readonly (string | undefined)[] =>
  server.requests.map(({headers}) => headers.authorization)

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_platform, transport) => {
  const client = (username = 'ana', password = 'secret'): DavClient =>
    new DavClient({
      url: server.url,
      auth: digestAuth(username, password),
      transport: transport(),
      concurrency: 16,
    })

  it('the first request is refused, and later ones carry the header unasked', async () => {
    guard(server)
    const dav = client()
    expect([await dav.delete('a'), await dav.delete('b')]).toMatchObject([{ok: true}, {ok: true}])
    expect(sentHeaders().map((header) => header !== undefined)).toEqual([false, true, true])
    const counts = sentHeaders().map((header) => fieldsOf(header ?? '')['nc'])
    expect(counts).toEqual([undefined, '00000001', '00000002'])
  })

  it.each(['MD5', 'MD5-sess', 'SHA-256', 'SHA-256-sess', 'SHA-512-256', 'SHA-512-256-sess'])(
    'the server takes %s',
    async (algorithm) => {
      guard(server, {algorithms: [algorithm]})
      expect(await client().delete('a')).toMatchObject({ok: true})
    },
  )

  it('the strongest offer is taken, whatever its place', async () => {
    guard(server, {algorithms: ['MD5', 'SHA-512-256', 'SHA-256']})
    await client().delete('a')
    expect(fieldsOf(sentHeaders()[1] ?? '')).toMatchObject({algorithm: 'SHA-512-256'})
  })

  it('challenges in one header count each, and a refused one gives way to the next', async () => {
    server.script(({headers}) => {
      const {algorithm} = fieldsOf(headers.authorization ?? '')
      if (algorithm === 'MD5') return {status: 204}
      const challenge =
        'Negotiate, Digest realm="a, b", nonce="n", qop="auth", algorithm=SHA-256, Digest realm="a, b", nonce="n", qop="auth", algorithm=MD5'
      return {status: 401, headers: {'www-authenticate': challenge}}
    })
    expect(await client().delete('a')).toMatchObject({ok: true})
    const algorithms = sentHeaders().map((header) => fieldsOf(header ?? '')['algorithm'])
    expect(algorithms).toEqual([undefined, 'SHA-256', 'MD5'])
  })

  it('a wrong password is sent once for each algorithm, and the 401 is the outcome', async () => {
    guard(server, {algorithms: ['SHA-256', 'MD5']})
    const result = await client('ana', 'wrong-secret').delete('a')
    expect(result).toMatchObject({ok: false, status: 401})
    expect(JSON.stringify(result)).not.toContain('wrong-secret')
    const algorithms = sentHeaders().map((header) => fieldsOf(header ?? '')['algorithm'])
    expect(algorithms).toEqual([undefined, 'SHA-256', 'MD5'])
  })

  it.each([
    ['müller', ', charset=UTF-8'],
    ['müller', ''],
    ['a"b\\c', ', charset=UTF-8'],
    ['a"b\\c', ''],
    ['Jäsøn Doe', ', userhash=true, charset=UTF-8'],
  ])('the name %s is understood with %j', async (username, more) => {
    guard(server, {username, more})
    expect(await client(username).delete('a')).toMatchObject({ok: true})
  })

  it('a name is sent in Latin-1 too where the challenge names no charset', async () => {
    server.script(({headers}) => {
      if (headers.authorization?.includes('username="m\u00FCller"') === true) return {status: 204}
      const challenge = 'Digest realm="r", nonce="n", qop="auth"'
      return {status: 401, headers: {'www-authenticate': challenge}}
    })
    expect(await client('müller').delete('a')).toMatchObject({ok: true})
    expect(server.requests).toHaveLength(3)
  })

  it('no two requests share a count, at any pace', async () => {
    const gate = guard(server)
    const names = Array.from({length: 200}, (_name, index) => `f${index}`)
    const {successes} = await client().deleteMany(names).collect()
    expect(successes).toHaveLength(200)
    expect(gate.repeated).toEqual([])
  })

  it.each<[string, GateOptions]>([
    ['a few uses', {uses: 5}],
    ['200 ms', {lifetime: 200}],
    ['one use, with the next nonce in each answer', {uses: 1, rotates: true}],
  ])('a nonce that lives for %s loses nothing', async (_name, options) => {
    const gate = guard(server, options, {status: 200, body: [10, 'gone']})
    const names = Array.from({length: 400}, (_step, index) => `f${index}`)
    const {successes, failures} = await client().deleteMany(names).collect()
    expect(failures).toEqual([])
    expect(successes).toHaveLength(400)
    expect(gate.repeated).toEqual([])
  })

  it('a server that forgot its nonces is told the password again, stale or not', async () => {
    let gate = guard(server)
    const dav = client()
    await dav.delete('a')
    gate.restart()
    expect(await dav.delete('b')).toMatchObject({ok: true})
    gate = guard(server, {realm: 'another'})
    expect(await dav.delete('c')).toMatchObject({ok: true})
  })

  it('a first challenge that is stale is not answered', async () => {
    const challenge = 'Digest realm="r", nonce="n", qop="auth", stale=true'
    server.answers({status: 401, headers: {'www-authenticate': challenge}})
    expect(await client().delete('a')).toMatchObject({ok: false, status: 401})
    expect(server.requests).toHaveLength(1)
  })

  it('a server that is always stale is asked a bounded number of times', async () => {
    server.script((_request, number) => ({
      status: 401,
      headers: {
        'www-authenticate': `Digest realm="r", nonce="n${number}", qop="auth"${number > 1 ? ', stale=true' : ''}`,
      },
    }))
    expect(await client().delete('a')).toMatchObject({ok: false, status: 401})
    expect(server.requests.length).toBeLessThan(10)
  })

  it('the header is sent unasked only within the domain', async () => {
    guard(server, {more: ', domain="/in/ /also"'})
    const dav = client()
    for (const name of ['in/a', 'in/b', 'also', 'out', 'in/c']) await dav.delete(name)
    const asked = server.requests.map(({url, headers}) => [
      url,
      headers.authorization !== undefined,
    ])
    expect(asked).toEqual([
      ['/in/a', false],
      ['/in/a', true],
      ['/in/b', true],
      ['/also', true],
      ['/out', false],
      ['/out', true],
      ['/in/c', true],
    ])
  })

  it('the password is never sent where only Basic is offered', async () => {
    server.answers({status: 401, headers: {'www-authenticate': 'Basic realm="r"'}})
    const error = await client()
      .propfind('a')
      .collect()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DavHttpError)
    expect(server.requests).toHaveLength(1)
  })

  it('the password is sent by Basic where that is allowed, after Digest', async () => {
    server.script(({headers}) =>
      headers.authorization?.startsWith('Basic ') === true
        ? {status: 204}
        : {
            status: 401,
            headers: {
              'www-authenticate': ['Basic realm="r"', 'Digest realm="r", nonce="n", qop="auth"'],
            },
          },
    )
    const auth = digestAuth('ana', 'secret', {basic: true})
    const dav = new DavClient({url: server.url, auth, transport: transport()})
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(sentHeaders().map((header) => header?.split(' ')[0])).toEqual([
      undefined,
      'Digest',
      'Basic',
    ])
  })

  it('a challenge without qop is answered where that is allowed', async () => {
    server.script(({headers}) =>
      headers.authorization === undefined
        ? {status: 401, headers: {'www-authenticate': 'Digest realm="r", nonce="n"'}}
        : {status: 204},
    )
    const auth = digestAuth('ana', 'secret', {withoutQop: true})
    const dav = new DavClient({url: server.url, auth, transport: transport()})
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(fieldsOf(sentHeaders()[1] ?? '')).not.toHaveProperty('qop')
    expect(await client().delete('a')).toMatchObject({ok: false, status: 401})
  })

  it('an answer with a wrong proof is an error without the password', async () => {
    const gate = makeGate()
    server.script((request) => {
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      const info = admission.headers['authentication-info']?.replace(/rspauth="./, 'rspauth="x')
      return {status: 204, headers: {'authentication-info': info ?? ''}}
    })
    const error = await client()
      .delete('a')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DavError)
    expect(error).toMatchObject({message: expect.stringContaining('rspauth'), method: 'DELETE'})
    expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('secret')
    const {failures} = await client().deleteMany(['b']).collect()
    expect(failures).toMatchObject([{reason: 'no-answer', cause: 'unreadable'}])
  })

  it('a long body is sent once, after the server has accepted the credentials', async () => {
    guard(server)
    const dav = client()
    const long = 'x'.repeat(100_000)
    for (const name of ['a', 'b']) expect(await dav.put(name, long)).toMatchObject({ok: true})
    const seen = server.requests.map(({method, body}) => `${method} ${body.length}`)
    expect(seen).toEqual(['UNLOCK 0', 'UNLOCK 0', 'PUT 100000', 'PUT 100000'])
  })

  it('a body that can be sent again is sent again', async () => {
    guard(server)
    expect(await client().put('a', 'again')).toMatchObject({ok: true})
    expect(server.requests.map(({body}) => body)).toEqual(['again', 'again'])
  })
})

// Over `fetch` the client spools such bodies, and can send them again.
describe('over undici', () => {
  const client = (username = 'ana', password = 'secret'): DavClient =>
    new DavClient({
      url: server.url,
      auth: digestAuth(username, password),
      transport: undiciTransport(),
    })

  it('a body that can be read once is sent after the server has accepted the credentials', async () => {
    guard(server, {uses: 3})
    const dav = client()
    const stream = (): ReadableStream<Uint8Array> => new Blob(['once']).stream()
    expect(await dav.put('a', stream(), {length: 4})).toMatchObject({ok: true})
    expect(await dav.put('b', stream(), {length: 4})).toMatchObject({ok: true})
    const puts = server.requests.filter(({method}) => method === 'PUT')
    expect(puts.map(({body, headers}) => [body, headers.authorization !== undefined])).toEqual([
      ['once', true],
      ['once', true],
    ])
  })

  it('a body that can be read once stays unread where the credentials are refused', async () => {
    guard(server)
    let pulls = 0
    const source = {
      async *[Symbol.asyncIterator]() {
        pulls++
        yield new Uint8Array(4)
      },
    }
    expect(await client('ana', 'wrong').put('a', source, {length: 4})).toMatchObject({
      ok: false,
      status: 401,
    })
    expect(pulls).toBe(0)
    expect(server.requests.map(({method}) => method)).toEqual(['UNLOCK', 'UNLOCK'])
  })
})

it('a wrong proof in the trailers breaks the body', async () => {
  const {createServer} = await import('node:http')
  const gate = makeGate()
  const trailing = createServer((request, response) => {
    const {method = '', url = '', headers} = request
    const seen = {method, url, headers, body: '', bytes: Buffer.alloc(0), connection: 1}
    const admission = gate.admit({...seen, ended: Promise.resolve('finished')})
    if ('refusal' in admission) {
      response.writeHead(401, {...admission.refusal.headers}).end()
      return
    }
    const right = admission.headers['authentication-info'] ?? ''
    const info = url === '/right' ? right : right.replace(/rspauth="./, 'rspauth="x')
    response.writeHead(200, {trailer: 'Authentication-Info', 'transfer-encoding': 'chunked'})
    response.write('content')
    response.addTrailers({'Authentication-Info': info})
    response.end()
  })
  await new Promise<void>((resolve) => {
    trailing.listen(0, '127.0.0.1', resolve)
  })
  const address = trailing.address()
  const port = typeof address === 'object' ? address?.port : undefined
  try {
    const url = `http://127.0.0.1:${port}/`
    const dav = new DavClient({
      url,
      auth: digestAuth('ana', 'secret'),
      transport: undiciTransport(),
    })
    const right = await dav.get('right')
    expect(right.ok && (await right.text())).toBe('content')
    const wrong = await dav.get('wrong')
    if (!wrong.ok) throw new Error('the headers have no proof yet')
    await expect(wrong.text()).rejects.toThrow('rspauth')
  } finally {
    trailing.close()
    trailing.closeAllConnections()
  }
})

describe('digestAuth', () => {
  it.each([
    ['a control character', 'a\n', 'hidden-secret'],
    ['a control character in the password', 'a', 'hidden-secret\u007F'],
  ])('with %s is a TypeError that does not show it', (_, username, password) => {
    expect(() => digestAuth(username, password)).toThrow(TypeError)
    expect(() => digestAuth(username, password)).not.toThrow(/hidden-secret/)
  })

  it('with an unknown option is a TypeError that names the nearest', () => {
    // @ts-expect-error the option is misspelt
    expect(() => digestAuth('a', 'b', {basics: true})).toThrow(/basic/)
  })
})
