// States how credentials meet servers that are hostile or odd: challenges that no header can answer, endless ones, and servers that
// forget a nonce or check the credentials late.

import {basicAuth, DavClient, digestAuth, type DigestOptions, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {readDigest} from '../../src/auth/digest-challenge.ts'
import {decodeChallenges} from '../../src/protocol/challenge.ts'
import {fieldsOf, makeGate} from '../support/digest-gate.ts'
import {
  type Answer,
  type FaultServer,
  type SeenRequest,
  startFaultServer,
} from '../support/fault-server.ts'

const url = 'http://dav.example/'

/** Makes a transport whose answers have any header. */
function answering(
  ...answers: readonly (readonly [status: number, headers: Record<string, string>])[]
): {
  readonly transport: Transport
  readonly sent: (string | undefined)[]
} {
  const sent: (string | undefined)[] = []
  return {
    sent,
    transport: async ({headers}) => {
      const [status, told] = answers[
        Math.min(sent.push(headers['authorization']), answers.length) - 1
      ] ?? [500, {}]
      return {status, headers: {get: (name) => told[name] ?? null}, body: null}
    },
  }
}

const digestOver = (transport: Transport, options?: DigestOptions): DavClient =>
  new DavClient({url, auth: digestAuth('ana', 'hidden-secret', options), transport})

const challenged = (challenge: string): readonly [number, Record<string, string>] => [
  401,
  {'www-authenticate': challenge},
]

describe('a challenge', () => {
  it.each([
    ['a line break in the realm', 'Digest realm="r\r\nX: y", nonce="n", qop="auth"'],
    ['a NUL in the nonce', 'Digest realm="r", nonce="n\0", qop="auth"'],
    ['a line break in opaque', 'Digest realm="r", nonce="n", opaque="\n", qop="auth"'],
    ['an endless nonce', `Digest realm="r", nonce="${'n'.repeat(1_000_000)}", qop="auth"`],
    [
      'an algorithm that is one in capitals only',
      'Digest realm="r", nonce="n", qop="auth", algorithm="\u017Fha-256"',
    ],
    [
      'an algorithm with a header in it',
      'Digest realm="r", nonce="n", qop="auth", algorithm="MD5, x=y"',
    ],
    ['Basic alone', 'Basic realm="r"'],
  ])('with %s is not answered', async (_, challenge) => {
    const {transport, sent} = answering(challenged(challenge))
    expect(await digestOver(transport).delete('a')).toMatchObject({ok: false, status: 401})
    expect(sent).toEqual([undefined])
  })

  it('gives back quotation marks, backslashes and all characters beyond ASCII', async () => {
    const challenge = String.raw`Digest realm="a\"b\\ü", nonce="n\"€", opaque="\\日", qop="auth"`
    const {transport, sent} = answering(challenged(challenge), [204, {}])
    expect(await digestOver(transport).delete('a')).toMatchObject({ok: true})
    const header = Buffer.from(sent[1] ?? '', 'latin1').toString()
    expect(fieldsOf(header)).toMatchObject({realm: 'a"b\\ü', nonce: 'n"€', opaque: '\\日'})
  })

  it('that is one of a thousand costs few requests and a short message', async () => {
    const realm = (index: number): string => `Digest realm="r${index}", nonce="n", qop="auth"`
    const all = Array.from({length: 1000}, (_, index) => realm(index)).join(', ')
    const {transport, sent} = answering(challenged(all))
    const result = await digestOver(transport).delete('a')
    expect(result).toMatchObject({ok: false, status: 401})
    expect(sent.length).toBeLessThan(10)
    expect(!result.ok && result.description?.length).toBeLessThan(1000)
  })

  it('with thousands of places in its domain counts for the first hundred', () => {
    const domain = Array.from({length: 10_000}, (_, index) => `/${index}/`).join(' ')
    const [challenge] = decodeChallenges(
      `Digest realm="r", nonce="n", qop="auth", domain="${domain}"`,
    )
    const offer = challenge && readDigest(challenge, url)
    expect(offer?.domain).toHaveLength(100)
  })
})

it('a next nonce that no header can have is left out', async () => {
  const {transport, sent} = answering(
    challenged('Digest realm="r", nonce="n", qop="auth"'),
    [204, {'authentication-info': 'nextnonce="x\r\ny"'}],
    [204, {}],
  )
  const dav = digestOver(transport)
  expect([await dav.delete('a'), await dav.delete('b')]).toMatchObject([{ok: true}, {ok: true}])
  expect(sent.slice(1).map((header) => fieldsOf(header ?? ''))).toMatchObject([
    {nonce: 'n', nc: '00000001'},
    {nonce: 'n', nc: '00000002'},
  ])
})

it('a next nonce with a wrong proof is not taken', async () => {
  const {transport, sent} = answering(
    challenged('Digest realm="r", nonce="n", qop="auth"'),
    [204, {'authentication-info': 'rspauth="0", nextnonce="evil"'}],
    [204, {}],
  )
  const dav = digestOver(transport)
  await expect(dav.delete('a')).rejects.toThrow('rspauth')
  await dav.delete('b')
  expect(fieldsOf(sent[2] ?? '')).toMatchObject({nonce: 'n'})
})

it('clients of two servers share credentials, and each server sees its own nonces', async () => {
  const auth = digestAuth('ana', 'secret')
  const servers = await Promise.all([startFaultServer(), startFaultServer()])
  try {
    const gates = servers.map((server, index) => {
      const gate = makeGate({realm: `realm ${index}`})
      server.script((request) => {
        const admission = gate.admit(request)
        return 'refusal' in admission
          ? admission.refusal
          : {status: 204, headers: admission.headers}
      })
      return gate
    })
    const names = Array.from({length: 50}, (_, index) => `f${index}`)
    const collected = await Promise.all(
      servers.map((server) =>
        new DavClient({url: server.url, auth, transport: undiciTransport()})
          .deleteMany(names)
          .collect(),
      ),
    )
    expect(collected.map(({successes}) => successes.length)).toEqual([50, 50])
    expect(gates.flatMap(({repeated}) => repeated)).toEqual([])
  } finally {
    await Promise.all(servers.map((server) => server.close()))
  }
})

describe('a server', () => {
  let server: FaultServer
  beforeEach(async () => {
    server = await startFaultServer()
  })
  afterEach(() => server.close())

  const client = (password = 'secret'): DavClient =>
    new DavClient({
      url: server.url,
      auth: digestAuth('ana', password),
      transport: undiciTransport(),
    })
  const steps = (): readonly string[] =>
    server.requests.map(
      ({method, headers}) =>
        `${method} ${headers.authorization === undefined ? 'plain' : 'signed'}`,
    )
  const stream = (): ReadableStream<Uint8Array> => new Blob(['once']).stream()

  /** Puts a gate before the writes, and answers other methods with a status to everybody. */
  const guard = (methods: readonly string[], other: number): void => {
    const gate = makeGate()
    server.script((request) => {
      if (!methods.includes(request.method)) return {status: other}
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      return {status: request.method === 'DELETE' ? 404 : 201, headers: admission.headers}
    })
  }

  it.each([404, 405, 501])(
    'that answers UNLOCK with %i to everybody is asked by a DELETE of no resource',
    async (status) => {
      guard(['PUT', 'DELETE'], status)
      const dav = client()
      expect(await dav.put('c/a', stream(), {length: 4})).toMatchObject({ok: true})
      // The last question shows that a nonce counts more than once.
      expect(steps()).toEqual([
        'UNLOCK plain',
        'DELETE plain',
        'DELETE signed',
        'DELETE signed',
        'PUT signed',
      ])
      expect(server.requests.at(-1)?.body).toBe('once')
      const [, , asked] = server.requests
      expect(asked?.url).toMatch(/^\/c\/[\da-f]{32}$/)
      await dav.put('c/b', stream(), {length: 4})
      // The server is known not to check an UNLOCK.
      expect(steps().slice(5)).toEqual(['DELETE plain', 'DELETE signed', 'PUT signed'])
      const names = server.requests
        .filter(({method}) => method === 'DELETE')
        .map((request) => request.url)
      expect(new Set(names).size).toBe(2)
    },
  )

  it('that refuses the DELETE gets no body', async () => {
    guard(['PUT', 'DELETE'], 405)
    expect(await client('wrong').put('a', stream(), {length: 4})).toMatchObject({
      ok: false,
      status: 401,
    })
    expect(steps()).toEqual(['UNLOCK plain', 'DELETE plain', 'DELETE signed'])
  })

  it('that wants no credentials is asked twice, and gets the body once', async () => {
    server.script(({method}) => ({status: method === 'PUT' ? 201 : 404}))
    expect(await client().put('a', stream(), {length: 4})).toMatchObject({ok: true})
    expect(steps()).toEqual(['UNLOCK plain', 'DELETE plain', 'PUT plain'])
  })

  /** Forgets the nonce of each challenge that offers Basic too, and says nothing of stale, as Cyrus does. */
  const forgetful = (password: string): void => {
    const gate = makeGate({password})
    let isBegun = false
    const offer = (refusal: Answer, others: readonly string[]): Answer => {
      const [first = ''] = [refusal.headers?.['www-authenticate'] ?? []].flat()
      const digest = first.replace(', stale=true', '')
      return {...refusal, headers: {'www-authenticate': [digest, ...others].join(', ')}}
    }
    server.script((request: SeenRequest) => {
      const isSigned = request.headers.authorization !== undefined
      const admission =
        isSigned && !isBegun ? makeGate().admit({...request, headers: {}}) : gate.admit(request)
      const wasBegun = isBegun
      isBegun = isSigned && !isBegun
      if (!('refusal' in admission)) return {status: 204, headers: admission.headers}
      if (!isBegun) return offer(admission.refusal, ['Basic realm="files"'])
      // The challenge that counts.
      const next = gate.admit({...request, headers: {}})
      return wasBegun || !('refusal' in next) ? {status: 500} : offer(next.refusal, [])
    })
  }

  it('that begins with its second challenge is answered again', async () => {
    forgetful('secret')
    const dav = client()
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(steps()).toEqual(['DELETE plain', 'DELETE signed', 'DELETE signed'])
    expect(await dav.delete('b')).toMatchObject({ok: true})
  })

  it('that begins with its second challenge sees a wrong password twice', async () => {
    forgetful('another')
    expect(await client().delete('a')).toMatchObject({ok: false, status: 401})
    expect(steps()).toEqual(['DELETE plain', 'DELETE signed', 'DELETE signed'])
  })

  it('that names the scheme alone after a success is asked for the whole challenge', async () => {
    // As Cyrus: each nonce counts once, on its connection, and an answer to the bare challenge is an error.
    const gate = makeGate({isBound: true, uses: 1})
    let state: 'done' | 'bare' | undefined
    server.script((request) => {
      const isPlain = request.headers.authorization === undefined
      const before = state
      state = undefined
      if (before === 'bare' && !isPlain) return {status: 500}
      if (before === 'done' && isPlain) {
        state = 'bare'
        return {status: 401, headers: {'www-authenticate': 'Digest'}}
      }
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      state = 'done'
      return {status: 204, headers: admission.headers}
    })
    const dav = client()
    expect(await dav.delete('a')).toMatchObject({ok: true})
    expect(await dav.put('b', stream(), {length: 4})).toMatchObject({ok: true})
    expect(await dav.put('c', stream(), {length: 4})).toMatchObject({ok: true})
    expect(steps().slice(2)).toEqual([
      'UNLOCK plain',
      'UNLOCK plain',
      'UNLOCK signed',
      'UNLOCK signed',
      'PUT signed',
      'UNLOCK signed',
      'UNLOCK signed',
      'UNLOCK signed',
      'PUT signed',
    ])
  })

  it('that is busy and then forgets its nonces is told the password again by a retry', async () => {
    const gate = makeGate()
    let isBusy = true
    server.script((request) => {
      const admission = gate.admit(request)
      if ('refusal' in admission) return admission.refusal
      if (!isBusy) return {status: 204, headers: admission.headers}
      isBusy = false
      gate.restart()
      return {status: 503, headers: admission.headers}
    })
    const retry = {attempts: 2, minDelay: 1}
    expect(await client().delete('a', {retry})).toMatchObject({ok: true, attempts: 2})
  })
})

it('Basic never follows a Digest challenge by itself', async () => {
  const both = 'Digest realm="r", nonce="n", qop="auth", Basic realm="r"'
  const silent = answering(challenged(both))
  await digestOver(silent.transport).delete('a')
  expect(silent.sent.filter((header) => header?.startsWith('Basic'))).toEqual([])
  const wanted = answering(challenged(both))
  await digestOver(wanted.transport, {basic: true}).delete('a')
  const [value] = [await basicAuth('ana', 'hidden-secret')({method: '', url, headers: {}})]
  expect(wanted.sent.filter((header) => header === value)).toHaveLength(1)
})
