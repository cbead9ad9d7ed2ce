// States the results of PROPFIND, DELETE, bulk DELETE and retry from a real server in this process (nephele), over undici. The
// resources exist, are missing, or are locked. Each oddity of the server is named beside the verdict that depends on it.

import {once} from 'node:events'
import {mkdir, readdir, utimes, writeFile} from 'node:fs/promises'
import type {ServerResponse} from 'node:http'
import {dirname, join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'

import {
  DavClient,
  decodePath,
  type DavResult,
  encodePath,
  type Failure,
  type Transport,
  partition,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {lock, unlock} from '../../examples/demo/lock.ts'
import {type EmbeddedServer, startEmbeddedServer} from '../support/embedded-server.ts'
import {resultsOf} from '../support/results.ts'

let server: EmbeddedServer
let sent: string[]
let dav: DavClient

beforeEach(async () => {
  server = await startEmbeddedServer()
  sent = []
  const undici = undiciTransport()
  const transport: Transport = (request) => {
    sent.push(`${request.method} ${decodePath(request.url)}`)
    return undici(request)
  }
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Writes a file into the served folder, and the collections above it. */
async function store(path: string, text = ''): Promise<void> {
  await mkdir(dirname(join(server.folder, path)), {recursive: true})
  await writeFile(join(server.folder, path), text)
}

/** The plain path on the server as an absolute URL. */
function at(path: string): string {
  return server.url + encodePath(path)
}

/** The contents of the served folder, nephele's own files for locks and dead properties aside. */
async function stored(): Promise<string[]> {
  const names = await readdir(server.folder, {recursive: true})
  return names.filter((name) => !name.endsWith('.nephelemeta')).toSorted()
}

/** A result in one line: status, reason of a Failure, relation, path. */
function line(result: DavResult): string {
  const status = result.ok ? `${result.status}` : `${result.status} ${result.reason}`
  return `${status} ${result.relation} ${decodePath(result)}`
}

const NASTY_NAMES = [
  '%41 + ~!$(*)@:;,=.txt',
  '%2e%2e%2f',
  '100% #1?.txt',
  '<a href="&amp;">.txt',
  "it's [1] {2} ^`|.txt",
  'back\\slash.txt',
  'bell \u0007 and \u001b[31mred.txt',
  'line\r\nbreak.txt',
  'caf\u00e9 😀.txt',
  'cafe\u0301 😀.txt',
  'constructor',
  '__proto__',
  ' blank ',
  '...',
]

describe('PROPFIND', () => {
  it('lists the collection alone at Depth 0', async () => {
    await store('inbox/a.txt')
    const {successes, failures, summary} = await dav.propfind('inbox/', {depth: 0}).collect()
    expect(failures).toEqual([])
    expect(successes.map(line)).toEqual(['200 self /inbox/'])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 0,
      requests: 1,
    })
  })

  it('lists the members of a collection at Depth 1 and nothing below them', async () => {
    await store('inbox/a.txt')
    await store('inbox/b/c.txt')
    const {successes, summary} = await dav.propfind('inbox/', {depth: 1}).collect()
    expect(successes.map(line)).toEqual([
      '200 self /inbox/',
      '200 member /inbox/a.txt',
      '200 member /inbox/b/',
    ])
    expect(summary.complete).toBe(true)
  })

  it('lists a whole tree at Depth infinity with one request', async () => {
    await store('inbox/a.txt')
    await store('inbox/b/c.txt')
    await store('inbox/b/d/e.txt')
    const {successes, summary} = await dav.propfind('inbox/', {depth: 'infinity'}).collect()
    expect(successes.map(line)).toEqual([
      '200 self /inbox/',
      '200 member /inbox/a.txt',
      '200 member /inbox/b/',
      '200 descendant /inbox/b/c.txt',
      '200 descendant /inbox/b/d/',
      '200 descendant /inbox/b/d/e.txt',
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 6,
      failures: 0,
      requests: 1,
    })
    expect(sent).toEqual(['PROPFIND /inbox/'])
  })

  it('gives the href as the server wrote it and the url on the origin of the request', async () => {
    await store('100% #1?.txt')
    const {successes} = await dav.propfind('', {depth: 1}).collect()
    expect(successes.map(({href}) => href)).toEqual([
      server.url,
      `${server.url}100%25%20%231%3F.txt`,
    ])
    expect(successes.map(({url}) => url)).toEqual([server.url, `${server.url}100%25%20%231%3F.txt`])
  })

  it.each(NASTY_NAMES)('lists %j, and its url means that resource', async (name) => {
    await store(`inbox/${name}`, 'seven77')
    const {successes} = await dav.propfind('inbox/', {depth: 1}).collect()
    expect(successes.map(line)).toEqual(['200 self /inbox/', `200 member /inbox/${name}`])
    const [, member] = successes
    expect(member && line(await dav.stat(member))).toBe(`200 self /inbox/${name}`)
    expect(member && (await dav.stat(member))).toMatchObject({
      ok: true,
      properties: {getcontentlength: 7},
    })
  })

  it('decodes the live properties of a member', async () => {
    await store('inbox/a.txt', 'hello')
    await utimes(join(server.folder, 'inbox/a.txt'), 0, Date.UTC(2026, 0, 2, 3, 4, 5) / 1000)
    const before = Date.now()
    const {successes} = await dav
      .propfind('inbox/a.txt', {
        depth: 0,
        properties: [
          'resourcetype',
          'getcontentlength',
          'getcontenttype',
          'getetag',
          'getlastmodified',
          'creationdate',
        ],
      })
      .collect()
    const properties = successes[0]?.properties
    expect(properties?.resourcetype).toEqual([])
    expect(properties?.getcontentlength).toBe(5)
    expect(properties?.getcontenttype).toBe('text/plain')
    // nephele's ETags are a number in hex without quotes, at times below zero: they stay as they are.
    expect(properties?.getetag).toMatch(/^-?[0-9a-f]+$/)
    expect(properties?.getlastmodified).toEqual(new Date('2026-01-02T03:04:05Z'))
    expect(properties?.creationdate).toBeInstanceOf(Date)
    expect(before - Number(properties?.creationdate)).toBeLessThan(60_000)
  })

  it('recognizes a collection by its resourcetype', async () => {
    await mkdir(join(server.folder, 'inbox'))
    const result = await dav.stat('inbox/')
    expect(result.ok && result.properties.resourcetype).toEqual(['collection'])
  })

  it('lists in missing, with 404, properties that the server does not have', async () => {
    await store('a.txt')
    const result = await dav.stat('a.txt', {
      properties: ['getcontentlength', 'displayname', '{urn:x}colour'],
    })
    expect(result).toMatchObject({
      ok: true,
      properties: {getcontentlength: 0},
      missing: [
        {name: 'displayname', status: 404},
        {name: '{urn:x}colour', status: 404},
      ],
    })
  })

  it('is a Success if the resource has none of the properties', async () => {
    await store('a.txt')
    const result = await dav.stat('a.txt', {properties: ['{urn:x}colour']})
    expect(result).toMatchObject({
      ok: true,
      status: 200,
      properties: {},
      missing: [{name: '{urn:x}colour', status: 404}],
      relation: 'self',
    })
  })

  it('gives a dead property as text', async () => {
    await store('a.txt')
    await setProperty('a.txt', '{urn:x}colour', ' 1e3 ')
    const result = await dav.stat('a.txt', {properties: ['{urn:x}colour']})
    expect(result.ok && result.properties).toEqual({'{urn:x}colour': ' 1e3 '})
  })
})

describe('PROPFIND of a missing resource', () => {
  it('throws a DavHttpError with the status', async () => {
    await expect(dav.propfind('missing/', {depth: 1}).collect()).rejects.toMatchObject({
      name: 'DavHttpError',
      status: 404,
      method: 'PROPFIND',
      url: `${server.url}missing/`,
    })
  })
})

describe('DELETE', () => {
  it('is a Success 204, and the resource is gone', async () => {
    await store('a.txt')
    await store('b.txt')
    const verdict = await dav.delete('a.txt')
    expect(verdict.ok).toBe(true)
    expect(line(verdict)).toBe('204 self /a.txt')
    expect(await stored()).toEqual(['b.txt'])
  })

  it('is a Failure 404 for a resource that was never there', async () => {
    expect(line(await dav.delete('missing.txt'))).toBe('404 status self /missing.txt')
  })

  it('is a Failure 423 for a locked resource', async () => {
    await store('a.txt')
    await lock(at('a.txt'))
    const {failures} = partition(resultsOf(await dav.delete('a.txt')))
    expect(failures.map(line)).toEqual(['423 status self /a.txt'])
    expect(await stored()).toEqual(['a.txt'])
  })

  it('deletes each result of a listing, whatever its name', async () => {
    for (const name of NASTY_NAMES) await store(`inbox/${name}`)
    await store('41.txt')
    const {successes} = await dav.propfind('inbox/', {depth: 1}).collect()
    for (const member of successes.slice(1)) {
      // Some servers read a control character as the end of a name.
      const unguarded = /%[01]/.test(member.url)
      const {failures} = partition(resultsOf(await dav.delete(member, {unguarded})))
      expect(failures).toEqual([])
    }
    expect(await stored()).toEqual(['41.txt', 'inbox'])
  })
})

describe('deleteMany with a locked member', () => {
  beforeEach(async () => {
    await store('100% #1?.txt')
    await store('projects/budget.txt')
    await store('projects/2026/contract.txt')
    await store('projects/2026/notes.txt')
    await store('readme.txt')
  })

  const TARGETS = ['100%25%20%231%3F.txt', 'projects/', 'readme.txt']

  it('yields the Failures of a 207 before the verdict on the target, and goes on with the next', async () => {
    await lock(at('projects/2026/contract.txt'))
    const {successes, failures, summary} = await dav.deleteMany(TARGETS, {concurrency: 1}).collect()
    expect(successes.map(line)).toEqual(['204 self /100% #1?.txt', '204 self /readme.txt'])
    // The collection of the locked member could not be removed either: nephele answers 500 for it.
    expect(failures.map(line)).toEqual([
      '423 status descendant /projects/2026/contract.txt',
      '500 status member /projects/2026/',
      '424 member self /projects/',
    ])
    expect(failures[0]?.conditions).toEqual(['lock-token-submitted'])
    expect(failures[0]?.description).toBe('This resource is locked.')
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 3,
      requests: 3,
    })
    expect(await stored()).toEqual(['projects', 'projects/2026', 'projects/2026/contract.txt'])
  })

  it('has one result with relation self for each target, and it is the last of that target', async () => {
    await lock(at('projects/2026/contract.txt'))
    const results = await Array.fromAsync(dav.deleteMany(TARGETS, {concurrency: 1}))
    expect(results.map((result) => result.relation)).toEqual([
      'self',
      'descendant',
      'member',
      'self',
      'self',
    ])
  })

  it('has on every Failure the request to send again', async () => {
    await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(TARGETS).collect()
    expect(failures.map(({request}) => request)).toMatchObject([
      {method: 'DELETE', url: at('projects/2026/contract.txt'), attempts: 1},
      {method: 'DELETE', url: at('projects/2026/'), attempts: 1},
      {method: 'DELETE', url: at('projects/'), attempts: 1},
    ])
  })

  it('deletes the rest with a retry after UNLOCK, and sends nothing else', async () => {
    const token = await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(TARGETS).collect()
    await unlock(at('projects/2026/contract.txt'), token)
    sent.length = 0
    const retried = await dav.retry(failures, {attempts: 3, minDelay: 1, maxDelay: 5}).collect()
    expect(sent).toEqual([
      'DELETE /projects/2026/contract.txt',
      'DELETE /projects/2026/',
      'DELETE /projects/',
    ])
    expect(retried.successes.map(line)).toEqual([
      '204 self /projects/2026/contract.txt',
      '204 self /projects/2026/',
      '204 self /projects/',
    ])
    expect(retried.summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 3,
      failures: 0,
      requests: 3,
    })
    expect(await stored()).toEqual([])
  })

  it('is retried by another client from Failures that went through JSON', async () => {
    const token = await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(TARGETS).collect()
    await unlock(at('projects/2026/contract.txt'), token)

    const queued: Failure[] = JSON.parse(JSON.stringify(failures))
    expect(queued).toEqual(failures)
    const other = new DavClient({url: server.url, transport: undiciTransport()})
    const retried = await other.retry(queued, {attempts: 3, minDelay: 1, maxDelay: 5}).collect()
    expect(retried.failures).toEqual([])
    expect(await stored()).toEqual([])
  })

  it('has the same verdicts from a retry while the lock stands, with one attempt more on each', async () => {
    await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(TARGETS).collect()
    const retried = await dav.retry(failures, {attempts: 1}).collect()
    expect(retried.successes).toEqual([])
    const verdicts = retried.failures.filter(({relation}) => relation === 'self')
    expect(verdicts.map(line)).toEqual([
      '423 status self /projects/2026/contract.txt',
      '424 member self /projects/2026/',
      '424 member self /projects/',
    ])
    expect(verdicts.map(({request}) => request?.attempts)).toEqual([2, 2, 2])
    expect(await stored()).toEqual(['projects', 'projects/2026', 'projects/2026/contract.txt'])
  })

  it('is sent again by the retry until the lock is gone, and its collections after it', async () => {
    const token = await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(TARGETS).collect()
    const undici = undiciTransport()
    const tried: string[] = []
    const transport: Transport = async (request) => {
      tried.push(`${request.method} ${decodePath(request.url)}`)
      if (tried.length === 3) await unlock(at('projects/2026/contract.txt'), token)
      return undici(request)
    }
    const patient = new DavClient({url: server.url, transport})
    const {summary} = await patient
      .retry(failures, {attempts: 3, minDelay: 1, maxDelay: 5})
      .collect()
    expect(tried).toEqual([
      'DELETE /projects/2026/contract.txt',
      'DELETE /projects/2026/contract.txt',
      'DELETE /projects/2026/contract.txt',
      'DELETE /projects/2026/',
      'DELETE /projects/',
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 3,
      failures: 0,
      requests: 5,
    })
    expect(await stored()).toEqual([])
  })

  it('says 500 for a collection that nephele did not try after a failure, and the retry deletes it', async () => {
    // nephele looks into no further collection once a member failed: the members of projects/2027/ were never tried.
    await store('projects/2027/plan.txt')
    const token = await lock(at('projects/2026/contract.txt'))
    const {failures} = await dav.deleteMany(['projects/']).collect()
    expect(failures.map(line)).toEqual([
      '423 status descendant /projects/2026/contract.txt',
      '500 status member /projects/2026/',
      '500 status member /projects/2027/',
      '424 member self /projects/',
    ])
    await unlock(at('projects/2026/contract.txt'), token)
    const retried = await dav.retry(failures, {attempts: 3, minDelay: 1, maxDelay: 5}).collect()
    expect(retried.failures).toEqual([])
    expect(await stored()).toEqual(['100% #1?.txt', 'readme.txt'])
  })
})

describe('deleteMany', () => {
  it('takes a listing as its targets', async () => {
    for (const name of NASTY_NAMES) await store(`inbox/${name}`)
    const listing = await dav.propfind('inbox/', {depth: 1}).collect()
    const members = listing.successes.filter(({relation}) => relation === 'member')
    const guarded = await dav.deleteMany(members).collect()
    const odd = NASTY_NAMES.filter((name) => /\p{Cc}/u.test(name))
    expect(guarded.failures.map(({reason}) => reason)).toEqual(odd.map(() => 'refused'))
    expect(guarded.summary.requests).toBe(NASTY_NAMES.length - odd.length)
    const {failures} = await dav.deleteMany(guarded.failures, {unguarded: true}).collect()
    expect(failures).toEqual([])
    expect(await stored()).toEqual(['inbox'])
  })

  it.each([1, 4])(
    'reads its targets no faster than results are taken, at concurrency %i',
    async (concurrency) => {
      let read = 0
      async function* targets(): AsyncGenerator<string> {
        for (let number = 0; number < 40; number++) {
          await store(`${number}.txt`)
          read++
          yield `${number}.txt`
        }
      }
      let taken = 0
      for await (const result of dav.deleteMany(targets(), {concurrency})) {
        expect(result.ok).toBe(true)
        taken++
        // Time enough to run ahead, if nothing held the source back.
        if (taken === 1 || taken === 10) await sleep(100)
        expect(read).toBeLessThanOrEqual(taken + concurrency)
      }
      expect(taken).toBe(40)
      expect(await stored()).toEqual([])
    },
  )

  it('closes the generator of its targets on break, and deletes no more', async () => {
    let closed = false
    async function* targets(): AsyncGenerator<string> {
      try {
        for (let number = 0; number < 40; number++) {
          await store(`${number}.txt`)
          yield `${number}.txt`
        }
      } finally {
        closed = true
      }
    }
    for await (const result of dav.deleteMany(targets(), {concurrency: 1})) {
      expect(line(result)).toBe('204 self /0.txt')
      break
    }
    await sleep(50)
    expect(closed).toBe(true)
    expect(sent.length).toBeLessThanOrEqual(2)
  })
})

describe('an abort', () => {
  it('rejects with the reason of the signal before the answer', async () => {
    await store('a.txt')
    const reason = new Error('enough')
    const controller = new AbortController()
    const {promise: arrived, resolve} = Promise.withResolvers<void>()
    server.http.once('request', () => resolve())
    const listing = dav.propfind('', {depth: 1, signal: controller.signal}).collect()
    void arrived.then(() => controller.abort(reason))
    await expect(listing).rejects.toBe(reason)
  })

  it('rejects with the reason of the signal in the middle of a listing', async () => {
    await storeLargeListing()
    const reason = new Error('enough')
    const controller = new AbortController()
    const listing = dav.propfind('large/', {
      depth: 1,
      properties: [LARGE],
      signal: controller.signal,
    })
    const reading = (async () => {
      for await (const result of listing) if (result.ok) controller.abort(reason)
    })()
    await expect(reading).rejects.toBe(reason)
    await expect(listing.summary).rejects.toBe(reason)
  })

  it('rejects with the reason of the signal between two targets of deleteMany', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt', 'd.txt']) await store(name)
    const reason = new Error('enough')
    const controller = new AbortController()
    const deleting = (async () => {
      const options = {concurrency: 1, signal: controller.signal}
      for await (const result of dav.deleteMany(['a.txt', 'b.txt', 'c.txt', 'd.txt'], options)) {
        if (result.ok) controller.abort(reason)
      }
    })()
    await expect(deleting).rejects.toBe(reason)
    expect(await stored()).toContain('d.txt')
  })

  it('rejects with the reason of a signal that was aborted before, and sends nothing', async () => {
    const reason = new Error('enough')
    await expect(
      dav.propfind('', {depth: 0, signal: AbortSignal.abort(reason)}).collect(),
    ).rejects.toBe(reason)
    expect(sent).toEqual([])
  })
})

describe('break in a listing', () => {
  it('closes the connection while the server still has most of its answer to send', async () => {
    await storeLargeListing()
    const {promise: answered, resolve} = Promise.withResolvers<ServerResponse>()
    server.http.once('request', (_request, response: ServerResponse) => resolve(response))
    for await (const result of dav.propfind('large/', {depth: 1, properties: [LARGE]})) {
      expect(result.relation).toBe('self')
      break
    }
    const broken = await answered
    if (!broken.closed) await once(broken, 'close')
    expect(broken.writableFinished).toBe(false)
  })

  it('leaves the client fit for the next request', async () => {
    await storeLargeListing()
    for await (const result of dav.propfind('large/', {depth: 1, properties: [LARGE]})) {
      if (result.relation === 'self') break
    }
    expect(line(await dav.stat('large/0.txt'))).toBe('200 self /large/0.txt')
  })
})

/** A property of half a megabyte: 32 of them are more than the buffers of a connection hold. */
const LARGE = '{urn:x}large'

async function storeLargeListing(): Promise<void> {
  for (let number = 0; number < 32; number++) {
    await store(`large/${number}.txt`)
    await setProperty(`large/${number}.txt`, LARGE, 'x'.repeat(500_000))
  }
}

/** Sets a dead property the way nephele keeps it: in a file beside the resource. */
async function setProperty(path: string, name: string, value: string): Promise<void> {
  const key = name.replace(/^\{(.*)\}/, '$1%%')
  await store(`${path}.nephelemeta`, JSON.stringify({props: {[key]: value}}))
}
