// States the verdict on a request that was refused after an answer was lost: the first attempt may have been carried out,
// so a refusal alone proves nothing. RFC 9110, section 9.2.2.

import {bearerAuth, DavClient, DavNetworkError, type DavResult, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {propstat} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const retry = {attempts: 2, minDelay: 1, maxDelay: 1}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

type Reply = ReturnType<Parameters<FaultServer['script']>[0]>

/** Answers the attempts in order, and each PROPFIND alike. */
function script(attempts: readonly Reply[], seen: Reply): void {
  const left = [...attempts]
  server.script(({method}) => (method === 'PROPFIND' ? seen : (left.shift() ?? {status: 500})))
}

/** A 207 about one property of a resource. */
function property(value: string, status = 'HTTP/1.1 200 OK'): Reply {
  const prop = `<x:a xmlns:x="urn:x">${value}</x:a>`
  const response = `<D:response><D:href>/a</D:href>${propstat(status, prop)}</D:response>`
  return answer207(OPEN + response + SHUT)
}

const lost: readonly Reply[] = [RESET, {status: 423}]
const refused: readonly Reply[] = [{status: 423}, {status: 423}]
const there = answer207(listing('/a/'))
const gone: Reply = {status: 404}
const busy: Reply = {status: 500}

describe('a refusal after a lost answer', () => {
  it.each<[string, Reply, string]>([
    ['is a Success if the resource is gone', gone, '404 self /a/'],
    ['is the verdict if the resource is there', there, '423 status self /a/'],
    ['is a no-answer if nobody knows', busy, '0 no-answer self /a/'],
  ])('of a DELETE %s', async (_, seen, expected) => {
    script(lost, seen)
    expect(line(await dav.delete('a/', {retry}))).toBe(expected)
  })

  it.each<[string, Reply, string]>([
    ['is no longer sent if a collection is there', there, '0 self /a/'],
    ['is the verdict if nothing is there', gone, '423 status self /a/'],
    ['is a no-answer if nobody knows', busy, '0 no-answer self /a/'],
  ])('of a MKCOL %s', async (_, seen, expected) => {
    script(lost, seen)
    expect(line(await dav.mkcol('a/', {retry}))).toBe(expected)
  })

  it.each<[string, Reply, string]>([
    ['is a Success if the properties are as they were set', property('new'), '423 self /a'],
    ['is the verdict if they are not', property('old'), '423 status self /a'],
    ['is a no-answer if nobody knows', busy, '0 no-answer self /a'],
  ])('of a PROPPATCH %s', async (_, seen, expected) => {
    script(lost, seen)
    expect(line(await dav.proppatch('a', {set: {'{urn:x}a': 'new'}, retry}))).toBe(expected)
  })

  it('of a property is judged in the same way', async () => {
    script([RESET, property('', 'HTTP/1.1 403 Forbidden')], busy)
    const result = await dav.proppatch('a', {set: {'{urn:x}a': 'new'}, retry})
    expect(line(result)).toBe('0 no-answer self /a')
    expect(result.missing).toMatchObject([{name: '{urn:x}a', status: 403}])
  })

  it('of a PUT is a no-answer with the words of the refusal', async () => {
    script([RESET, {status: 507, headers: {'content-type': 'text/plain'}, body: 'full'}], busy)
    expect(await dav.put('a', 'text', {retry})).toMatchObject({
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      description: 'It was answered 507, and an earlier attempt may have done it. full',
    })
  })

  it('is doubted in another process too', async () => {
    script(lost, busy)
    const failures = [await dav.delete('a/', {retry})].filter((result) => !result.ok)
    script([{status: 403}], busy)
    const results = await Array.fromAsync(dav.retry(JSON.parse(JSON.stringify(failures)), 1))
    expect(results.map(line)).toEqual(['0 no-answer self /a/'])
  })
})

describe('an attempt that is not sent after a lost answer', () => {
  const auth = bearerAuth({
    token: 'old',
    refresh: () => {
      throw new Error('offline')
    },
  })
  const unauthorized = {status: 401, headers: {'www-authenticate': 'Bearer error="invalid_token"'}}
  const calls: readonly [string, (client: DavClient) => Promise<DavResult>][] = [
    ['DELETE', (client) => client.delete('a/', {retry})],
    ['MKCOL', (client) => client.mkcol('a/', {retry})],
    ['PROPPATCH', (client) => client.proppatch('a', {remove: ['{urn:x}a'], retry})],
    ['MOVE', (client) => client.move('a', 'b', {retry})],
    ['PUT', (client) => client.put('a', 'text', {retry})],
  ]

  it.each(calls)('of a %s is an error that tells of the doubt', async (_, call) => {
    script([RESET, unauthorized], busy)
    const error = await call(new DavClient({url: server.url, transport, auth})).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(DavNetworkError)
    expect(error).toMatchObject({
      message:
        'The token could not be refreshed, because refresh threw an error, and an earlier attempt may have done it',
      cause: {name: 'DavAuthError', reason: 'failed'},
    })
  })

  it('is no Failure not-sent in a bulk call', async () => {
    script([RESET, unauthorized], busy)
    const client = new DavClient({url: server.url, transport, auth})
    const {failures} = await client.deleteMany(['a'], {retry}).collect()
    expect(failures).toMatchObject([{reason: 'no-answer', cause: 'network'}])
  })

  it('is no Failure refused in a bulk call: an answer by another resource', async () => {
    let attempts = 0
    const strange: Transport = async () => {
      if (++attempts === 1) throw new Error('reset')
      const {status, headers, body} = new Response(null, {status: 204})
      return {status, headers, body, url: `${server.url}other`}
    }
    const client = new DavClient({url: server.url, transport: strange})
    const {failures} = await client.deleteMany(['a'], {retry}).collect()
    expect(failures).toMatchObject([{reason: 'no-answer', cause: 'unreadable', status: 0}])
    expect(attempts).toBe(2)
  })
})

describe('a refusal after a refusal', () => {
  const calls: readonly [string, () => Promise<DavResult>, string][] = [
    ['DELETE', () => dav.delete('a/', {retry}), '423 status self /a/'],
    ['MKCOL', () => dav.mkcol('a/', {retry}), '423 status self /a/'],
    ['PROPPATCH', () => dav.proppatch('a', {remove: ['{urn:x}a'], retry}), '423 status self /a'],
    ['COPY', () => dav.copy('a', 'b', {retry}), '423 status self /a'],
    ['PUT', () => dav.put('a', 'text', {retry}), '423 status self /a'],
  ]

  it.each(calls)(
    'is the verdict on a %s, and nothing is looked at',
    async (method, call, expected) => {
      script(refused, busy)
      expect(line(await call())).toBe(expected)
      expect(server.requests.map((request) => request.method)).toEqual([method, method])
    },
  )

  it('of a MKCOL does not make an older collection its own: 405', async () => {
    script([{status: 423}, {status: 405}], there)
    expect(line(await dav.mkcol('a/', {retry}))).toBe('405 status self /a/')
  })
})

it('a Failure of OPTIONS has no request, so that a queue with it can be retried', async () => {
  server.answers({status: 503})
  const failure = await dav.options('a')
  if (failure.ok) throw new Error('OPTIONS was refused')
  expect(failure.request).toBeUndefined()
  expect(await Array.fromAsync(dav.retry([failure], 1))).toEqual([failure])
})
