// States that a range is given byte for byte, or not at all: a server may ignore it, shorten it, or answer with another one. RFC
// 9110, sections 14 and 15.3.7.

import {DavClient, DavError, type Download, type Failure} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type Answer, type FaultServer, NEVER, startFaultServer} from '../support/fault-server.ts'
import {refusalOf} from '../support/results.ts'

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

/** A 206 with a Content-Range. */
function partial(range: string, body: string, headers: Answer['headers'] = {}): Answer {
  return {status: 206, headers: {'content-range': range, ...headers}, body}
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_, makeTransport) => {
  const open = (): DavClient =>
    new DavClient({url: `${server.url}files/`, transport: makeTransport()})

  it.each([
    [{start: 0, end: 0}, 'bytes=0-0'],
    [{start: 2, end: 4}, 'bytes=2-4'],
    [{start: 7}, 'bytes=7-'],
    [{start: 7, end: undefined}, 'bytes=7-'],
  ])('%o is asked for as %s, without a content coding', async (range, header) => {
    server.answers({status: 416})
    await open().get('a', {range})
    // The platform's fetch adds another `identity` to each range.
    expect(server.requests[0]?.headers).toMatchObject({
      range: header,
      'accept-encoding': expect.stringMatching(/^identity(?:, identity)?$/),
    })
  })

  it('is answered 206 with its bytes', async () => {
    server.answers(partial('bytes 2-4/10', '234', {etag: '"1"', 'content-length': '3'}))
    const download = found(await open().get('a', {range: {start: 2, end: 4}}))
    expect(download).toMatchObject({
      status: 206,
      length: 3,
      range: {start: 2, end: 4, total: 10},
      etag: '"1"',
    })
    expect(await download.text()).toBe('234')
  })

  it.each([
    ['no end', {start: 7}, 'bytes 7-9/10', {start: 7, end: 9, total: 10}],
    [
      'an end behind the last byte',
      {start: 7, end: 99},
      'bytes 7-9/10',
      {start: 7, end: 9, total: 10},
    ],
    ['an unknown total', {start: 7, end: 9}, 'bytes 7-9/*', {start: 7, end: 9}],
    [
      'fewer bytes than asked for',
      {start: 7, end: 12},
      'bytes 7-9/20',
      {start: 7, end: 9, total: 20},
    ],
  ])('tells the range that came: %s', async (_case, range, header, told) => {
    server.answers(partial(header, '789'))
    const download = found(await open().get('a', {range}))
    expect([download.range, download.length, await download.text()]).toEqual([told, 3, '789'])
  })

  it.each<[string, Answer]>([
    ['no Content-Range', {status: 206, body: '234'}],
    ['no unit', partial('2-4/10', '234')],
    ['another unit', partial('lines 2-4/10', '234')],
    ['an end below the start', partial('bytes 4-2/10', '234')],
    ['an end behind the total', partial('bytes 2-4/4', '234')],
    ['another start', partial('bytes 0-2/10', '012')],
    ['another Content-Length', partial('bytes 2-4/10', '23', {'content-length': '2'})],
    [
      'several ranges',
      {
        status: 206,
        headers: {'content-type': 'multipart/byteranges; boundary=x'},
        body: '--x\r\ncontent-range: bytes 2-4/10\r\n\r\n234\r\n--x--',
      },
    ],
    ['a 200 of a part', {status: 200, headers: {'content-range': 'bytes 2-4/10'}, body: '234'}],
    [
      'a 200 of a part, without a unit',
      {status: 200, headers: {'content-range': '2-4/10'}, body: '234'},
    ],
  ])('is a Failure for a wrong answer: %s', async (_case, answer) => {
    server.answers(answer)
    const result = await open().get('a', {range: {start: 2, end: 4}})
    expect(result).toMatchObject({ok: false, status: answer.status, reason: 'malformed'})
  })

  it('is cut out of a longer one, as SabreDAV 1.8 gives for bytes=0-0', async () => {
    server.answers(partial('bytes 0-9/10', '0123456789', {'content-length': '10'}))
    const download = found(await open().get('a', {range: {start: 0, end: 0}}))
    expect([download.length, download.range]).toEqual([1, {start: 0, end: 0, total: 10}])
    expect(await download.text()).toBe('0')
  })

  it.each<[string, NonNullable<Answer['headers']>]>([
    ['with another length', {'content-range': 'bytes 0-9/10', 'content-length': '4'}],
    ['of a part', {'content-range': 'bytes 0-3/10', 'content-length': '4'}],
  ])('is a Failure in a 200 %s', async (_case, headers) => {
    server.answers({status: 200, headers, body: '0123'})
    expect(await open().get('a')).toMatchObject({ok: false, status: 200, reason: 'malformed'})
  })

  it('of a whole 200 counts as its length', async () => {
    server.answers({status: 200, headers: {'content-range': 'bytes 0-9/10'}, body: '0123'})
    const download = found(await open().get('a'))
    expect(download.length).toBe(10)
    await expect(download.bytes()).rejects.toThrow(DavError)
  })

  it('is a Failure where none was asked for', async () => {
    server.answers(partial('bytes 0-2/10', '012'))
    expect(await open().get('a')).toMatchObject({ok: false, status: 206, reason: 'malformed'})
  })

  it('throws when a 206 ends before its Content-Range', async () => {
    server.answers(partial('bytes 2-4/10', '23'))
    const download = found(await open().get('a', {range: {start: 2, end: 4}}))
    await expect(download.text()).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  it('throws when a 206 has more bytes than its Content-Range', async () => {
    server.answers(partial('bytes 2-4/10', '234567'))
    const download = found(await open().get('a', {range: {start: 2, end: 4}}))
    await expect(download.text()).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  describe('of a server that ignores it', () => {
    it.each([
      [{start: 0, end: 2}, '012', 3],
      [{start: 2, end: 4}, '234', 3],
      [{start: 4, end: 4}, '4', 1],
      [{start: 7, end: 99}, '789', 3],
      [{start: 3}, '3456789', 7],
    ])('%o is cut out of the whole', async (range, text, length) => {
      server.answers({
        status: 200,
        headers: {'content-length': '10'},
        body: ['01', 5, '2345', 5, '6789'],
      })
      const download = found(await open().get('a', {range}))
      expect(download).toMatchObject({
        status: 200,
        length,
        range: {start: range.start, end: range.start + length - 1, total: 10},
      })
      expect(await download.text()).toBe(text)
    })

    it('is cut out of a whole without a length', async () => {
      server.answers({status: 200, body: ['01', 5, '2345', 5, '6789']})
      const dav = open()
      const middle = found(await dav.get('a', {range: {start: 3, end: 6}}))
      expect([middle.length, middle.range, await middle.text()]).toEqual([
        undefined,
        {start: 3},
        '3456',
      ])
      expect(await found(await dav.get('a', {range: {start: 8, end: 20}})).text()).toBe('89')
    })

    it('frees the connection behind the last byte', async () => {
      server.answers({status: 200, headers: {'content-length': '10'}, body: ['0123', NEVER]})
      const download = found(await open().get('a', {range: {start: 1, end: 2}}))
      expect(await download.text()).toBe('12')
      expect(await server.requests[0]?.ended).toBe('closed')
    })

    it('is a Failure 416 behind the end of the whole', async () => {
      server.answers({status: 200, headers: {'content-length': '10'}, body: '0123456789'})
      const result = await open().get('a', {range: {start: 10}})
      expect(result).toMatchObject({ok: false, status: 416, reason: 'status'})
    })

    it('throws behind the end of a whole without a length', async () => {
      server.answers({status: 200, body: ['01', 5, '23456789']})
      const download = found(await open().get('a', {range: {start: 11}}))
      await expect(download.text()).rejects.toMatchObject({name: 'DavNetworkError'})
    })
  })

  it('is a Failure 416 of the server', async () => {
    server.answers({status: 416, headers: {'content-range': 'bytes */10'}})
    const result = await open().get('a', {range: {start: 10}})
    expect(result).toMatchObject({ok: false, status: 416, reason: 'status'})
  })
})

describe('a range that is none', () => {
  const dav = (): DavClient => new DavClient({url: server.url})

  it.each([
    {},
    {start: -1},
    {start: 1.5},
    {start: Number.NaN},
    {start: Number.POSITIVE_INFINITY},
    {start: 2 ** 53},
    {start: 5, end: 4},
    {start: 0, end: Number.POSITIVE_INFINITY},
  ])('is a RangeError: %o', async (range) => {
    const call = dav().get('a', {range: range as {start: number}})
    expect(await refusalOf(() => call)).toBeInstanceOf(RangeError)
    expect(server.requests).toHaveLength(0)
  })

  it.each([[{start: '1'}], [{start: 1, length: 2}], [[1, 2]], ['0-1'], [null]])(
    'is a TypeError: %j',
    async (range) => {
      expect(await refusalOf(() => dav().get('a', {range: range as never}))).toBeInstanceOf(
        TypeError,
      )
      expect(server.requests).toHaveLength(0)
    },
  )
})
