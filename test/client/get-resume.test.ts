// States that a break in the content is resumed by If-Range with a strong ETag, and that bytes of two states of a resource are
// never joined. RFC 9110, sections 8.8.1, 13.1.5 and 14.

import {DavClient, type Download, type Failure, type GetOptions} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  CLOSE,
  type FaultServer,
  NEVER,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

function found(result: Download | Failure): Download {
  if (!result.ok) throw new Error(`${result.status} ${result.reason} ${result.description}`)
  return result
}

const soon = {attempts: 3, minDelay: 1, maxDelay: 2}

/** The ten bytes, broken off behind some of them. */
function broken(text: string, headers: Answer['headers'] = {}): Answer {
  const own = {'content-length': '10', etag: '"1"', ...headers}
  return {status: 200, headers: own, body: [text, 20, RESET]}
}

/** The bytes from a place on. */
function rest(start: number, headers: Answer['headers'] = {}): Answer {
  const range = `bytes ${start}-9/10`
  const body = '0123456789'.slice(start)
  return {status: 206, headers: {etag: '"1"', 'content-range': range, ...headers}, body}
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_, makeTransport) => {
  const read = async (options: GetOptions = {}): Promise<string> => {
    const dav = new DavClient({
      url: `${server.url}files/`,
      transport: makeTransport(),
      timeout: {idle: 200},
    })
    return found(await dav.get('a', {resume: true, retry: soon, ...options})).text()
  }
  const ranges = (): unknown[] =>
    server.requests.map(({headers}) => [headers.range, headers['if-range']])

  it.each([
    ['a reset', RESET],
    ['a close', CLOSE],
    ['a silence', NEVER],
  ] as const)('asks for the rest after %s, if it is of the same ETag', async (_case, end) => {
    server.answers({...broken(''), body: ['0123', 20, end]}, rest(4))
    expect(await read()).toBe('0123456789')
    expect(ranges()).toEqual([
      [undefined, undefined],
      ['bytes=4-9', '"1"'],
    ])
    expect(server.requests[1]?.headers['accept-encoding']).toMatch(/^identity/)
  })

  it('asks without an end for a resource of unknown length', async () => {
    server.answers({status: 200, headers: {etag: '"1"'}, body: ['0123', 20, RESET]}, rest(3))
    expect(await read()).toBe('0123456789')
    expect(ranges()[1]).toEqual(['bytes=3-', '"1"'])
  })

  it('finds the end of a resource of unknown length behind its last byte', async () => {
    const whole: Answer = {status: 200, headers: {etag: '"1"'}, body: ['0123456789', 20, CLOSE]}
    server.answers(whole, rest(9))
    expect(await read()).toBe('0123456789')
    expect(ranges()[1]).toEqual(['bytes=9-', '"1"'])
  })

  it('counts the attempts from the last byte on', async () => {
    const parts = [1, 2, 3, 4, 5, 6].map<Answer>((start) => ({
      ...rest(start),
      body: [String(start), 20, RESET],
    }))
    server.answers(broken('0'), RESET, ...parts, {status: 503}, rest(7))
    expect(await read()).toBe('0123456789')
    expect(server.requests).toHaveLength(10)
  })

  it('ends with the last error when the attempts are spent', async () => {
    server.answers(broken('0123'), RESET)
    await expect(read()).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.requests).toHaveLength(3)
  })

  it('has its own attempts without a policy, and none before the content', async () => {
    server.answers(broken('0123'), rest(4))
    expect(await read({retry: undefined})).toBe('0123456789')
    server.answers(RESET)
    await expect(read({retry: undefined})).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.requests).toHaveLength(3)
  })

  it('goes on with a range', async () => {
    server.answers(
      {
        status: 206,
        headers: {etag: '"1"', 'content-range': 'bytes 2-7/10'},
        body: ['234', 20, RESET],
      },
      {status: 206, headers: {etag: '"1"', 'content-range': 'bytes 5-7/10'}, body: '567'},
    )
    expect(await read({range: {start: 2, end: 7}})).toBe('234567')
    expect(ranges()).toEqual([
      ['bytes=2-7', undefined],
      ['bytes=5-7', '"1"'],
    ])
  })

  it('goes on where a shorter range ended', async () => {
    server.answers(
      broken('012'),
      {status: 206, headers: {etag: '"1"', 'content-range': 'bytes 3-5/10'}, body: '345'},
      rest(6),
    )
    expect(await read()).toBe('0123456789')
    expect(ranges()[2]).toEqual(['bytes=6-9', '"1"'])
  })

  it('goes on where the server sent less than the range', async () => {
    const part = {status: 206, headers: {etag: '"1"', 'content-range': 'bytes 2-4/10'}, body: '234'}
    server.answers(part, rest(5))
    expect(await read({range: {start: 2}})).toBe('23456789')
    expect(ranges()).toEqual([
      ['bytes=2-', undefined],
      ['bytes=5-9', '"1"'],
    ])
  })

  it('throws where the server sent less than the range, without a strong ETag', async () => {
    const part = {status: 206, headers: {'content-range': 'bytes 2-4/10'}, body: '234'}
    server.answers(part)
    await expect(read({range: {start: 2}})).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: `GET ${server.url}files/a was not answered whole: it ended 5 bytes too early`,
    })
  })

  it('skips the bytes before the break when the server sends all again with the same ETag', async () => {
    const whole = {...broken(''), body: ['012', 5, '3456789']}
    server.answers(broken('01234'), whole)
    expect(await read()).toBe('0123456789')
  })

  it('takes a break behind the last byte for the end', async () => {
    server.answers(broken('0123456789'))
    expect(await read()).toBe('0123456789')
    expect(server.requests).toHaveLength(1)
  })

  it.each<[string, Answer]>([
    ['the whole with another ETag', {status: 200, headers: {etag: '"2"'}, body: 'abcdefghij'}],
    ['the whole without an ETag', {status: 200, body: '0123456789'}],
    ['a part with another ETag', rest(4, {etag: '"2"'})],
    ['a part with the same ETag, but weak', rest(4, {etag: 'W/"1"'})],
    ['a part of another length', rest(4, {'content-range': 'bytes 4-9/11'})],
    ['416', {status: 416, headers: {'content-range': 'bytes */2'}}],
  ])('throws when the resource has changed: %s', async (_case, answer) => {
    server.answers(broken('0123'), answer)
    await expect(read()).rejects.toMatchObject({
      name: 'DavError',
      message: `GET ${server.url}files/a broke at byte 4, and the resource has changed since`,
    })
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, Answer]>([
    ['no ETag', rest(4, {etag: []})],
    ['another start', rest(3)],
    ['no Content-Range', {status: 206, headers: {etag: '"1"'}, body: '456789'}],
    ['an end behind the last byte', rest(4, {'content-range': 'bytes 4-10/11'})],
    ['a Content-Length of another length', rest(4, {'content-length': '5'})],
  ])('throws for a part that may be wrong: %s', async (_case, answer) => {
    server.answers(broken('0123'), answer)
    await expect(read()).rejects.toMatchObject({name: 'DavError', method: 'GET'})
    expect(server.requests).toHaveLength(2)
  })

  it('throws for a part that leaves the length of the resource unknown', async () => {
    server.answers(
      {status: 200, headers: {etag: '"1"'}, body: ['0123', 20, RESET]},
      rest(4, {'content-range': 'bytes 4-9/*'}),
    )
    await expect(read()).rejects.toMatchObject({name: 'DavError'})
  })

  it('throws a DavHttpError for a refusal that lasts', async () => {
    server.answers(broken('0123'), {status: 404})
    await expect(read()).rejects.toMatchObject({name: 'DavHttpError', status: 404})
    expect(server.requests).toHaveLength(2)
  })

  it.each(['W/"1"', undefined])('throws after the first byte with the ETag %s', async (etag) => {
    server.answers(broken('0123', {etag: etag ?? []}), rest(4))
    await expect(read()).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.requests).toHaveLength(1)
  })

  it('begins again without a strong ETag before the first byte, if nothing else has changed', async () => {
    const facts = {etag: 'W/"1"', 'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT'}
    const unread = {...broken('', facts), body: [20, RESET]} as const
    server.answers(unread, {...unread, body: '0123456789'})
    expect(await read()).toBe('0123456789')
    expect(ranges()[1]).toEqual([undefined, undefined])
    const later = {...facts, 'last-modified': 'Sun, 06 Nov 1994 08:49:38 GMT'}
    server.answers(unread, {...broken('', later), body: '0123456789'})
    await expect(read()).rejects.toThrow('the resource has changed since')
  })

  it('is not the default', async () => {
    server.answers(broken('0123'), rest(4))
    await expect(read({resume: false})).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(server.requests).toHaveLength(1)
  })

  it('ends its wait with the signal, and with the reader', async () => {
    const retry = {attempts: 3, minDelay: 60_000, maxDelay: 60_000}
    const reason = new Error('enough')
    const controller = new AbortController()
    server.answers(broken('0123'))
    setTimeout(() => controller.abort(reason), 100)
    await expect(read({retry, signal: controller.signal})).rejects.toBe(reason)
    const dav = new DavClient({url: `${server.url}files/`, transport: makeTransport()})
    const reader = found(await dav.get('a', {resume: true, retry})).body.getReader()
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toBe('0123')
    const waiting = reader.read()
    setTimeout(() => void reader.cancel(), 100)
    expect(await waiting).toEqual({value: undefined, done: true})
  })

  it('is no break when the reader goes away', async () => {
    const events: unknown[] = []
    const note = (event: unknown): void => void events.push(event)
    server.answers({...broken(''), body: ['0123', NEVER]})
    const dav = new DavClient({url: `${server.url}files/`, transport: makeTransport()})
    const options = {resume: true, retry: {...soon, onRetry: note}}
    const content = found(await dav.get('a', options)).body[Symbol.asyncIterator]()
    await content.next()
    const waiting = content.next()
    setTimeout(() => void content.return?.(), 50)
    expect(await waiting).toEqual({value: undefined, done: true})
    expect(events).toEqual([])
  })

  it('tells onRetry of each attempt, and onProgress of all bytes', async () => {
    server.answers(broken('0123'), rest(4))
    const attempts: unknown[] = []
    const seen: unknown[] = []
    const onRetry = ({failure, attempt}: {failure: Failure; attempt: number}): void => {
      attempts.push([attempt, failure.reason, failure.cause])
    }
    const onProgress = (progress: unknown): void => {
      seen.push(progress)
    }
    expect(await read({retry: {...soon, onRetry}, onProgress})).toBe('0123456789')
    expect(attempts).toEqual([[2, 'no-answer', 'network']])
    expect(seen.at(-1)).toEqual({bytes: 10, total: 10})
  })
})
