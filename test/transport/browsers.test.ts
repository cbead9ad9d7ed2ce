// States that the fetch transport obeys the rules of browsers and workerd: few connections, answers without a body that have one,
// errors without a reason. Models stand for the platforms. Fetch standard, section "CORS protocol"; RFC 9112, section 9.4.

import {DavClient, type DavResult} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {afterEach, describe, expect, it, vi} from 'vitest'

import {listed, OPEN} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'
import {failureOf, type Model, modelFetch} from '../support/model-fetch.ts'

vi.setConfig({testTimeout: 5000})

const url = 'https://dav.example/'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** Makes the platform a browser with a page of an origin: requests lose some of their headers. */
function becomeBrowser(origin: string): void {
  const Platform = Request
  class BrowserRequest extends Platform {
    constructor(input: string, init: RequestInit = {}) {
      super(input, init)
      for (const name of ['host', 'accept-encoding']) this.headers.delete(name)
    }
  }
  vi.stubGlobal('Request', BrowserRequest)
  vi.stubGlobal('origin', origin)
}

function clientOf(model: Model, connections: number, timeout = 60_000): DavClient {
  const transport = fetchTransport({fetch: model.fetch, connections})
  return new DavClient({url, transport, concurrency: 8, timeout})
}

/** Lets all promises settle that wait for nothing else. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

describe('connections', () => {
  it('are 6 in a browser, and without limit under Node', () => {
    expect(fetchTransport().connections).toBeUndefined()
    becomeBrowser('https://page.example')
    expect(fetchTransport().connections).toBe(6)
    expect(fetchTransport({connections: 100}).connections).toBe(100)
    expect(fetchTransport({connections: Number.POSITIVE_INFINITY}).connections).toBeUndefined()
  })

  it.each([0, -1, 1.5, Number.NaN])('cannot be %d', (connections) => {
    expect(() => fetchTransport({connections})).toThrow(
      new RangeError('fetchTransport: connections is a whole number above zero, or Infinity'),
    )
  })

  it('are shared by the calls of a client, first come, first served', async () => {
    const model = modelFetch()
    const dav = clientOf(model, 2)
    const many = dav.deleteMany(['a', 'b', 'c']).collect()
    await settle()
    const one = dav.delete('d')
    await settle()
    expect(model.sent()).toEqual(['DELETE /a', 'DELETE /b'])
    model.answer('/b', new Response(null, {status: 204}))
    await settle()
    expect(model.sent()).toEqual(['DELETE /a', 'DELETE /b', 'DELETE /c'])
    model.answer('/a', new Response(null, {status: 423}))
    await settle()
    expect(model.sent()).toEqual(['DELETE /a', 'DELETE /b', 'DELETE /c', 'DELETE /d'])
    model.answer('/c', new Response(null, {status: 204}))
    model.answer('/d', new Response(null, {status: 204}))
    expect((await many).failures.map(({href}) => href)).toEqual(['/a'])
    expect(await one).toMatchObject({ok: true, status: 204})
  })

  it('begin the time limit of a request when it is sent', async () => {
    vi.useFakeTimers()
    const model = modelFetch({delay: 500, answer: () => new Response(null, {status: 204})})
    const targets = Array.from({length: 60}, (_, number) => `${number}`)
    const dav = new DavClient({
      url,
      transport: fetchTransport({fetch: model.fetch, connections: 6}),
      timeout: {headers: 2000},
    })
    const deleting = dav.deleteMany(targets, {concurrency: 60}).collect()
    await vi.advanceTimersByTimeAsync(5000)
    const {successes, failures} = await deleting
    expect([successes.length, failures.length]).toEqual([60, 0])
    expect(model.mostAtOnce()).toBe(6)
  })

  it('leave a request unsent whose call is aborted before its turn', async () => {
    const model = modelFetch()
    const dav = clientOf(model, 1)
    const first = dav.delete('a')
    const {signal, abort} = abortable()
    const second = dav.delete('b', {signal})
    const third = dav.delete('c')
    await settle()
    abort('enough')
    await expect(second).rejects.toBe('enough')
    model.answer('/a', new Response(null, {status: 204}))
    await settle()
    model.answer('/c', new Response(null, {status: 204}))
    expect(await Promise.all([first, third])).toMatchObject([{status: 204}, {status: 204}])
    expect(model.sent()).toEqual(['DELETE /a', 'DELETE /c'])
  })

  it('make a target of an aborted bulk call not-sent before its turn', async () => {
    const model = modelFetch()
    const dav = clientOf(model, 1)
    const {signal, abort} = abortable()
    const seen: DavResult[] = []
    const reading = (async () => {
      for await (const result of dav.deleteMany(['a', 'b'], {signal})) seen.push(result)
    })()
    await settle()
    abort('enough')
    model.answer('/a', new Response(null, {status: 204}))
    await expect(reading).rejects.toBe('enough')
    expect(seen.map(failureOf)).toEqual(['/b no-answer not-sent', '/a 204'])
    expect(model.sent()).toEqual(['DELETE /a'])
  })

  it('belong to a body while it is read', async () => {
    const model = modelFetch()
    const dav = clientOf(model, 1)
    const getting = dav.get('a')
    await settle()
    const body = new TransformStream<Uint8Array, Uint8Array>()
    const writer = body.writable.getWriter()
    model.answer('/a', new Response(body.readable, {status: 200}))
    const content = await getting
    if (!content.ok) throw new Error('It was not read')
    const reading = content.text()
    const deleting = dav.delete('b')
    void writer.write(bytes('x'))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(model.sent()).toEqual(['GET /a'])
    void writer.close()
    expect(await reading).toBe('x')
    await settle()
    model.answer('/b', new Response(null, {status: 204}))
    expect(await deleting).toMatchObject({status: 204})
  })

  it('become free behind a body that nobody reads: a listing deletes its own members', async () => {
    const model = modelFetch({
      answer: ({method}) =>
        method === 'DELETE'
          ? new Response(null, {status: 204})
          : new Response(
              new ReadableStream(
                {
                  start(controller) {
                    controller.enqueue(bytes(OPEN + listed('/') + listed('/a')))
                  },
                  pull(controller) {
                    controller.enqueue(bytes(`${listed('/b')}</D:multistatus>`))
                    controller.close()
                  },
                },
                {highWaterMark: 0},
              ),
              {status: 207},
            ),
    })
    const dav = clientOf(model, 1)
    const statuses: number[] = []
    for await (const {relation, url: member} of dav.propfind('', {depth: 1}))
      if (relation === 'member') statuses.push((await dav.delete(member)).status)
    expect(statuses).toEqual([204, 204])
    expect(model.sent()).toEqual(['PROPFIND /', 'DELETE /a', 'DELETE /b'])
  })

  it('are not needed by an upload whose source sends requests itself', async () => {
    const model = modelFetch({
      answer: async ({body}) => new Response(body === null ? 'content' : await text(body)),
    })
    const dav = clientOf(model, 1)
    async function* source(): AsyncGenerator<Uint8Array> {
      const content = await dav.get('a')
      if (content.ok) yield* content.body
    }
    const {body} = await dav.request('PUT', 'b', {body: source()})
    expect(await text(body)).toBe('content')
    expect(model.sent()).toEqual(['PUT /b', 'GET /a'])
  })
})

describe('cache', () => {
  it('is no-store', async () => {
    const model = modelFetch({answer: () => new Response(null, {status: 204})})
    await clientOf(model, 6).delete('a')
    expect(model.inits()[0]).toMatchObject({cache: 'no-store', redirect: 'manual'})
  })

  it('is left out on workerd with an early compatibility date, which throws for it', async () => {
    vi.stubGlobal('Request', {prototype: {}})
    const model = modelFetch({answer: () => new Response(null, {status: 204})})
    await clientOf(model, 6).delete('a')
    expect(model.inits()[0]).not.toHaveProperty('cache')
  })
})

describe('an answer without content', () => {
  it.each([204, 205, 200, 201])('may have a body: %d', async (status) => {
    const empty = {status, headers: new Headers(), body: new Blob([]).stream()}
    const dav = new DavClient({url, transport: async () => empty})
    expect(await dav.delete('a')).toMatchObject({ok: true, status})
  })
})

describe('an AbortError that is not of the caller', () => {
  const aborted = new DOMException('The operation was aborted.', 'AbortError')

  it('of a request is a DavNetworkError', async () => {
    const model = modelFetch({answer: () => Promise.reject(aborted)})
    await expect(clientOf(model, 6).stat('a')).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: `PROPFIND ${url}a failed: The operation was aborted.`,
    })
  })

  it('of a body, as Firefox gives that of a service worker, is a DavNetworkError', async () => {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes(OPEN)),
      pull: (controller) => controller.error(aborted),
    })
    const model = modelFetch({answer: () => new Response(body, {status: 207})})
    await expect(clientOf(model, 6).propfind('').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
    })
  })
})

describe('the error of a browser', () => {
  const failed = new TypeError('NetworkError when attempting to fetch resource.')
  const open = (options = {}): DavClient =>
    new DavClient({
      url,
      auth: () => 'Basic eDp5',
      transport: fetchTransport({fetch: async () => Promise.reject(failed), ...options}),
    })
  const exposed =
    'expose Allow, Authentication-Info, Content-Range, DAV, Date, ETag, Link, Location, Lock-Token, Retry-After, Server, WWW-Authenticate'

  it('names what a server of another origin must allow', async () => {
    becomeBrowser('https://page.example')
    await expect(open().propfind('').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: `PROPFIND ${url} failed: NetworkError when attempting to fetch resource; if the server can be reached, it must answer OPTIONS without a login, and allow by name the origin https://page.example, the method PROPFIND, the headers authorization, depth, content-type, and ${exposed}`,
    })
  })

  it('names credentials', async () => {
    becomeBrowser('https://page.example')
    const deleting = open({credentials: 'include'}).delete('a', {retry: 1})
    await expect(deleting).rejects.toMatchObject({
      message: expect.stringContaining(
        'allow by name the origin https://page.example with credentials, the method DELETE, the headers authorization, depth, and expose',
      ),
    })
  })

  it('names the origin alone for a request that needs no OPTIONS', async () => {
    becomeBrowser('null')
    const transport = fetchTransport({fetch: async () => Promise.reject(failed)})
    await expect(new DavClient({url, transport}).get('a')).rejects.toMatchObject({
      message: `GET ${url}a failed: NetworkError when attempting to fetch resource; if the server can be reached, it must allow by name the origin null, and ${exposed}`,
    })
  })

  it('names the type of a Blob', async () => {
    becomeBrowser('https://page.example')
    const body = new Blob(['{}'], {type: 'application/json'})
    await expect(open().put('a', body)).rejects.toMatchObject({
      message: expect.stringContaining('the headers authorization, content-type, and expose'),
    })
  })

  it('says that a stream needs HTTP/2', async () => {
    becomeBrowser('https://dav.example')
    const body = new Blob(['x']).stream()
    await expect(open().put('a', body, {unknownLength: 'send'})).rejects.toMatchObject({
      message: `PUT ${url}a failed: NetworkError when attempting to fetch resource; the browser sends a stream over HTTP/2 only, and a Blob always`,
    })
  })

  it.each([
    ['to the own origin', () => becomeBrowser('https://dav.example')],
    ['under Node', () => {}],
  ])('stays as it is %s', async (_, become) => {
    become()
    await expect(open().propfind('').collect()).rejects.toMatchObject({
      message: `PROPFIND ${url} failed: NetworkError when attempting to fetch resource.`,
      cause: failed,
    })
  })
})

function abortable(): {readonly signal: AbortSignal; readonly abort: (reason: string) => void} {
  const controller = new AbortController()
  return {signal: controller.signal, abort: (reason) => controller.abort(reason)}
}

async function text(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder()
  let all = ''
  for await (const chunk of body ?? []) all += decoder.decode(chunk, {stream: true})
  return all
}
