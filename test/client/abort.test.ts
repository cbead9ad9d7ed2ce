// States that an abort ends a call at any moment, rejects with the signal's own reason, and frees the connection, over both
// transports. The DOM standard, section 3.2; RFC 4918 says nothing of it.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, members as picked, type ResultStream} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  startFaultServer,
} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let controller: AbortController

beforeEach(async () => {
  server = await startFaultServer()
  controller = new AbortController()
})

afterEach(() => server.close())

/** A unique reason, compared by identity. */
const reason = {why: 'enough'}

/** Aborts as soon as the server has seen a request. */
function abortOnArrival(): void {
  server.script(() => {
    controller.abort(reason)
    return NEVER
  })
}

/** Aborts a while after the beginning of the body was sent. */
function abortDuringBody(): void {
  server.script(() => {
    void delay(50).then(() => controller.abort(reason))
    return answer207([OPEN, listed('/docs/a'), NEVER])
  })
}

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('an abort over %s', (_, transport) => {
  const open = (): DavClient => new DavClient({url: server.url, transport})

  const verbs: readonly (readonly [string, (signal: AbortSignal) => ResultStream<unknown>])[] = [
    ['propfind', (signal) => open().propfind('docs/', {signal})],
    ['deleteMany', (signal) => open().deleteMany(['docs/'], {signal})],
    [
      'deleteMany with a retry',
      (signal) => open().deleteMany(['docs/'], {signal, retry: {minDelay: 1, maxDelay: 1}}),
    ],
  ]

  describe.each(verbs)('of %s', (_verb, call) => {
    it('before it is read rejects with the reason, and sends nothing', async () => {
      controller.abort(reason)
      const stream = call(controller.signal)
      await expect(stream.collect()).rejects.toBe(reason)
      await expect(stream.summary).rejects.toBe(reason)
      expect(server.requests).toEqual([])
    })

    it('during the wait for the answer rejects with the reason, and closes the connection', async () => {
      abortOnArrival()
      const stream = call(controller.signal)
      await expect(stream.collect()).rejects.toBe(reason)
      await expect(stream.summary).rejects.toBe(reason)
      expect(await server.requests[0]?.ended).toBe('closed')
      expect(server.requests).toHaveLength(1)
    })

    it('during the body rejects with the reason, and closes the connection', async () => {
      abortDuringBody()
      const reading = call(controller.signal).collect()
      await expect(reading).rejects.toBe(reason)
      expect(await server.requests[0]?.ended).toBe('closed')
    })
  })

  describe.each([
    ['delete', {}],
    ['delete with a retry', {retry: {minDelay: 1, maxDelay: 1}}],
  ])('of %s', (_verb, options) => {
    const call = (): Promise<unknown> =>
      open().delete('docs/', {...options, signal: controller.signal})

    it('before it is called rejects with the reason, and sends nothing', async () => {
      controller.abort(reason)
      await expect(call()).rejects.toBe(reason)
      expect(server.requests).toEqual([])
    })

    it('during the wait for the answer rejects with the reason, and closes the connection', async () => {
      abortOnArrival()
      await expect(call()).rejects.toBe(reason)
      expect(await server.requests[0]?.ended).toBe('closed')
      expect(server.requests).toHaveLength(1)
    })

    it('during the body rejects with the reason, and closes the connection', async () => {
      abortDuringBody()
      const deleting = call()
      await expect(deleting).rejects.toBe(reason)
      expect(await server.requests[0]?.ended).toBe('closed')
    })
  })

  it('after a result that was taken rejects with the reason', async () => {
    server.answers(answer207([OPEN, listed('/docs/'), NEVER]))
    const stream = open().propfind('docs/', {signal: controller.signal})
    const seen: string[] = []
    const reading = async (): Promise<void> => {
      for await (const {href} of stream) {
        seen.push(href)
        controller.abort(reason)
      }
    }
    await expect(reading()).rejects.toBe(reason)
    expect(seen).toEqual(['/docs/'])
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  describe('between two results of one chunk', () => {
    const members = Array.from({length: 200}, (_item, number) => `/docs/${number}`)
    const streams: readonly (readonly [string, (signal: AbortSignal) => ResultStream<unknown>])[] =
      [
        ['propfind', (signal) => open().propfind('docs/', {signal})],
        ['walk', (signal) => open().walk('docs/', {signal})],
        ['members', (signal) => picked(open().propfind('docs/', {signal}))],
        ['report', (signal) => open().report('docs/', {body: '<r/>', signal})],
        ['sync', (signal) => open().sync('docs/', {signal})],
      ]

    it.each(streams)(
      'of %s rejects with the reason, and gives no further result',
      async (_verb, call) => {
        server.answers(answer207(listing('/docs/', ...members)))
        const stream = call(controller.signal)
        const seen: string[] = []
        const reading = (async () => {
          for await (const {href} of stream) if (seen.push(href) === 50) controller.abort(reason)
        })()
        await expect(reading).rejects.toBe(reason)
        expect(seen).toHaveLength(50)
        await expect(stream.summary).rejects.toBe(reason)
      },
    )

    it('of a walk leaves the listing on the frontier, so a resumed walk repeats it', async () => {
      server.answers(answer207(listing('/docs/', ...members)))
      const stream = open().walk('docs/', {signal: controller.signal})
      const seen: string[] = []
      const reading = (async () => {
        for await (const {href} of stream) if (seen.push(href) === 50) controller.abort(reason)
      })()
      await expect(reading).rejects.toBe(reason)
      const resume = stream.checkpoint()
      const {successes} = await open().walk('docs/', {resume}).collect()
      expect(successes).toHaveLength(201)
    })

    it('of deleteMany gives the verdicts on all sent requests', async () => {
      server.answers({status: 204})
      const {signal} = controller
      const stream = open().deleteMany(['a', 'b', 'c'], {signal, concurrency: 3})
      await delay(0)
      const seen: string[] = []
      const reading = (async () => {
        for await (const {href} of stream) {
          if (seen.push(href) === 1) controller.abort(reason)
        }
      })()
      await expect(reading).rejects.toBe(reason)
      expect(seen.toSorted()).toEqual(['/a', '/b', '/c'])
    })
  })

  it('during the wait for the credentials rejects with the reason', async () => {
    const auth = (): Promise<string> => new Promise(() => {})
    const dav = new DavClient({url: server.url, transport, auth})
    void delay(20).then(() => controller.abort(reason))
    const {signal} = controller
    await expect(dav.propfind('docs/', {signal}).collect()).rejects.toBe(reason)
    expect(server.requests).toEqual([])
  })

  it('of stat rejects with the reason', async () => {
    abortOnArrival()
    await expect(open().stat('a', {signal: controller.signal})).rejects.toBe(reason)
  })

  it('without a reason rejects with the AbortError of the signal', async () => {
    controller.abort()
    const reading = open().propfind('docs/', {signal: controller.signal}).collect()
    await expect(reading).rejects.toBe(controller.signal.reason)
    await expect(reading).rejects.toMatchObject({name: 'AbortError'})
  })

  it('by AbortSignal.timeout rejects with its TimeoutError', async () => {
    server.answers(NEVER)
    const signal = AbortSignal.timeout(50)
    const reading = open().propfind('docs/', {signal}).collect()
    await expect(reading).rejects.toMatchObject({name: 'TimeoutError'})
    await expect(reading).rejects.toBe(signal.reason)
  })

  it('by the signal of the client ends its calls, with the reason', async () => {
    abortOnArrival()
    const dav = new DavClient({url: server.url, transport, signal: controller.signal})
    await expect(dav.propfind('docs/').collect()).rejects.toBe(reason)
    await expect(dav.delete('docs/')).rejects.toBe(reason)
    expect(server.requests).toHaveLength(1)
  })

  it('by the signal of the client ends a call with a signal of its own', async () => {
    abortOnArrival()
    const dav = new DavClient({url: server.url, transport, signal: controller.signal})
    const {signal} = new AbortController()
    await expect(dav.propfind('docs/', {signal}).collect()).rejects.toBe(reason)
  })

  it('of one call leaves the other calls of the client alone', async () => {
    const dav = open()
    controller.abort(reason)
    const {signal} = controller
    await expect(dav.propfind('docs/', {signal}).collect()).rejects.toBe(reason)
    server.answers(answer207(listing('/docs/')))
    expect((await dav.propfind('docs/').collect()).summary.complete).toBe(true)
  })

  it('after the end changes nothing', async () => {
    server.answers(answer207(listing('/docs/')))
    const stream = open().propfind('docs/', {signal: controller.signal})
    await stream.collect()
    controller.abort(reason)
    expect((await stream.summary).complete).toBe(true)
  })

  it('leaves no listener on the signal of the client after a thousand calls', async () => {
    const warnings: string[] = []
    const note = ({name}: Error): void => void warnings.push(name)
    process.on('warning', note)
    const dav = new DavClient({url: server.url, transport, signal: controller.signal})
    server.answers({status: 204})
    for (let count = 0; count < 10; count++) {
      const names = Array.from({length: 100}, (_item, number) => `${count}-${number}`)
      await dav.deleteMany(names, {signal: new AbortController().signal}).collect()
    }
    await delay(10)
    process.off('warning', note)
    expect(warnings).toEqual([])
  }, 30_000)
})
