// States how the engine handles COPY and MOVE, which have members at two ends. RFC 4918, sections 9.8 and 9.9.

import type {DavResult} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {KnownMarkup} from '../../src/multistatus/known-markup.ts'
import {Calls} from '../../src/call/calls.ts'
import {KnownCapabilities} from '../../src/call/capabilities.ts'
import {openSession} from '../../src/call/send.ts'
import {LockStore} from '../../src/call/lock-store.ts'
import {LockTurns} from '../../src/call/lock-turns.ts'
import {resolveTimeouts} from '../../src/transport/timeouts.ts'
import type {Session} from '../../src/call/session.ts'
import {runMany} from '../../src/engine/many.ts'
import {runOne} from '../../src/engine/one.ts'
import {retry} from '../../src/engine/retry.ts'
import type {TargetRequest} from '../../src/engine/verb.ts'
import {COPY} from '../../src/verbs/copy.ts'
import {MOVE} from '../../src/verbs/move.ts'
import type {FaultServer} from '../support/fault-server.ts'
import {answer207, listing, OPEN, SHUT, startFaultServer} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

let server: FaultServer
let session: Session

beforeEach(async () => {
  server = await startFaultServer()
  session = openSession({
    base: new URL(server.url),
    transport: undiciTransport(),
    auth: undefined,
    headers: {},
    concurrency: 1,
    retry: undefined,
    limits: undefined,
    malformed: undefined,
    timeouts: resolveTimeouts(5000),
    decoders: undefined,
    calls: new Calls([]),
    locks: new LockStore(),
    lockTurns: new LockTurns(),
    markup: new KnownMarkup(),
    dropped: new FinalizationRegistry(() => {}),
    server: {refusesInfinity: false, busyUntil: 0, capabilities: new KnownCapabilities()},
  })
})

afterEach(() => server.close())

const requestOf = (method: string, from: string, to: string): TargetRequest => ({
  method,
  url: server.url + from,
  destination: server.url + to,
  attempts: 0,
})

const policy = {attempts: 2, minDelay: 1, maxDelay: 1}
const locked = 'HTTP/1.1 423 Locked'
const failed = 'HTTP/1.1 424 Failed Dependency'

/** Requests that the server saw, each as method, path and, if there is one, path of the destination. */
const sent = (): string[] =>
  server.requests.map(({method, url, headers: {destination}}) =>
    destination === undefined
      ? `${method} ${url}`
      : `${method} ${url} ${new URL(String(destination)).pathname}`,
  )

describe('a COPY that is answered by a 207', () => {
  it('has members named in the destination: RFC 4918, example 9.8.8', async () => {
    // The href of the example has the server's inner host.
    const href = 'http://www.example.com/othercontainer/R2/'
    server.answers(answer207(OPEN + verdict(href, locked) + SHUT))
    const request = requestOf('COPY', 'container/', 'othercontainer/')
    const result = await runOne(session, COPY, request, {})
    expect(line(result)).toBe('424 member self /container/')
    expect(result.members).toMatchObject([
      {
        ok: false,
        href,
        url: `${server.url}othercontainer/R2/`,
        relation: 'member',
        status: 423,
        request: {
          method: 'COPY',
          url: `${server.url}container/R2/`,
          destination: `${server.url}othercontainer/R2/`,
          attempts: 1,
        },
      },
    ])
  })

  it('has members named in the source', async () => {
    server.answers(answer207(OPEN + verdict('/a/x/y', 'HTTP/1.1 403 Forbidden') + SHUT))
    const result = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {})
    expect(result.members).toMatchObject([
      {
        relation: 'descendant',
        request: {url: `${server.url}a/x/y`, destination: `${server.url}b/x/y`},
      },
    ])
  })

  it('has the verdict on the destination as its own', async () => {
    server.answers(answer207(OPEN + verdict('/b/', locked) + SHUT))
    const result = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {})
    expect(result).toMatchObject({ok: false, status: 423, reason: 'status', relation: 'self'})
    expect([result.href, result.url]).toEqual(['/b/', `${server.url}a/`])
    expect(result.members).toBeUndefined()
    expect(result.request).toMatchObject({url: `${server.url}a/`, destination: `${server.url}b/`})
  })

  it('keeps a member outside both collections without sending it again', async () => {
    const answer = answer207(OPEN + verdict('/c/x', locked) + SHUT)
    server.answers(answer, answer)
    const result = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {retry: policy})
    expect(result.members?.map(line)).toEqual(['423 status outside /c/x'])
    expect(sent()).toEqual(['COPY /a/ /b/'])
  })
})

describe('a retry of members', () => {
  const answer = (): string =>
    OPEN + verdict('/b/x/y', failed) + verdict('/a/x/', locked) + verdict('/b/z', locked) + SHUT

  it('of a COPY sends collections first and causes before dependents, and the target not again', async () => {
    server.answers(answer207(answer()), {status: 201})
    const result = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {retry: policy})
    // Again, it would meet its own copy: a 412 without Overwrite, and a DELETE of the copy with it.
    expect(result).toMatchObject({ok: true, status: 207, destination: `${server.url}b/`})
    expect(result).not.toHaveProperty('attempts')
    expect(result).not.toHaveProperty('members')
    expect(sent()).toEqual([
      'COPY /a/ /b/',
      'COPY /a/x/ /b/x/',
      'COPY /a/z /b/z',
      'COPY /a/x/y /b/x/y',
    ])
  })

  it('does not send the target of a COPY or MOVE again while a member fails', async () => {
    const refused = verdict('/b/w', 'HTTP/1.1 403 Forbidden') + verdict('/b/z', locked)
    for (const verb of [COPY, MOVE]) {
      const before = server.requests.length
      server.answers(answer207(OPEN + refused + SHUT), {status: 201})
      const request = requestOf(verb.method, 'a/', 'b/')
      const result = await runOne(session, verb, request, {retry: policy})
      expect(line(result)).toBe('424 member self /a/')
      expect(result.members?.map(line)).toEqual(['403 status member /b/w'])
      expect(sent().slice(before)).toEqual([`${verb.method} /a/ /b/`, `${verb.method} /a/z /b/z`])
    }
  })

  it('keeps a member that fails again, under the href of its own request', async () => {
    server.script(({url}) =>
      url === '/a/' ? answer207(answer()) : {status: url === '/a/z' ? 423 : 201},
    )
    const result = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {retry: policy})
    expect(line(result)).toBe('424 member self /a/')
    expect(result.members?.map(line)).toEqual(['423 status member /a/z'])
    expect(result.members?.[0]?.url).toBe(`${server.url}a/z`)
  })

  it('of a MOVE counts a member that is gone here and there at the destination as moved', async () => {
    server.script(({method, url}, number) => {
      if (method === 'PROPFIND')
        return url.startsWith('/b/') ? answer207(listing(url)) : {status: 404}
      return number === 1 ? answer207(OPEN + verdict('/b/x', locked) + SHUT) : {status: 404}
    })
    const result = await runOne(session, MOVE, requestOf('MOVE', 'a/', 'b/'), {retry: policy})
    expect(result).toMatchObject({ok: true, status: 404, attempts: 2})
    expect(sent()).toEqual([
      'MOVE /a/ /b/',
      'MOVE /a/x /b/x',
      'PROPFIND /a/x',
      'PROPFIND /b/x',
      'MOVE /a/ /b/',
      'PROPFIND /a/',
      'PROPFIND /b/',
    ])
  })

  it('of a MOVE does not count a member that is gone at both ends as moved', async () => {
    server.script((_, number) =>
      number === 1 ? answer207(OPEN + verdict('/b/x', locked) + SHUT) : {status: 404},
    )
    const result = await runOne(session, MOVE, requestOf('MOVE', 'a/', 'b/'), {retry: policy})
    expect(line(result)).toBe('424 member self /a/')
    expect(result.members?.map(line)).toEqual(['404 status member /a/x'])
  })
})

describe('many targets', () => {
  it('include a member of a copied target: a COPY does not cover its members', async () => {
    server.answers({status: 201}, {status: 201})
    const stream = runMany<readonly [string, string]>(session, COPY, {
      name: 'copyMany',
      targets: [
        ['a/', 'b/'],
        ['a/x', 'c/x'],
      ],
      options: {},
      settle: ([from, to]) => requestOf('COPY', from, to),
    })
    const results: DavResult[] = await Array.fromAsync(stream)
    expect(results.map(line)).toEqual(['201 self /a/', '201 self /a/x'])
    expect(sent()).toEqual(['COPY /a/ /b/', 'COPY /a/x /c/x'])
  })

  it.each([false, true])('are refused after a 501, with dryRun: %s', async (dryRun) => {
    server.answers({status: 501})
    await runOne(session, COPY, requestOf('COPY', 'a', 'b'), {})
    const stream = runMany(session, COPY, {
      name: 'copyMany',
      targets: ['c', 'd'],
      options: {dryRun},
      settle: (from) => requestOf('COPY', from, 'e'),
    })
    const results: DavResult[] = await Array.fromAsync(stream)
    expect(results.map(line)).toEqual(['0 refused self /c', '0 refused self /d'])
    expect(sent()).toEqual(['COPY /a /b'])
  })
})

describe('retry of failures', () => {
  it('sends members of a COPY and of a MOVE again, from JSON and in one call', async () => {
    const answers = answer207(OPEN + verdict('/b/x', locked) + SHUT)
    server.answers(answers, answers, {status: 201}, {status: 201})
    const copied = await runOne(session, COPY, requestOf('COPY', 'a/', 'b/'), {})
    const moved = await runOne(session, MOVE, requestOf('MOVE', 'a/', 'b/'), {})
    const failures = JSON.parse(JSON.stringify([copied.members?.[0], moved.members?.[0]]))
    const {successes} = await retry(session, failures, policy, [COPY, MOVE]).collect()
    expect(successes.map(line)).toEqual(['201 self /a/x', '201 self /a/x'])
    expect(sent().slice(2)).toEqual(['COPY /a/x /b/x', 'MOVE /a/x /b/x'])
  })
})
