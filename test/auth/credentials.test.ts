// States the form of credentials on the wire and their destination, and that no result and no error ever holds them.
// RFC 7617, section 2; RFC 6750, section 2.1; RFC 9110, section 11.6.2.

import {inspect} from 'node:util'

import {
  type Auth,
  basicAuth,
  bearerAuth,
  DavClient,
  type DavRequest,
  type RefusedChallenge,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {drain} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
})

afterEach(() => server.close())

const transport = undiciTransport()

async function sentWith(auth: Auth): Promise<string | undefined> {
  await new DavClient({url: server.url, transport, auth}).delete('a')
  return server.requests[0]?.headers.authorization
}

describe('basicAuth', () => {
  it.each([
    ['test', '123£', 'Basic dGVzdDoxMjPCow=='],
    ['Aladdin', 'open sesame', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ['ana', 'a:b:c', 'Basic YW5hOmE6Yjpj'],
    ['ana', '', 'Basic YW5hOg=='],
    ['😀', '密码', 'Basic 8J+YgDrlr4bnoIE='],
  ])('is UTF-8 in base64: %s', async (username, password, header) => {
    expect(await sentWith(basicAuth(username, password))).toBe(header)
  })

  it.each([
    ['a colon in the user name', 'a:b', 'hidden-secret'],
    ['a control character in the user name', 'a\n', 'hidden-secret'],
    ['a control character in the password', 'a', 'hidden-secret\u007F'],
  ])('with %s is a TypeError that does not show it', (_, username, password) => {
    expect(() => basicAuth(username, password)).toThrow(TypeError)
    expect(() => basicAuth(username, password)).not.toThrow(/hidden-secret/)
  })
})

describe('bearerAuth', () => {
  it('is the token after its scheme', async () => {
    expect(await sentWith(bearerAuth('mF_9.B5f-4.1JqM~+/=='))).toBe('Bearer mF_9.B5f-4.1JqM~+/==')
  })

  it.each(['', 'hidden secret', 'hidden-secret\r\nX: 1', 'hidden-sécret'])(
    'of %j is a TypeError that does not tell it',
    (token) => {
      expect(() => bearerAuth(token)).toThrow(TypeError)
      expect(() => bearerAuth(token)).not.toThrow(/hidden/)
    },
  )
})

describe('a function as auth', () => {
  it('is asked for each request, with the request', async () => {
    const asked: DavRequest[] = []
    const auth: Auth = async (request) => {
      asked.push(request)
      return `Token ${asked.length}`
    }
    const dav = new DavClient({url: server.url, transport, auth})
    await dav.delete('a')
    await dav.delete('b')
    expect(server.requests.map(({headers}) => headers.authorization)).toEqual([
      'Token 1',
      'Token 2',
    ])
    expect(asked).toMatchObject([
      {method: 'DELETE', url: `${server.url}a`},
      {method: 'DELETE', url: `${server.url}b`},
    ])
  })

  it('sees the refused challenge, and may give another value', async () => {
    const challenges =
      'Token realm="The files", hint="ask", Basic realm="b", Digest realm="d", nonce="n"'
    server.answers(
      {status: 401, headers: {'www-authenticate': challenges, 'retry-after': '2'}},
      {status: 401, headers: {'www-authenticate': 'Token'}},
      {status: 204},
    )
    const seen: (RefusedChallenge | undefined)[] = []
    const auth: Auth = async (_request, refused) => {
      seen.push(refused)
      return refused === undefined ? 'Token known' : `Token asked-${refused.attempt}`
    }
    const dav = new DavClient({url: server.url, transport, auth})
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(server.requests.map(({headers}) => headers.authorization)).toEqual([
      'Token known',
      'Token asked-1',
      'Token asked-2',
    ])
    expect(seen).toMatchObject([
      undefined,
      {
        scheme: 'Token',
        realm: 'The files',
        parameters: {realm: 'The files', hint: 'ask'},
        sent: 'Token known',
        attempt: 1,
        retryAfter: 2000,
        challenges: [{scheme: 'Token'}, {scheme: 'Basic'}, {parameters: {nonce: 'n'}}],
      },
      {scheme: 'Token', sent: 'Token asked-1', attempt: 2, challenges: [{scheme: 'Token'}]},
    ])
  })

  it.each([
    ['the same value', () => 'Token known'],
    ['nothing', (_request: DavRequest, refused?: unknown) => (refused ? undefined : 'Token known')],
  ])('that gives %s for a refused challenge makes the 401 the outcome', async (_what, auth) => {
    server.answers({status: 401, headers: {'www-authenticate': 'Token'}, body: 'No.'})
    const dav = new DavClient({url: server.url, transport, auth})
    expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
    expect(server.requests).toHaveLength(1)
  })

  it('that always gives another value is asked a bounded number of times', async () => {
    server.answers({status: 401})
    let number = 0
    const auth = (): string => `Token ${number++}`
    const dav = new DavClient({url: server.url, transport, auth})
    expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
    expect(server.requests.length).toBeLessThan(10)
  })

  it('that asks a person is given up with its call', async () => {
    server.answers({status: 401})
    const auth: Auth = (_request, refused) =>
      refused === undefined ? undefined : new Promise<string>(() => {})
    const dav = new DavClient({url: server.url, transport, auth})
    const reason = new Error('enough')
    const stopping = new AbortController()
    setTimeout(() => stopping.abort(reason), 100)
    const {signal} = stopping
    await expect(dav.propfind('a', {signal}).collect()).rejects.toBe(reason)
  })

  it('is not asked again for a body that can be read once', async () => {
    server.answers({status: 401})
    let number = 0
    const dav = new DavClient({url: server.url, transport, auth: () => `Token ${number++}`})
    const body = new Blob(['once']).stream()
    expect(await dav.put('a', body, {length: 4})).toMatchObject({ok: false, status: 401})
    expect(number).toBe(1)
  })

  it('that gives nothing sends nothing', async () => {
    expect(await sentWith(() => undefined)).toBeUndefined()
  })

  it('that throws rejects with its error, and nothing is sent', async () => {
    const reason = new Error('no token today')
    const auth = (): Promise<string> => Promise.reject(reason)
    const dav = new DavClient({url: server.url, transport, auth})
    await expect(dav.propfind('a').collect()).rejects.toBe(reason)
    expect(server.requests).toEqual([])
  })

  it.each(['hidden-secret\r\nX-Evil: 1', 'hidden-secret\u0000', 'hidden-secret €'])(
    'that gives a value that no header can have is a TypeError without it: %j',
    async (value) => {
      const dav = new DavClient({url: server.url, transport, auth: () => value})
      const {error} = await drain(dav.propfind('a'))
      expect(error).toBeInstanceOf(TypeError)
      expect(inspect(error, {showHidden: true, depth: Infinity})).not.toContain('hidden-secret')
      expect(server.requests).toEqual([])
    },
  )
})

describe.each([
  ['function', (value: unknown) => (): unknown => value],
  ['asynchronous function', (value: unknown) => (): unknown => Promise.resolve(value)],
  [
    'answer to a challenge',
    (value: unknown) =>
      (_: unknown, refused: unknown): unknown =>
        refused && value,
  ],
])('a %s', (_, make) => {
  it.each([null, {a: 1}, 0, ['Basic x']])('that gives %j is a TypeError', async (value) => {
    server.answers({status: 401, headers: {'www-authenticate': 'Basic realm="a"'}})
    const auth = make(value) as never
    const error = await new DavClient({url: server.url, transport, auth})
      .delete('a')
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain('auth gave a value that no header can have')
  })
})

describe('credentials in the URL of a client', () => {
  it.each(['http://ana:hidden-secret@dav.example/', 'http://hidden-secret@dav.example/'])(
    'are a TypeError that names auth and does not tell them',
    (url) => {
      expect(() => new DavClient({url})).toThrow(TypeError)
      expect(() => new DavClient({url})).toThrow(/auth/)
      expect(() => new DavClient({url: new URL(url)})).not.toThrow(/hidden-secret/)
    },
  )
})

describe.each([
  ['undici', transport],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, chosen) => {
  const secret = 'hidden-secret'
  const encoded = 'YW5hOmhpZGRlbi1zZWNyZXQ='

  const ends: readonly (readonly [string, Answer | typeof RESET | typeof NEVER])[] = [
    ['a 401', {status: 401, headers: {'www-authenticate': 'Basic realm="dav"'}, body: 'No.'}],
    ['a redirect to another origin', {status: 302, headers: {location: 'http://other.example/'}}],
    ['a reset', RESET],
    ['a timeout', NEVER],
    ['an HTML page', {status: 200, body: '<html></html>'}],
    ['a body that stops', answer207([OPEN, listed('/docs/'), NEVER])],
    ['a body that is reset', answer207([OPEN, listed('/docs/'), 20, RESET])],
  ]

  it.each(ends)('no error holds them: %s', async (_end, answer) => {
    server.answers(answer)
    const auth = basicAuth('ana', secret)
    const dav = new DavClient({url: server.url, transport: chosen, auth, timeout: 300})
    const {items, error} = await drain(dav.propfind('docs/'))
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${encoded}`)
    expect(error).toBeInstanceOf(Error)
    const shown = [
      String(error),
      JSON.stringify(error, Object.getOwnPropertyNames(error)),
      inspect(error, {showHidden: true, depth: 20, getters: true}),
      inspect(dav, {showHidden: true, depth: 20, getters: true}),
      JSON.stringify([dav, items, auth]),
    ].join('\n')
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(encoded)
  })

  it.each(ends)('no Failure of many holds them: %s', async (_end, answer) => {
    server.answers(answer)
    const auth = basicAuth('ana', secret)
    const dav = new DavClient({url: server.url, transport: chosen, auth, timeout: 300})
    const {successes, failures} = await dav.deleteMany(['docs/']).collect()
    const shown = JSON.stringify([successes, failures])
    expect(shown).not.toContain(secret)
    expect(shown).not.toContain(encoded)
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['a line break', {authorization: `Bearer ${secret}\r\nX-Evil: 1`}],
    ['a null', {'X-Token': `${secret}\u0000`}],
    ['what is no Latin-1', {'X-Token': `${secret} €`}],
  ])(
    'no error holds a header of the client that no request can have: %s',
    async (_what, headers) => {
      const call = async (): Promise<unknown> =>
        new DavClient({url: server.url, transport: chosen, headers}).propfind('a').collect()
      const error: unknown = await call().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TypeError)
      expect(inspect(error, {showHidden: true, depth: 20})).not.toContain(secret)
      expect(server.requests).toEqual([])
    },
  )

  it('no other origin sees them, whatever redirects there', async () => {
    const other = await startFaultServer()
    for (const location of [other.url, `${other.url}docs/`, `${other.url}docs`]) {
      server.answers({status: 307, headers: {location}})
      const auth = basicAuth('ana', secret)
      const dav = new DavClient({url: server.url, transport: chosen, auth})
      await drain(dav.propfind('docs'))
      await dav.delete('docs')
    }
    expect(other.requests).toEqual([])
    await other.close()
  })

  it('no href of a server leads them to another origin', async () => {
    const other = await startFaultServer()
    server.answers(answer207(listing(`${other.url}docs/a`)), {status: 204})
    const auth = basicAuth('ana', secret)
    const dav = new DavClient({url: server.url, transport: chosen, auth})
    const {successes} = await dav.propfind('docs/').collect()
    await dav.deleteMany(successes).collect()
    expect(server.requests).toMatchObject([
      {method: 'PROPFIND'},
      {method: 'DELETE', url: '/docs/a'},
    ])
    expect(other.requests).toEqual([])
    await other.close()
  })
})
