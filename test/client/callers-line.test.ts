// States that an error of a call has the line of the call in its stack, once, and names its request. Without that line the
// stack of an answer begins in a socket or a timer. No RFC speaks of stacks.

import {
  DavClient,
  DavError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  type Failure,
  members,
  type ResultStream,
  type Transport,
} from 'multistatus'
import {MultiStatusStream, parseMultiStatus} from 'multistatus/parser'
import {afterEach, describe, expect, it, vi} from 'vitest'

const url = 'https://dav.example/files/'
const MARK = '--- called from ---'

/** Answers from a timer, so that no stack leads back to the call by itself. */
function answering(status: number, body = ''): Transport {
  return () =>
    new Promise((resolve) => {
      const stream = body === '' ? null : new Blob([body]).stream()
      setTimeout(() => resolve({status, headers: new Headers(), body: stream}), 1)
    })
}

const broken: Transport = () =>
  new Promise((_, reject) => {
    setTimeout(() => reject(Object.assign(new Error('read ECONNRESET'), {code: 'ECONNRESET'})), 1)
  })

const failure: Failure = {
  ok: false,
  href: '/other/',
  url: 'https://dav.example/other/',
  relation: 'self',
  status: 503,
  reason: 'status',
  conditions: [],
  missing: [],
  request: {method: 'DELETE', url: 'https://dav.example/other/', depth: 'infinity', attempts: 1},
}

async function thrownBy(reading: Promise<unknown>): Promise<Error> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof Error) return error
  throw new Error('nothing was thrown', {cause: error})
}

async function readOneByOne(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count++
  return count
}

function expectLine(error: Error, caller: string): void {
  const [own = '', calls = '', ...more] = (error.stack ?? '').split(MARK)
  expect(own).toContain(error.message)
  expect(calls).toMatch(new RegExp(`${caller}.*callers-line\\.test\\.ts(?:\\?\\S*)?:\\d+`))
  expect(more).toEqual([])
}

afterEach(() => vi.restoreAllMocks())

describe('an error of a call', () => {
  const dav = new DavClient({url, transport: answering(404)})
  // A function that waits for nothing is in no stack but that of its call.
  const listPhotos = (): ResultStream<unknown> => dav.propfind('photos/')

  it('has at most five lines of the call, and leaves the limit of the program as it is', async () => {
    const limit = Error.stackTraceLimit
    const deep = (depth: number): Promise<unknown> =>
      depth === 0 ? offline.stat('a') : deep(depth - 1)
    const offline = new DavClient({url, transport: broken})
    const error = await thrownBy(deep(20))
    const [, calls = ''] = (error.stack ?? '').split(MARK)
    expect(calls.trim().split('\n')).toHaveLength(5)
    expect(Error.stackTraceLimit).toBe(limit)
  })

  it.each<[string, (stream: ResultStream<unknown>) => Promise<unknown>]>([
    ['for await', readOneByOne],
    ['collect()', (stream) => stream.collect()],
    ['batches()', (stream) => readOneByOne(stream.batches())],
    ['members()', (stream) => readOneByOne(members(stream))],
  ])('from %s of propfind has the line of propfind', async (_, read) => {
    const error = await thrownBy(read(listPhotos()))
    expect(error).toBeInstanceOf(DavHttpError)
    expectLine(error, 'listPhotos')
  })

  it('is the same error in the summary', async () => {
    const stream = listPhotos()
    const error = await thrownBy(stream.collect())
    expect(await thrownBy(stream.summary)).toBe(error)
    expectLine(error, 'listPhotos')
  })

  it('from stat has the line of stat', async () => {
    const client = new DavClient({url, transport: broken})
    const askForPhoto = (): Promise<unknown> => client.stat('photos/1.jpg')
    expectLine(await thrownBy(askForPhoto()), 'askForPhoto')
  })

  it('from a GET that breaks has the line of get, in its content too', async () => {
    const askForPhoto = (): Promise<unknown> => new DavClient({url, transport: broken}).get('a.jpg')
    expectLine(await thrownBy(askForPhoto()), 'askForPhoto')
    const readPhoto = async (): Promise<unknown> => {
      const headers = new Headers({'content-length': '9'})
      const transport: Transport = async () => new Response('short', {headers})
      const photo = await new DavClient({url, transport}).get('a.jpg')
      return photo.ok ? photo.text() : photo
    }
    const error = await thrownBy(readPhoto())
    expect(error).toBeInstanceOf(DavNetworkError)
    expectLine(error, 'readPhoto')
  })

  it('from a DELETE that breaks has the line of delete', async () => {
    const client = new DavClient({url, transport: broken})
    const deletePhotos = (): Promise<unknown> => client.delete('photos/')
    const error = await thrownBy(deletePhotos())
    expect(error).toBeInstanceOf(DavNetworkError)
    expectLine(error, 'deletePhotos')
  })

  it('from targets that throw has the line of deleteMany', async () => {
    const targets = async function* (): AsyncGenerator<string> {
      yield 'a'
      throw await Promise.resolve(new RangeError('no more names'))
    }
    const deleteAll = (): ResultStream => dav.deleteMany(targets())
    const error = await thrownBy(deleteAll().collect())
    expect(error.message).toBe('no more names')
    expectLine(error, 'deleteAll')
  })

  it('from onProgress has the line of deleteMany', async () => {
    const onProgress = (): never => {
      throw new Error('no screen')
    }
    const deleteAll = (): ResultStream => dav.deleteMany(['a'], {onProgress})
    expectLine(await thrownBy(deleteAll().collect()), 'deleteAll')
  })

  it('from a failure that the guards refuse has the line of retry', async () => {
    const retryAll = (): ResultStream => dav.retry([failure])
    const error = await thrownBy(retryAll().collect())
    expect(error).toBeInstanceOf(TypeError)
    expectLine(error, 'retryAll')
  })

  it('from a time limit has the line of the call', async () => {
    const silent: Transport = () => new Promise(() => {})
    const client = new DavClient({url, transport: silent, timeout: 5})
    const listSilent = (): ResultStream<unknown> => client.propfind('')
    const error = await thrownBy(listSilent().collect())
    expect(error).toBeInstanceOf(DavTimeoutError)
    expectLine(error, 'listSilent')
  })

  it('has the line of its own call, once, if it crosses another one', async () => {
    const deletion = dav.deleteMany(members(listPhotos()))
    const error = await thrownBy(deletion.collect())
    expect(error).toBeInstanceOf(DavHttpError)
    expectLine(error, 'listPhotos')
  })

  it('from the parser has the line of parseMultiStatus', async () => {
    const body = new Blob(['<multistatus xmlns="DAV:"><response>']).stream()
    const readBody = (): ResultStream<unknown> => parseMultiStatus(body, {url})
    const error = await thrownBy(readBody().collect())
    expect(error).toMatchObject({name: 'MultiStatusError', method: 'PROPFIND', url})
    expectLine(error, 'readBody')
  })

  it('from a MultiStatusStream has the line that made it', async () => {
    const makeStream = (): MultiStatusStream => new MultiStatusStream({url})
    const results = new Blob(['<multistatus']).stream().pipeThrough(makeStream())
    expectLine(await thrownBy(readOneByOne(results)), 'makeStream')
  })

  it('has the line on a platform without Error.captureStackTrace', async () => {
    vi.spyOn(Reflect, 'get').mockImplementation(() => undefined)
    const stream = listPhotos()
    vi.restoreAllMocks()
    expectLine(await thrownBy(stream.collect()), 'listPhotos')
  })

  it('is left as it is if it cannot be changed, or is no error', async () => {
    const frozen = Object.freeze(new Error('frozen'))
    for (const reason of [frozen, 'a string', undefined, 7]) {
      const targets = async function* (): AsyncGenerator<string> {
        yield 'a'
        throw await Promise.resolve(reason)
      }
      const caught: unknown[] = []
      await dav
        .deleteMany(targets())
        .collect()
        .catch((error: unknown) => caught.push(error))
      expect(caught).toEqual([reason])
      expect(caught[0]).toBe(reason)
    }
  })

  it('leaves the reason of a signal unchanged: many calls may share it', async () => {
    const stop = new AbortController()
    const reason = new Error('stopped')
    const {stack} = reason
    stop.abort(reason)
    const {signal} = stop
    const calls = [dav.propfind('a', {signal}).collect(), dav.delete('a', {signal})]
    for (const call of calls) expect(await thrownBy(call)).toBe(reason)
    expect(reason.stack).toBe(stack)
  })
})

describe('an error', () => {
  const html = '<html><body>Log in</body></html>'

  it.each<[string, Transport, object]>([
    ['a refusal', answering(503), {name: 'DavHttpError'}],
    ['a broken connection', broken, {name: 'DavNetworkError'}],
    ['silence', () => new Promise(() => {}), {name: 'DavTimeoutError', timeout: 'headers'}],
    ['a page', answering(200, html), {name: 'MultiStatusError', reason: 'not-multistatus'}],
    ['a body that ends early', answering(207, '<multistatus'), {reason: 'truncated'}],
  ])('has the request in its fields: %s', async (_, transport, facts) => {
    const dav = new DavClient({url, transport, timeout: 20})
    const error = await thrownBy(dav.propfind('a/').collect())
    expect(error).toBeInstanceOf(DavError)
    expect(error).toMatchObject({...facts, method: 'PROPFIND', url: `${url}a/`})
  })

  it('names the DELETE', async () => {
    const dav = new DavClient({url, transport: broken})
    const error = await thrownBy(dav.delete('a/'))
    expect(error).toMatchObject({method: 'DELETE', url: `${url}a/`})
  })

  it('has neither a method nor a url if no request is known', () => {
    const error = new DavError('nothing')
    expect([error.method, error.url]).toEqual([undefined, undefined])
    expect('cause' in error).toBe(false)
  })

  it('never has the credentials of a URL', async () => {
    const given = 'https://ana:hidden-secret@dav.example/files/'
    const error = await thrownBy(parseMultiStatus('', {url: given}).collect())
    expect(error).toMatchObject({name: 'MultiStatusError', url})
    expect(error.message).not.toContain('hidden-secret')
  })
})
