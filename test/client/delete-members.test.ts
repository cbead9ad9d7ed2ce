// States the handling of members when their target is sent again. Done work is not repeated, no failure is lost or
// confused with another, and everything retryable is retried. RFC 4918, section 9.6.1.

import {DavClient, type DavResult, type Progress} from 'multistatus'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const retry = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url})
})

afterEach(() => server.close())

/** Requests that the server saw, in order. */
function sent(): readonly string[] {
  return server.requests.map(({method, url}) => `${method} ${url}`)
}

async function linesOf(results: AsyncIterable<DavResult>): Promise<readonly string[]> {
  return (await Array.fromAsync(results)).map(line)
}

/** Gives the answers in order, then repeats the last one. */
function inTurn<T>(...answers: readonly [T, ...T[]]): () => T {
  let count = 0
  return () => answers[Math.min(count++, answers.length - 1)] ?? answers[0]
}

describe('a success that names failed members', () => {
  const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))

  it('is not sent again; only the members are', async () => {
    const answer = inTurn({status: 423}, {status: 204})
    server.script(({url}) => (url === '/c/' ? named : answer()))
    expect(await linesOf(dav.deleteMany(['c/', 'c/y'], {retry, concurrency: 1}))).toEqual([
      '204 self /c',
      '204 self /c/y',
    ])
    expect(sent()).toEqual(['DELETE /c/', 'DELETE /c/x', 'DELETE /c/x'])
  })
})

describe('a success with nothing left to send', () => {
  it('is neither delayed nor counted as a retry', async () => {
    const named = verdicts({'/elsewhere': '423 Locked', '/c': '204 No Content'})
    server.script(() => answer207(named))
    const retries: unknown[] = []
    const onRetry = (info: unknown): void => void retries.push(info)
    let last: unknown
    const options = {
      retry: {...retry, onRetry},
      onProgress: (progress: Progress): void => void (last = progress),
    }
    const results = await linesOf(dav.deleteMany(['c/'], options))
    expect(results).toEqual(['423 status outside /elsewhere', '204 self /c'])
    expect(retries).toEqual([])
    expect(last).toMatchObject({done: 1, retried: 0})
    expect(server.requests).toHaveLength(1)
  })

  it('leaves the whole budget to its members', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))
    server.script(({url}) => (url === '/c/' ? named : {status: 204}))
    const results = await linesOf(dav.deleteMany(['c/'], {retry: {...retry, budget: 1}}))
    expect(results).toEqual(['204 self /c'])
  })
})

describe('members of a target that is refused for good', () => {
  it('are retried, and then the target', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '409 Conflict'}))
    const answer = inTurn(named, {status: 204})
    server.script(({url}) => (url === '/c/' ? answer() : {status: 204}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual(['204 self /c/'])
    expect(sent()).toEqual(['DELETE /c/', 'DELETE /c/x', 'DELETE /c/'])
  })

  it('are not retried if they are refused for good too', async () => {
    const named = answer207(verdicts({'/c/x': '403 Forbidden', '/c': '409 Conflict'}))
    server.script(() => named)
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual([
      '403 status member /c/x',
      '409 status self /c',
    ])
    expect(server.requests).toHaveLength(1)
  })
})

describe('the failure of a member', () => {
  it('is that of its last attempt', async () => {
    const target = inTurn(answer207(verdicts({'/c/x': '423 Locked'})), {status: 503}, {status: 429})
    const member = inTurn({status: 423}, {status: 403})
    server.script(({url}) => (url === '/c/' ? target() : member()))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual([
      '403 status member /c/x',
      '429 status self /c/',
    ])
  })

  it('is kept if the last answer breaks off', async () => {
    const target = inTurn(
      answer207(verdicts({'/c/a': '403 Forbidden', '/c/x': '423 Locked'})),
      answer207([OPEN, verdict('/c/x', 'HTTP/1.1 423 Locked'), CLOSE]),
    )
    server.script(({url}) => (url === '/c/' ? target() : {status: 423}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '0 no-answer member /c/a',
      '423 status member /c/x',
      '0 no-answer self /c/',
    ])
  })

  it('is kept if it has no href: both of two', async () => {
    const nameless = '<D:response><D:status>HTTP/1.1 423 Locked</D:status></D:response>'
    const target = inTurn(
      answer207(OPEN + nameless + nameless + verdict('/c/x', 'HTTP/1.1 423 Locked') + SHUT),
      {
        status: 503,
      },
    )
    server.script(({url}) => (url === '/c/' ? target() : {status: 204}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '0 malformed outside ',
      '0 malformed outside ',
      '503 status self /c/',
    ])
  })

  it('is kept beside a success for a collection above the target', async () => {
    const target = inTurn(
      answer207(verdicts({'/b/c/x': '423 Locked'})),
      answer207(verdicts({'/b/': '200 OK', '/b/c/': '503 Service Unavailable'})),
    )
    server.script(({url}) => (url === '/b/c/' ? target() : {status: 423}))
    const options = {retry: {...retry, attempts: 2}}
    expect(await linesOf(dav.deleteMany(['b/c/'], options))).toEqual([
      '200 outside /b/',
      '0 no-answer member /b/c/x',
      '503 status self /b/c/',
    ])
  })

  it('is dropped if a later answer of its collection does not name it', async () => {
    const named = {'/c': '204 No Content', '/c/d/': '423 Locked', '/c/d/y': '403 Forbidden'}
    server.script(({url}) =>
      answer207(verdicts(url === '/c/' ? named : {'/c/d/x': '403 Forbidden'})),
    )
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '424 member member /c/d/',
      '403 status descendant /c/d/x',
      '204 self /c',
    ])
  })

  it('becomes a no-answer if its collection is sent again and does not name it', async () => {
    const named = {'/c': '204 No Content', '/c/d/': '423 Locked', '/c/d/y': '403 Forbidden'}
    server.script(({url}) => (url === '/c/' ? answer207(verdicts(named)) : {status: 500}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '500 status member /c/d/',
      '0 no-answer descendant /c/d/y',
      '204 self /c',
    ])
  })

  it('is kept beside a success for its own collection', async () => {
    const named = {'/c/d': '204 No Content', '/c/d/x': '423 Locked'}
    server.script(({url}) => (url === '/c/' ? answer207(verdicts(named)) : {status: 423}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual([
      '204 member /c/d',
      '423 status descendant /c/d/x',
      '424 member self /c/',
    ])
  })
})

describe('failures of members', () => {
  it.each([
    [{status: 429}, ['403 status member /t/a', '429 status self /t/']],
    [{status: 503}, ['0 no-answer member /t/a', '503 status self /t/']],
    [RESET, ['0 no-answer member /t/a', '0 no-answer self /t/']],
  ] as const)('are kept if the last attempt names none: case %#', async (last, expected) => {
    let count = 0
    server.script(({url}) => {
      if (url !== '/t/') return {status: 204}
      return count++ === 0
        ? answer207(verdicts({'/t/a': '403 Forbidden', '/t/b': '423 Locked'}))
        : last
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry: {...retry, attempts: 2}}))
    expect(results.map(line)).toEqual(expected)
  })

  it('of a deleted collection are neither sent again nor reported', async () => {
    let count = 0
    const named = {'/t/c/x': '423 Locked', '/t/c': '424 Failed Dependency', '/t/y': '423 Locked'}
    server.script(({url}) => {
      if (url === '/t/') return count++ === 0 ? answer207(verdicts(named)) : {status: 503}
      return {status: url === '/t/c' ? 204 : 423}
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry}))
    const urls = server.requests.map(({url}) => url)
    expect(urls.filter((url) => url.startsWith('/t/c'))).toEqual(['/t/c/x', '/t/c'])
    expect(urls.filter((url) => url === '/t/y')).toHaveLength(2)
    // The target was sent again after /t/y had failed, so the outcome for /t/y is unknown.
    expect(results.map(line)).toEqual(['0 no-answer member /t/y', '503 status self /t/'])
  })

  it('named by a member are kept too', async () => {
    let count = 0
    server.script(({url}) => {
      if (url === '/t/c/') return answer207(verdicts({'/t/c/x': '423 Locked'}))
      return count++ === 0 ? answer207(verdicts({'/t/c/': '423 Locked'})) : {status: 503}
    })
    const results = await Array.fromAsync(dav.deleteMany(['t/'], {retry: {...retry, attempts: 2}}))
    expect(results.map(line).toSorted()).toEqual([
      '0 no-answer descendant /t/c/x',
      '0 no-answer member /t/c/',
      '503 status self /t/',
    ])
  })
})

describe('a resource outside a member, named in its answer', () => {
  it('does not count as a failed member', async () => {
    const named = verdicts({'/c': '204 No Content', '/c/d/': '423 Locked'})
    const others = verdicts({'/c/d/': '403 Forbidden', '/elsewhere': '423 Locked'})
    server.script(({url}) => answer207(url === '/c/' ? named : others))
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '403 status member /c/d/',
      '204 self /c',
    ])
  })
})

describe('many members', () => {
  it('are each sent again, within the allowed concurrency', async () => {
    const names = Array.from({length: 20_000}, (_, index) => `/c/x${index}`)
    const failed = verdicts(Object.fromEntries(names.map((name) => [name, '423 Locked'])))
    const answer = inTurn(answer207(failed), {status: 204})
    let [now, most] = [0, 0]
    const urls: string[] = []
    const head = {get: () => null}
    const client = new DavClient({
      url: server.url,
      async transport({url}) {
        const {pathname} = new URL(url)
        if (pathname !== '/c/') urls.push(pathname)
        most = Math.max(most, ++now)
        await new Promise(setImmediate)
        now--
        if (pathname !== '/c/') return {status: 204, headers: head, body: null}
        const {status, body} = answer()
        const bytes = new Blob([typeof body === 'string' ? body : '']).stream()
        return {status, headers: head, body: status === 204 ? null : bytes}
      },
    })
    expect(await linesOf(client.deleteMany(['c/'], {retry, concurrency: 4}))).toEqual([
      '204 self /c/',
    ])
    expect(urls.toSorted()).toEqual(names.toSorted())
    expect(most).toBe(4)
  })
})
