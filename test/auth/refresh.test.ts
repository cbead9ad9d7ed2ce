// States when a Bearer token is refreshed: once for all calls, never interrupted, after a newer token of the store, and how the
// session ends.

import {setTimeout as delay} from 'node:timers/promises'
import {inspect} from 'node:util'

import {bearerAuth, DavAuthError, DavClient, DavError, type RefreshedToken} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, startFaultServer} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 20_000})

let server: FaultServer
let valid: string
beforeEach(async () => {
  server = await startFaultServer()
  valid = 'old'
  server.script(({headers}) =>
    headers.authorization === `Bearer ${valid}`
      ? {status: 204}
      : {status: 401, headers: {'www-authenticate': 'Bearer error="invalid_token"'}, body: 'No.'},
  )
})
afterEach(() => server.close())

const client = (given: RefreshedToken): DavClient =>
  new DavClient({url: server.url, auth: bearerAuth(given), transport: undiciTransport()})

const tokens = (): readonly (string | undefined)[] =>
  server.requests.map(({headers}) => headers.authorization?.replace('Bearer ', ''))

class InvalidGrant extends Error {
  readonly error = 'invalid_grant'
}

it('a refused token is refreshed, and the request is sent again', async () => {
  const refresh = vi.fn<RefreshedToken['refresh']>(async (refused: string) => `${refused}-2`)
  const dav = client({token: 'old', refresh})
  expect(await dav.delete('a')).toMatchObject({ok: true})
  valid = 'old-2'
  expect(await dav.delete('b')).toMatchObject({ok: true})
  expect(await dav.delete('c')).toMatchObject({ok: true})
  expect(refresh.mock.calls).toEqual([['old']])
  expect(tokens()).toEqual(['old', 'old', 'old-2', 'old-2'])
})

it('one refresh serves all calls of all clients at once', async () => {
  valid = 'new'
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => {
    await delay(50)
    return 'new'
  })
  const auth = bearerAuth({token: 'old', refresh})
  const davs = [1, 2].map(
    () => new DavClient({url: server.url, auth, transport: undiciTransport(), concurrency: 8}),
  )
  const names = Array.from({length: 20}, (_, index) => `f${index}`)
  const all = await Promise.all(davs.map((dav) => dav.deleteMany(names).collect()))
  expect(all.map(({successes}) => successes.length)).toEqual([20, 20])
  expect(refresh).toHaveBeenCalledTimes(1)
})

it('an abort does not interrupt the refresh, whose token counts later', async () => {
  valid = 'new'
  let finished = 0
  const refresh = async (): Promise<string> => {
    await delay(100)
    finished++
    return 'new'
  }
  const dav = client({token: 'old', refresh})
  const stopping = new AbortController()
  const call = dav.delete('a', {signal: stopping.signal})
  while (server.requests.length === 0) await delay(5)
  await delay(20)
  stopping.abort(new Error('enough'))
  await expect(call).rejects.toThrow('enough')
  expect(finished).toBe(0)
  expect(await dav.delete('b')).toMatchObject({ok: true})
  expect(finished).toBe(1)
})

it('a newer token in the store is used without a refresh', async () => {
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => 'unused')
  const stored = ['old', 'new']
  valid = 'new'
  const dav = client({token: async () => stored.shift() ?? 'new', refresh})
  expect(await dav.delete('a')).toMatchObject({ok: true})
  expect(tokens()).toEqual(['old', 'new'])
  expect(refresh).not.toHaveBeenCalled()
})

it('a store that is not written still gives way to the refreshed token', async () => {
  valid = 'new'
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => 'new')
  const dav = client({token: () => 'old', refresh})
  expect(await dav.delete('a')).toMatchObject({ok: true})
  expect(await dav.delete('b')).toMatchObject({ok: true})
  expect(refresh).toHaveBeenCalledTimes(1)
  expect(tokens()).toEqual(['old', 'new', 'new'])
})

it('a 401 right after a success is tried once more with the same token', async () => {
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => 'new')
  const dav = client({token: 'old', refresh})
  await dav.delete('a')
  server.answers({status: 401, headers: {'retry-after': '0'}}, {status: 204})
  expect(await dav.delete('b')).toMatchObject({ok: true})
  expect(tokens()).toEqual(['old', 'old', 'old'])
  expect(refresh).not.toHaveBeenCalled()
})

it('a token that is refused after that pause is refreshed', async () => {
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => 'new')
  const dav = client({token: 'old', refresh})
  await dav.delete('a')
  server.script(({headers}) =>
    headers.authorization === 'Bearer new'
      ? {status: 204}
      : {status: 401, headers: {'retry-after': '0'}},
  )
  expect(await dav.delete('b')).toMatchObject({ok: true})
  expect(tokens()).toEqual(['old', 'old', 'old', 'new'])
})

it('a fresh token that is refused makes the 401 the outcome, after one refresh', async () => {
  valid = 'never'
  const refresh = vi.fn<RefreshedToken['refresh']>(async () => 'new')
  const dav = client({token: 'old', refresh})
  expect(await dav.delete('a')).toMatchObject({ok: false, status: 401})
  expect(refresh).toHaveBeenCalledTimes(1)
})

describe('a refused refresh token', () => {
  it('gives way to the token that another process has stored meanwhile', async () => {
    valid = 'theirs'
    let stored = 'old'
    const refresh = vi.fn<RefreshedToken['refresh']>(async () => {
      stored = 'theirs'
      throw new InvalidGrant('no')
    })
    expect(await client({token: () => stored, refresh}).delete('a')).toMatchObject({ok: true})
    expect(refresh).toHaveBeenCalledTimes(1)
  })

  it('is tried once more, because the store may have another one', async () => {
    valid = 'new'
    const refresh = vi.fn<RefreshedToken['refresh']>()
    refresh.mockRejectedValueOnce(new Error('no', {cause: {code: 'invalid_grant'}}))
    refresh.mockResolvedValueOnce('new')
    expect(await client({token: 'old', refresh}).delete('a')).toMatchObject({ok: true})
    expect(refresh).toHaveBeenCalledTimes(2)
  })

  it('twice ends the session, until the store has another token', async () => {
    valid = 'new'
    let stored = 'old'
    const cause = new InvalidGrant('no')
    const refresh = vi.fn<RefreshedToken['refresh']>(async () => {
      throw cause
    })
    const dav = client({token: () => stored, refresh})
    const error = await dav.delete('a').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DavAuthError)
    expect(DavAuthError.is(error) && DavError.is(error)).toBe(true)
    expect(error).toMatchObject({name: 'DavAuthError', reason: 'ended', cause})
    const sent = server.requests.length
    const {failures} = await dav.deleteMany(['b', 'c']).collect()
    expect(failures).toMatchObject([
      {reason: 'no-answer', cause: 'not-sent', description: expect.stringContaining('sign in')},
      {reason: 'no-answer', cause: 'not-sent'},
    ])
    expect([server.requests.length, refresh.mock.calls.length]).toEqual([sent, 2])
    stored = 'new'
    expect(await dav.delete('d')).toMatchObject({ok: true})
  })
})

it('a refresh that fails otherwise is an error with its cause, and the next call tries again', async () => {
  valid = 'new'
  const cause = new TypeError('fetch failed')
  const refresh = vi.fn<RefreshedToken['refresh']>()
  refresh.mockRejectedValueOnce(cause)
  refresh.mockResolvedValueOnce('new')
  const dav = client({token: 'hidden-secret', refresh})
  const error = await dav.delete('a').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({name: 'DavAuthError', reason: 'failed', cause})
  expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('hidden-secret')
  expect(await dav.delete('a')).toMatchObject({ok: true})
})

it('a body that can be read once waits until a token is accepted', async () => {
  valid = 'new'
  const dav = client({token: 'old', refresh: async () => 'new'})
  const body = new Blob(['once']).stream()
  expect(await dav.put('a', body, {length: 4})).toMatchObject({ok: true})
  const methods = server.requests.map(({method, body: text}) => `${method} ${text}`)
  expect(methods).toEqual(['UNLOCK ', 'UNLOCK ', 'PUT once'])
  // The token has been accepted a moment ago.
  expect(await dav.put('b', new Blob(['more']).stream(), {length: 4})).toMatchObject({ok: true})
  expect(server.requests.map(({method}) => method).slice(3)).toEqual(['PUT'])
})

it.each<[string, unknown]>([
  ['no token', {refresh: () => 'x'}],
  ['no refresh', {token: 'x'}],
  ['a bad token', {token: 'hidden secret', refresh: () => 'x'}],
  ['an unknown option', {token: 'x', refresh: () => 'x', expires: 1}],
  ['a number', 1],
])('%s is a TypeError that does not tell the token', (_name, given) => {
  // @ts-expect-error callers may have no types
  expect(() => bearerAuth(given)).toThrow(TypeError)
  // @ts-expect-error callers may have no types
  expect(() => bearerAuth(given)).not.toThrow(/hidden/)
})

it('a refreshed token that no header can have is an error that does not tell it', async () => {
  valid = 'new'
  const dav = client({token: 'old', refresh: () => 'hidden secret'})
  const error = await dav.delete('a').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({name: 'DavAuthError', reason: 'failed'})
  expect(inspect(error, {depth: 9})).not.toContain('hidden')
})
