// States the facts about a server that no public method shows alone: extensions, which a verb asks for, probes, and the methods
// whose 501 proves nothing. RFC 4918, section 10.1; RFC 5689, section 3.1.

import {fetchTransport} from 'multistatus/fetch'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {KnownMarkup} from '../../src/multistatus/known-markup.ts'
import {runCall} from '../../src/call/call.ts'
import {Calls} from '../../src/call/calls.ts'
import {KnownCapabilities} from '../../src/call/capabilities.ts'
import {openSession} from '../../src/call/send.ts'
import {LockStore} from '../../src/call/lock-store.ts'
import {LockTurns} from '../../src/call/lock-turns.ts'
import {resolveTimeouts} from '../../src/transport/timeouts.ts'
import type {Session} from '../../src/call/session.ts'
import {hasExtension} from '../../src/verbs/options.ts'
import type {FaultServer} from '../support/fault-server.ts'
import {NEVER, RESET, startFaultServer} from '../support/fault-server.ts'

const URL_A = 'https://dav.example/a'

describe('hasExtension', () => {
  let server: FaultServer
  let session: Session

  beforeEach(async () => {
    server = await startFaultServer()
    session = openSession({
      base: new URL(`${server.url}docs/`),
      transport: fetchTransport(),
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

  const ask = (name: string, signal?: AbortSignal): Promise<boolean | undefined> =>
    runCall(session, {signal}, (context) => hasExtension(name, context))

  it('asks once, at the base', async () => {
    server.answers({status: 200, headers: {dav: '1, extended-mkcol', allow: 'GET'}})
    expect(await ask('extended-mkcol')).toBe(true)
    expect(await ask('extended-mkcol')).toBe(true)
    expect(await ask('calendar-access')).toBe(false)
    expect(server.requests).toMatchObject([{method: 'OPTIONS', url: '/docs/'}])
  })

  it('does not know after a failed OPTIONS, and asks again', async () => {
    server.answers({status: 405}, RESET, {status: 200})
    expect(await ask('extended-mkcol')).toBeUndefined()
    expect(await ask('extended-mkcol')).toBeUndefined()
    expect(await ask('extended-mkcol')).toBe(false)
  })

  it('rejects if the call ends', async () => {
    server.answers(NEVER)
    const ending = new AbortController()
    const asked = ask('extended-mkcol', ending.signal)
    await expect.poll(() => server.requests).toHaveLength(1)
    ending.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
  })
})

describe('the facts about a server', () => {
  it('have the extensions of all answers together', () => {
    const known = new KnownCapabilities()
    expect(known.findLack('extended-mkcol', URL_A)).toBeUndefined()
    known.addSaid(URL_A, ['1', 'extended-mkcol'], [])
    known.addSaid('https://dav.example/b', ['1'], [])
    expect(known.findLack('extended-mkcol', URL_A)).toBeUndefined()
    expect(known.findLack('2', URL_A)).toBe(
      '2 was not named in the answer to OPTIONS; say ignoreCapabilities: true if the server has it',
    )
  })

  it('forget the oldest of more than 1000 extensions', () => {
    const known = new KnownCapabilities()
    known.addSaid(URL_A, ['old'], [])
    known.addSaid(
      URL_A,
      Array.from({length: 1000}, (_, number) => `x${number}`),
      [],
    )
    expect([known.find('old', URL_A)?.holds, known.find('x999', URL_A)?.holds]).toEqual([
      false,
      true,
    ])
  })

  it('have the methods of an Allow header until the next change', () => {
    const known = new KnownCapabilities()
    known.addSaid(URL_A, ['1'], ['OPTIONS', 'GET'])
    known.addSeen('PUT', 403)
    expect(known.findLack('DELETE', URL_A)).toBe(
      'DELETE was not named in the answer to OPTIONS; say ignoreCapabilities: true if the server has it',
    )
    known.addSeen('PUT', 201)
    expect(known.findLack('DELETE', URL_A)).toBeUndefined()
  })

  it('have the result of a probe for a condition', () => {
    const known = new KnownCapabilities()
    known.addSaid(URL_A, ['1'], ['GET'])
    expect(known.find('If-Match', URL_A)).toBeUndefined()
    known.addAsked('If-Match', false)
    expect(known.addSaid(URL_A, [], [])).toEqual([
      {kind: 'condition', name: 'If-Match', holds: false, source: 'asked'},
    ])
    expect(known.findLack('If-Match', URL_A)).toBe(
      'If-Match failed a test; say ignoreCapabilities: true if the server has it',
    )
  })

  it.each(['GET', 'LOCK', 'PUT'])('lack no %s after a 501, which may be about a part', (method) => {
    const known = new KnownCapabilities()
    known.addSeen(method, 501)
    expect(known.find(method, URL_A)).toBeUndefined()
  })

  it('lack no MKCOL by an Allow header, because something may be there', () => {
    const known = new KnownCapabilities()
    known.addSaid(URL_A, ['1'], ['OPTIONS', 'DELETE', 'PROPFIND'])
    expect(known.findLack('MKCOL', URL_A)).toBeUndefined()
    known.addSeen('MKCOL', 501)
    expect(known.findLack('MKCOL', URL_A)).toBe(
      'MKCOL was answered with 501 before; say ignoreCapabilities: true if the server has it',
    )
  })
})
