/**
 * Digest on real servers: each writes with it, nothing is lost or repeated while nonces expire, no error shows a secret, and the
 * server proves itself. No test depends on a time.
 */
import {setTimeout as delay} from 'node:timers/promises'
import {inspect} from 'node:util'
import {type Auth, DavClient, DavError, digestAuth, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {lighttpdWithDigest} from './lighttpd.ts'
import {digestServers} from './servers.ts'
import {digestAccounts} from './support/digest.ts'
import {send} from './support/http.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {fieldsOf} from '../support/digest-gate.ts'
import {startTamperProxy} from './support/tamper-proxy.ts'
import {makeCollection} from './support/trees.ts'
import {tomcatWithDigest} from './tomcat.ts'

const allTransports = [
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const

// Over fetch, Node closes the connection behind some bodies.
const withBodies = allTransports.slice(0, 2)

// At 25 ms for sixteen targets, 1,280 take some seconds.
const PACE = 25
const TARGETS = {long: 1280, short: 96}

describeServers(digestServers, (server) => {
  const traits = server.recipe.digest
  if (traits === undefined) throw new Error(`${server.recipe.name} has no Digest`)
  const {isShort = false, proves, readsAnonymously} = traits
  const accounts = traits.accounts ?? digestAccounts(server)
  const [account = {user: '', password: ''}] = accounts
  const url = (): string => urlOf(server)
  const client = (transport: Transport, auth: Auth = digestAuth(account.user, account.password)) =>
    new DavClient({url: url(), auth, transport, concurrency: 16})

  it.for(allTransports)('a collection is listed, over %s', async ([name, make]) => {
    const {transport, sent} = recorded(make())
    const dav = client(transport)
    await write(dav, [`listed-${name}.txt`])

    expect(await urlsOf(dav)).toContain(`${url()}listed-${name}.txt`)
    const {algorithm} = fieldsOf(sent.at(-1)?.authorization ?? '')
    expect(algorithm).toBe(traits.algorithms[0])
  })

  it.for(allTransports)('bytes are stored, over %s', async ([name, make]) => {
    const dav = client(make())
    expect(await dav.put(`bytes-${name}.txt`, 'hello')).toMatchObject({ok: true})
    expect(await urlsOf(dav)).toContain(`${url()}bytes-${name}.txt`)
  })

  const once = (): ReadableStream<Uint8Array> => new Blob(['streamed']).stream()
  it.for(allTransports)('a stream is sent once and stored, over %s', async ([name, make]) => {
    const {transport, sent} = recorded(make())
    const dav = client(transport)
    // The first one is the first request of the client.
    for (const target of [`first-${name}.txt`, `second-${name}.txt`]) {
      expect(await dav.put(target, once(), {length: 8})).toMatchObject({ok: true})
      const got = await dav.get(target)
      expect(got.ok && (await got.text())).toBe('streamed')
    }
    const puts = sent.filter(({method}) => method === 'PUT')
    const refused = puts.filter(({status}) => status === 401).length
    // The client spools a stream for fetch, so it can be sent again.
    expect(refused === 0 || name === 'fetch').toBe(true)
    expect(puts.length - refused).toBe(2)
    const names = (await urlsOf(dav)).map((one) => one.replace(/^.*\//, ''))
    expect(names.filter((one) => /^[\da-f]{32}$/.test(one))).toEqual([])
  })

  it.for(withBodies)('streams beside each other are stored, over %s', async ([name, make]) => {
    const dav = client(make())
    const names = Array.from({length: 16}, (_, index) => `beside-${name}-${index}.txt`)
    const puts = names.map((target) => dav.put(target, once(), {length: 8}))
    expect((await Promise.all(puts)).filter(({ok}) => !ok)).toEqual([])
    const listed = await urlsOf(dav)
    expect(names.filter((target) => !listed.includes(`${url()}${target}`))).toEqual([])
  })

  it.for(withBodies)(
    'a request of another method with a body is taken, over %s',
    async ([, make]) => {
      const dav = client(make())
      for (const method of ['REPORT', 'LOCK', 'PROPFIND']) {
        const {status, body} = await dav.request(method, '', {body: '<x xmlns="urn:x"/>', depth: 0})
        await body?.cancel()
        expect([401, 500]).not.toContain(status)
      }
    },
  )

  it('what asks for the challenge is refused without credentials, or says that the method is unknown', async () => {
    const token = '<urn:uuid:6bc08c5f-9b70-4a0d-a09c-4c5b5e2a8f47>'
    const headers = {'lock-token': token}
    for (const name of ['', 'nothing-here.txt']) {
      const to = `${url()}${name}`
      const unlock = await send(to, {method: 'UNLOCK', headers})
      // CivetWeb finds the collection, and does not know the method.
      expect(unlock.status).toBe(name === '' && traits.unlock === 404 ? 405 : traits.unlock)
    }
    expect(await send(`${url()}nothing-here.txt`, {method: 'DELETE'})).toMatchObject({status: 401})
    expect(await send(`${url()}nothing-here.txt`, {method: 'PUT'})).toMatchObject({status: 401})
  })

  it.for(allTransports)('nothing is lost or repeated, over %s', async ([name, make]) => {
    const {transport, sent} = recorded(make())
    const dav = client(transport)
    const many = isShort ? TARGETS.long : TARGETS.short
    const names = Array.from({length: many}, (_, index) => `many-${name}-${index}.txt`)
    if (server.recipe.groupware === undefined) await makeCollection(server, 'private', names)
    else await write(dav, names)

    const {successes, failures} = await dav.deleteMany(paced(names)).collect()

    expect(failures).toEqual([])
    expect(new Set(successes.map((one) => one.url))).toEqual(
      new Set(names.map((one) => `${url()}${one}`)),
    )
    expect(successes.filter(({status}) => status !== 204)).toEqual([])
    expect((await urlsOf(dav)).filter((one) => one.includes(`many-${name}-`))).toEqual([])
    const deletes = sent.filter(({method, status}) => method === 'DELETE' && status !== 401)
    expect(deletes).toHaveLength(names.length)
    const counts = sent
      .filter(({authorization}) => authorization !== undefined)
      .map(({authorization = ''}) => fieldsOf(authorization))
      .map(({nonce, nc}) => `${nonce} ${nc}`)
    expect(new Set(counts).size).toBe(counts.length)
    const nonces = new Set(counts.map((count) => count.split(' ')[0]))
    expect(nonces.size > 1 || !isShort).toBe(true)
  })

  it.for(allTransports)(
    'a wrong password is a Failure that shows no secret, over %s',
    async ([, make]) => {
      const {transport, sent} = recorded(make())
      const wrong = 'hidden-secret'
      const dav = client(transport, digestAuth(account.user, wrong))

      const result = await dav.put('wrong.txt', 'never')

      expect(result).toMatchObject({ok: false, status: 401, reason: 'status'})
      if (result.ok) throw new Error('stored')
      expect(result.description).toMatch(
        /^the server refused the credentials; the server wants .*Digest/,
      )
      const headers = sent.flatMap(({authorization}) => authorization ?? [])
      expect(headers.length).toBeGreaterThan(0)
      const shown = inspect(result, {depth: 9, showHidden: true}) + JSON.stringify(result)
      for (const secret of [
        wrong,
        ...headers,
        ...headers.flatMap((one) => fieldsOf(one)['response'] ?? []),
      ])
        expect(shown).not.toContain(secret)
      expect((await client(make()).stat('wrong.txt')).ok).toBe(false)
    },
  )

  const guess = (): DavClient =>
    client(undiciTransport(), digestAuth(account.user, 'hidden-secret'))
  if (readsAnonymously) {
    it('a listing needs no password', async () => {
      expect(await urlsOf(guess())).toContain(url())
    })
  } else {
    it('a listing with a wrong password is an error with the challenge in its message', async () => {
      const error = await urlsOf(guess()).catch((thrown: unknown) => thrown)
      const message = expect.stringMatching(/the server wants .*Digest \(realm "/)
      expect(error).toMatchObject({status: 401, message})
      expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('hidden-secret')
    })
  }

  for (const other of accounts.slice(1)) {
    it.for(allTransports)(
      'the name and the password may have any character, over %s',
      async ([name, make]) => {
        const dav = client(make(), digestAuth(other.user, other.password))
        expect(await dav.put(`named-${name}.txt`, 'x')).toMatchObject({ok: true})
        expect(await dav.delete(`named-${name}.txt`)).toMatchObject({ok: true})
      },
    )
  }

  it('the server proves that it knows the password, if it sends a proof', async () => {
    let proofs = 0
    const inner = undiciTransport()
    const counting: Transport = async (request) => {
      const answer = await inner(request)
      if (answer.headers.get('authentication-info')?.includes('rspauth=') === true) proofs++
      return answer
    }
    expect(await client(counting).put('proof.txt', 'x')).toMatchObject({ok: true})
    expect(proofs > 0).toBe(proves)
  })

  if (proves) {
    it.for(allTransports)('a proof with one wrong digit is an error, over %s', async ([, make]) => {
      await using proxy = await startTamperProxy(server.port, (text) =>
        text.replace(
          /(rspauth=")(.)/,
          (_, start: string, digit: string) => start + (digit === '0' ? '1' : '0'),
        ),
      )
      const base = url().replace(`:${server.port}/`, `:${proxy.port}/`)
      const auth = digestAuth(account.user, account.password)
      const dav = new DavClient({url: base, auth, transport: make()})

      const error = await dav
        .propfind('', {depth: 0})
        .collect()
        .catch((thrown: unknown) => thrown)

      expect(proxy.changes).toBeGreaterThan(0)
      expect(error).toBeInstanceOf(DavError)
      expect(String(error)).toMatch(
        /PROPFIND \S+ was answered by a server that does not know the password/,
      )
      expect(String(error)).not.toContain(account.password)
    })
  }
})

// Both of a challenge with SHA-256 and MD5.
describeServers([lighttpdWithDigest, tomcatWithDigest], (server) => {
  it('a proxy that leaves MD5 only is answered with MD5', async () => {
    await using proxy = await startTamperProxy(server.port, (text) =>
      text.replaceAll('algorithm=SHA-256', 'algorithm=SHA-999'),
    )
    const [{user, password} = {user: '', password: ''}] = digestAccounts(server)
    const base = urlOf(server).replace(`:${server.port}/`, `:${proxy.port}/`)
    const {transport, sent} = recorded(undiciTransport())
    const dav = new DavClient({url: base, auth: digestAuth(user, password), transport})
    expect(await dav.put('md5.txt', 'x')).toMatchObject({ok: true})
    expect(fieldsOf(sent.at(-1)?.authorization ?? '')).toMatchObject({algorithm: 'MD5'})
  })
})

/** The collection that asks for Digest. */
function urlOf(server: Server): string {
  return server.recipe.groupware === undefined ? server.url('private') : server.url()
}

/** Lists a collection that is whole. */
async function urlsOf(dav: DavClient): Promise<readonly string[]> {
  const {successes, summary} = await dav.propfind('', {depth: 1}).collect()
  expect(summary).toMatchObject({complete: true})
  return successes.map(({url}) => url)
}

async function write(dav: DavClient, names: readonly string[]): Promise<void> {
  for (const name of names) expect(await dav.put(name, 'x')).toMatchObject({ok: true})
}

/** Yields the names sixteen at a time, with a pause between. */
async function* paced(names: readonly string[]): AsyncGenerator<string> {
  for (const [index, name] of names.entries()) {
    if (index % 16 === 0) await delay(PACE)
    yield name
  }
}

interface Sent {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly status: number
}

/** Wraps a transport to keep what it sent. */
function recorded(inner: ReturnType<(typeof allTransports)[number][1]>): {
  readonly transport: Transport
  readonly sent: readonly Sent[]
} {
  const sent: Sent[] = []
  const recording: Transport = async (request) => {
    const answer = await inner(request)
    const {method, url, headers} = request
    sent.push({method, url, authorization: headers['authorization'], status: answer.status})
    return answer
  }
  return {transport: Object.assign(recording, {...inner}), sent}
}
