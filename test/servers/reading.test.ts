/**
 * GET from real servers, compared with their disks: whole resources, ranges, conditions, and content that breaks. A break is
 * resumed by a strong ETag, and is an error without one. A collection is refused, however the server answers for it.
 */
import {createHash, randomBytes} from 'node:crypto'
import {utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {DavClient, encodePath, type Download, type Failure, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {servers} from './servers.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection, makeNastyCollection, nastyNames} from './support/trees.ts'
import {transports} from './support/transports.ts'

const content = randomBytes(1_000_000)

/** Writes `a.bin` with a date in the past: Apache has weak ETags for files of the last second. */
async function makeFile(server: Server, collection: string): Promise<void> {
  const path = join(await makeCollection(server, collection, []), 'a.bin')
  await writeFile(path, content)
  await utimes(path, 0, Date.UTC(2001, 1, 3, 4, 5, 6) / 1000)
}

function found(result: Download | Failure): Download {
  if (!result.ok) throw new Error(`${result.status} ${result.reason} ${result.description}`)
  return result
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Breaks the body of each answer behind some bytes, until the breaks are used up. */
function breaking(transport: Transport, breaks: number[]): Transport {
  return async (request) => {
    const response = await transport(request)
    const {body} = response
    const most = breaks.shift()
    if (body === null || most === undefined) return response
    async function* send(): AsyncGenerator<Uint8Array> {
      let left = most ?? 0
      for await (const chunk of body ?? []) {
        const piece = chunk.subarray(0, left)
        if (piece.length > 0) yield piece
        left -= piece.length
        if (left === 0) throw new Error('broken by the test')
      }
    }
    return {...response, body: {[Symbol.asyncIterator]: send}}
  }
}

describeServers(servers, (server) => {
  it.for(transports)('gives the bytes on the disk, over %s', async ([name, transport]) => {
    const collection = `get-${name}`
    await makeFile(server, collection)
    const dav = new DavClient({url: server.url(collection), transport: transport()})

    const download = found(await dav.get('a.bin'))
    expect(download).toMatchObject({status: 200, length: 1_000_000, relation: 'self'})
    expect(digestOf(await download.bytes())).toBe(digestOf(content))
    expect(await dav.get('none.bin')).toMatchObject({ok: false, status: 404})
  })

  it.for(transports)('gives every range, over %s', async ([name, transport]) => {
    const collection = `range-${name}`
    await makeFile(server, collection)
    const dav = new DavClient({url: server.url(collection), transport: transport()})
    for (const [start, end, last] of [
      [0, 0, 0],
      [10, 99, 99],
      [999_990, 999_999, 999_999],
      [999_990, 2_000_000, 999_999],
      [500_000, undefined, 999_999],
    ] as const) {
      const part = found(await dav.get('a.bin', {range: {start, end}}))
      expect(part).toMatchObject({status: 206, range: {start, end: last, total: 1_000_000}})
      expect(digestOf(await part.bytes())).toBe(digestOf(content.subarray(start, last + 1)))
    }
    const beyond = await dav.get('a.bin', {range: {start: 1_000_000}})
    expect(beyond).toMatchObject({ok: false, status: 416, reason: 'status'})
  })

  it('never gives a resource against its conditions', async () => {
    await makeFile(server, 'conditions')
    const dav = new DavClient({url: server.url('conditions')})
    const {etag, body} = found(await dav.get('a.bin'))
    await body.cancel()
    expect(etagKind(etag)).toBe(server.traits.etagOfGet)
    const unchanged = await dav.get('a.bin', {ifNoneMatch: etag ?? '"none"'})
    expect(unchanged.status).toBe(etag === undefined ? 200 : 304)
    if (unchanged.ok) await unchanged.body.cancel()
    expect(await dav.get('a.bin', {ifMatch: '"other"'})).toMatchObject({ok: false, status: 412})
    const other = found(await dav.get('a.bin', {ifNoneMatch: '"other"'}))
    expect(digestOf(await other.bytes())).toBe(digestOf(content))
  })

  it('is resumed by a strong ETag, and is an error without one', async () => {
    await makeFile(server, 'resumed')
    const transport = breaking(undiciTransport(), [300_000, 1, 200_000])
    const dav = new DavClient({url: server.url('resumed'), transport})
    const retry = {attempts: 3, minDelay: 1, maxDelay: 2}
    const reading = found(await dav.get('a.bin', {resume: true, retry})).bytes()
    const outcome = await reading.then(digestOf, (error: unknown) => String(error))
    expect(outcome).toMatch(
      server.traits.etagOfGet === 'strong' ? digestOf(content) : /^DavNetworkError: .* broken by/,
    )
  })

  it('is found by every name', async () => {
    await makeNastyCollection(server, 'names')
    const dav = new DavClient({url: server.url('names')})
    for (const [index, onDisk] of nastyNames.entries()) {
      const name = server.traits.nameOf(onDisk)
      if (server.traits.refusal(name) !== undefined) continue
      const result = await dav.get(encodePath(`files/${name}`))
      const seen = result.ok ? (await result.bytes()).length : `status ${result.status}`
      const expected = server.traits.isUnreadable(name) ? 'status 500' : index
      expect([name, seen]).toEqual([name, expected])
    }
  })

  it('is none for a collection', async () => {
    await makeCollection(server, 'collection', ['photos/1.jpg'])
    const dav = new DavClient({url: server.url('collection')})
    expect((await dav.get('photos')).ok).toBe(false)
  })
})

function etagKind(etag: string | undefined): 'strong' | 'weak' | 'none' {
  if (etag === undefined) return 'none'
  return etag.startsWith('W/') ? 'weak' : 'strong'
}
