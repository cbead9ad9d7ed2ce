// States what becomes of members of a target that is sent more than once, and of targets that are named more than once:
// nothing that is done is sent again, no failure is lost or told for another one, and what can be tried is tried.
// RFC 4918, sections 9.6.1 and 10.4.

import {DavClient, encodePath, members, type DavResult, type Progress} from 'multistatus'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {failedDelete, line} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const retry = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url})
})

afterEach(() => server.close())

/** What was sent, in order. */
function sent(): readonly string[] {
  return server.requests.map(({method, url}) => `${method} ${url}`)
}

async function linesOf(results: AsyncIterable<DavResult>): Promise<readonly string[]> {
  return (await Array.fromAsync(results)).map(line)
}

/** Answers to the DELETEs of a target, one after the other; the last one for good. */
function inTurn<T>(...answers: readonly [T, ...T[]]): () => T {
  let count = 0
  return () => answers[Math.min(count++, answers.length - 1)] ?? answers[0]
}

describe('a success that names members that failed', () => {
  const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))

  it('does not stand for targets in it', async () => {
    server.script(({url}) => (url === '/c/' ? named : {status: 423}))
    const results = await linesOf(dav.deleteMany(['c/', 'c/x', 'c/y'], {concurrency: 1}))
    expect(sent()).toEqual(['DELETE /c/', 'DELETE /c/x', 'DELETE /c/y'])
    expect(results).toEqual([
      '423 status member /c/x',
      '204 self /c',
      '423 status self /c/x',
      '423 status self /c/y',
    ])
  })

  it('is not sent again; they are', async () => {
    const answer = inTurn({status: 423}, {status: 204})
    server.script(({url}) => (url === '/c/' ? named : answer()))
    expect(await linesOf(dav.deleteMany(['c/', 'c/y'], {retry, concurrency: 1}))).toEqual([
      '204 self /c',
      '204 self /c/y',
    ])
    expect(sent()).toEqual(['DELETE /c/', 'DELETE /c/x', 'DELETE /c/x'])
  })
})

describe('a success that names a failure without an href', () => {
  it('does not stand for targets in it', async () => {
    const nameless = '<D:response><D:status>HTTP/1.1 423 Locked</D:status></D:response>'
    const named = answer207(OPEN + nameless + verdict('/c/', 'HTTP/1.1 204 No Content') + SHUT)
    server.script(({url}) => (url === '/c/' ? named : {status: 423}))
    const results = await linesOf(dav.deleteMany(['c/', 'c/x'], {concurrency: 1}))
    expect(results.at(-1)).toBe('423 status self /c/x')
  })
})

describe('a success for which nothing is left to send', () => {
  it('is neither waited for nor counted as sent again', async () => {
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
  it('are sent again by themselves, and the target after them', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '409 Conflict'}))
    const answer = inTurn(named, {status: 204})
    server.script(({url}) => (url === '/c/' ? answer() : {status: 204}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual(['204 self /c/'])
    expect(sent()).toEqual(['DELETE /c/', 'DELETE /c/x', 'DELETE /c/'])
  })

  it('that are refused for good too are not', async () => {
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
  it('that was asked again since is what it was then', async () => {
    const target = inTurn(answer207(verdicts({'/c/x': '423 Locked'})), {status: 503}, {status: 429})
    const member = inTurn({status: 423}, {status: 403})
    server.script(({url}) => (url === '/c/' ? target() : member()))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual([
      '403 status member /c/x',
      '429 status self /c/',
    ])
  })

  it('is kept where the last answer breaks off', async () => {
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

  it('is kept where it has no href, each of them', async () => {
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

  it('is kept beside a success that names a collection above the target', async () => {
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

  it('is not told any more where a later answer of its collection does not name it', async () => {
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

  it('is not known where its collection was sent again and does not name it', async () => {
    const named = {'/c': '204 No Content', '/c/d/': '423 Locked', '/c/d/y': '403 Forbidden'}
    server.script(({url}) => (url === '/c/' ? answer207(verdicts(named)) : {status: 500}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry: {...retry, attempts: 2}}))).toEqual([
      '500 status member /c/d/',
      '0 no-answer descendant /c/d/y',
      '204 self /c',
    ])
  })

  it('is kept beside a success that names one above it', async () => {
    const named = {'/c/d': '204 No Content', '/c/d/x': '423 Locked'}
    server.script(({url}) => (url === '/c/' ? answer207(verdicts(named)) : {status: 423}))
    expect(await linesOf(dav.deleteMany(['c/'], {retry}))).toEqual([
      '204 member /c/d',
      '423 status descendant /c/d/x',
      '424 member self /c/',
    ])
  })
})

describe('many members', () => {
  it('are each sent again, and never more at once than was asked for', async () => {
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

describe('a DELETE whose outcome cannot be seen', () => {
  it.each([405, 503])('for a %i is not sent again', async (status) => {
    server.script(({method}) => ({status: method === 'DELETE' ? 204 : status}))
    const results = await linesOf(dav.deleteMany(['a'], {retry, verify: true}))
    expect(results).toEqual(['0 no-answer self /a'])
    expect(sent().filter((one) => one.startsWith('DELETE'))).toEqual(['DELETE /a'])
  })
})

describe('a member whose outcome cannot be seen', () => {
  it('is not sent again', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))
    server.script(({method, url}) => {
      if (method === 'PROPFIND') return {status: url === '/c/' ? 404 : 403}
      return url === '/c/' ? named : {status: 204}
    })
    const results = await linesOf(dav.deleteMany(['c/'], {retry, verify: true}))
    expect(results).toEqual(['0 no-answer member /c/x', '204 self /c'])
    expect(sent().filter((one) => one === 'DELETE /c/x')).toHaveLength(1)
  })
})

describe('a target deep in another one', () => {
  it('is gone with it, however long the names on its way are when they are escaped', async () => {
    const deep = `a/${`${encodePath('あ'.repeat(85))}/`.repeat(15)}f`
    server.script(({url}) => ({status: url === '/a/' ? 204 : 404}))
    const {successes} = await dav.deleteMany(['a/', deep], {concurrency: 1}).collect()
    expect(successes).toHaveLength(2)
    expect(server.requests).toHaveLength(1)
  })
})

describe('a collection that a walk has named', () => {
  it('has one verdict where it could not be listed after it was deleted', async () => {
    const gone = new Set<string>()
    server.script(({method, url}) => {
      if (method === 'DELETE') {
        gone.add(url)
        return {status: 204}
      }
      return gone.has(url)
        ? {status: 404}
        : answer207(url === '/t/' ? listing('/t/', '/t/a/', '/t/b/') : listing(url))
    })
    const listed = members(dav.propfind('t/', {depth: {walk: true}}))
    const results = await linesOf(dav.deleteMany(listed))
    expect(results.toSorted()).toEqual(['204 self /t/a/', '204 self /t/b/'])
    expect(gone.size).toBe(2)
  })
})

describe('an error of the caller', () => {
  it('ends the call though no target comes for long', async () => {
    server.answers({status: 503})
    const onRetry = (): never => {
      throw new Error('stop it')
    }
    let end: (() => void) | undefined
    async function* silent(): AsyncGenerator<string> {
      yield 'a'
      await new Promise<void>((resolve) => (end = resolve))
      yield 'b'
    }
    const call = dav.deleteMany(silent(), {retry: {...retry, onRetry}})
    await expect(Array.fromAsync(call)).rejects.toThrow('stop it')
    end?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(sent()).toEqual(['DELETE /a'])
  })
})

describe('dav.retry', () => {
  const token = {conditions: {if: '(<urn:x>) (Not <DAV:no-lock>)'}}

  it.each([[true], [false]])(
    'sends a target with its own lock token: first %s',
    async (isFirst) => {
      server.answers({status: 204})
      const self = failedDelete(server.url, 'c/x', 503, token)
      const member = {...failedDelete(server.url, 'c/x', 423), relation: 'member'} as const
      const failures = isFirst ? [self, member] : [member, self]
      expect(await linesOf(dav.retry(failures, retry))).toEqual(['204 self /c/x'])
      expect(server.requests.map(({headers}) => headers['if'])).toEqual([token.conditions.if])
    },
  )

  it('refuses what was sent to another origin, whatever else has its path', () => {
    const other = failedDelete('http://other.example/', 'x', 503)
    const call = dav.retry([other, failedDelete(server.url, 'x', 503)], retry)
    return expect(Array.fromAsync(call)).rejects.toThrow(TypeError)
  })
})

describe('paths that are deeper than any tree', () => {
  it('take no time that grows with the square of their length', async () => {
    const client = new DavClient({
      url: server.url,
      transport: () => Promise.resolve({status: 204, headers: {get: () => null}, body: null}),
    })
    const deep = Array.from({length: 200}, (_, index) => `${index}/${'a/'.repeat(8000)}`)
    const {successes} = await client.deleteMany(deep, {concurrency: 1}).collect()
    expect(successes).toHaveLength(200)
  })
})
