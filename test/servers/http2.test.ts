/**
 * Answers that a server cuts, through HAProxy and nginx with HTTP/2. HAProxy 2.6 ends a cut chunked answer in order, nginx 1.22 by
 * RST_STREAM. No cut content counts as whole, and no request is processed twice. RFC 9113, sections 6.8 and 8.1.
 */
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DavClient, DavError} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {type Certificate, makeCertificate} from '../support/certificate.ts'
import {
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {type Front, type FrontName, hasFront, startFront} from './support/fronts.ts'
import {isEveryServerRequired} from './support/missing.ts'

const FRONTS: readonly FrontName[] = ['haproxy', 'nginx']
const WHOLE = 'x'.repeat(100_000)
const HALF = WHOLE.slice(0, 50_000)
const ENDS: Readonly<Record<string, typeof CLOSE | typeof RESET | typeof NEVER>> = {
  'in order': CLOSE,
  'by a reset': RESET,
  'by silence': NEVER,
}
const HEADERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  chunked: {},
  'with a length': {'content-length': String(WHOLE.length)},
}
const cuts = Object.entries(ENDS).flatMap(([how, end]) =>
  Object.entries(HEADERS).map(([kind, headers]) => [kind, how, {headers, end}] as const),
)

let certificate: Certificate
let backend: FaultServer
beforeAll(async () => {
  certificate = await makeCertificate()
  backend = await startFaultServer()
})
afterAll(() => backend.close())

it.skipIf(!isEveryServerRequired)('all fronts are installed', () => {
  expect(FRONTS.filter((name) => !hasFront(name))).toEqual([])
})

describe.each(FRONTS)('%s', (name) => {
  const isSkipped = !hasFront(name) && !isEveryServerRequired
  describe.skipIf(isSkipped)('before a server that cuts its answers', () => {
    let front: Front
    beforeAll(async () => {
      front = await startFront(name, portOf(backend), certificate)
    })
    afterAll(() => front[Symbol.asyncDispose]())

    const open = (http2 = true): DavClient =>
      new DavClient({
        url: front.url,
        transport: undiciTransport({http2, ca: certificate.cert}),
      })

    it.each(cuts)('no cut content counts as whole: %s, %s', async (_, __, {headers, end}) => {
      backend.script(({method}) =>
        method === 'GET'
          ? {status: 200, headers, body: [HALF, 100, end]}
          : answer207([OPEN, told('/a', WHOLE.length), SHUT]),
      )
      await using dav = open()
      const found = await dav.get('a')
      if (!found.ok) throw new Error(found.description)
      await expect(found.bytes()).rejects.toThrow(DavError)

      const folder = await mkdtemp(join(tmpdir(), 'multistatus-http2-'))
      const path = join(folder, 'a')
      await writeFile(path, 'before')
      await expect(dav.download('a', path, {retry: {attempts: 1}})).rejects.toThrow(DavError)
      expect(await readFile(path, 'utf8')).toBe('before')
      expect(await readdir(folder)).toEqual(['a'])
      await rm(folder, {recursive: true})
    })

    it.each(Object.entries(ENDS))('no cut listing counts as whole: %s', async (_, end) => {
      backend.answers({...answer207([OPEN, listed('/'), listed('/a'), 100, end])})
      await using dav = open()
      await expect(dav.propfind('').collect()).rejects.toThrow(DavError)
      const {failures} = await dav.deleteMany(['a']).collect()
      expect(failures).toHaveLength(1)
    })

    it('a download goes on after the cut', async () => {
      const etag = '"1"'
      backend.script(({method, headers: {range}}) => {
        if (method !== 'GET') return answer207([OPEN, told('/a', WHOLE.length), SHUT])
        if (range === undefined) return {status: 200, headers: {etag}, body: [HALF, 100, CLOSE]}
        const start = Number(/\d+/.exec(range)?.[0])
        const last = WHOLE.length - 1
        return {
          status: 206,
          headers: {etag, 'content-range': `bytes ${start}-${last}/${WHOLE.length}`},
          body: WHOLE.slice(start),
        }
      })
      const folder = await mkdtemp(join(tmpdir(), 'multistatus-http2-'))
      const path = join(folder, 'a')
      await using dav = open()
      expect(await dav.download('a', path)).toMatchObject({ok: true})
      expect(await readFile(path, 'utf8')).toBe(WHOLE)
      await rm(folder, {recursive: true})
    })

    it('content of unknown length is told apart only by HTTP/1.1', async () => {
      backend.script(({method}) =>
        method === 'GET' ? {status: 200, body: [HALF, 100, HALF]} : {status: 405},
      )
      await using over2 = open()
      const found = await over2.get('a')
      if (!found.ok) throw new Error(found.description)
      await expect(found.text()).rejects.toThrow('its end cannot be told')
      await using over1 = open(false)
      const same = await over1.get('a')
      expect(same.ok && (await same.text())).toBe(WHOLE)
    })
  })
})

describe.skipIf(!hasFront('nginx') && !isEveryServerRequired)('nginx that sends GOAWAY', () => {
  it('has each target of a bulk call processed once', async () => {
    const front = await startFront('nginx', portOf(backend), certificate, 20)
    const names = Array.from({length: 500}, (_, number) => `/f${number}`)
    const seen: string[] = []
    backend.script(({method, url}) => {
      if (method !== 'DELETE') return answer207(listing('/', ...names))
      seen.push(url)
      return {status: 204}
    })
    const transport = undiciTransport({http2: true, ca: certificate.cert})
    await using dav = new DavClient({url: front.url, transport})
    const {failures} = await dav.deleteMany(names, {concurrency: 16}).collect()
    expect(failures).toEqual([])
    expect(seen.toSorted()).toEqual(names.toSorted())
    await front[Symbol.asyncDispose]()
  })
})

function portOf({url}: FaultServer): number {
  return Number(new URL(url).port)
}

function told(href: string, length: number): string {
  const prop = `<D:resourcetype/><D:getcontentlength>${length}</D:getcontentlength>`
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${prop}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}
