// States which tokens of its locks the client submits for each verb, and in which form: the table of neon, and the bounds of
// the If header. RFC 4918, sections 7.4, 7.5 and 10.4.

import {DavClient, type Failure, type StoredLock} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  RESET,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {generate} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 204})
})

afterEach(() => server.close())

/** A lock of an earlier process. */
function lockOf(path: string, depth: 0 | 'infinity' = 0, token = `urn:${path}`): StoredLock {
  return {token, lockRoot: server.url + path, depth}
}

function clientWith(...locks: readonly StoredLock[]): DavClient {
  return new DavClient({url: server.url, transport, locks, concurrency: 1})
}

/** The If headers of the requests that write, without the URL of the server. */
function sent(): unknown[] {
  return server.requests
    .filter(({method}) => method !== 'UNLOCK')
    .map(({headers}) => headers['if']?.toString().replaceAll(server.url, '/'))
}

type Call = (dav: DavClient) => Promise<unknown>

const verbs: Readonly<Record<string, Call>> = {
  put: (dav) => dav.put('a/b', 'text'),
  putMany: (dav) => dav.putMany([{href: 'a/b', body: 'text'}]).collect(),
  mkcol: (dav) => dav.mkcol('a/b/'),
  proppatch: (dav) => dav.proppatch('a/b', {remove: ['{urn:x}y']}),
  delete: (dav) => dav.delete('a/b'),
  deleteMany: (dav) => dav.deleteMany(['a/b']).collect(),
  copyFrom: (dav) => dav.copy('a/b', 'z'),
  copyTo: (dav) => dav.copy('z', 'a/b'),
  copyMany: (dav) => dav.copyMany([{from: 'z', to: 'a/b'}]).collect(),
  moveFrom: (dav) => dav.move('a/b', 'z'),
  moveTo: (dav) => dav.move('z', 'a/b'),
  moveMany: (dav) => dav.moveMany([{from: 'a/b', to: 'z'}]).collect(),
  lock: (dav) => dav.lock('a/b', {depth: 0}),
  lockInfinity: (dav) => dav.lock('a/b'),
  get: (dav) => dav.get('a/b').catch(() => {}),
  stat: (dav) => dav.stat('a/b').catch(() => {}),
}

const changes = Object.keys(verbs).filter((name) => !['copyFrom', 'get', 'stat'].includes(name))
const locks = ['lock', 'lockInfinity']
const members = changes.filter((name) => name !== 'proppatch')
const trees = members.filter((name) => !['put', 'putMany', 'mkcol', 'lock'].includes(name))

/** Runs a verb with one lock, and returns the first If header. */
async function submitted(name: string, lock: StoredLock): Promise<unknown> {
  await verbs[name]?.(clientWith(lock))
  expect(server.requests.length).toBeGreaterThan(0)
  return sent()[0]
}

describe('a lock', () => {
  it.each(changes.filter((name) => !locks.includes(name)))(
    'on the resource itself is submitted: %s',
    async (name) => {
      expect(await submitted(name, lockOf('a/b'))).toBe('</a/b> (<urn:a/b>)')
    },
  )

  it.each(locks)('on the resource itself is not submitted for another lock: %s', async (name) => {
    expect(await submitted(name, lockOf('a/b'))).toBe(undefined)
    expect(await submitted(name, lockOf('%61/b/', 'infinity'))).toBe(undefined)
  })

  it.each(changes)('with Depth infinity on a collection above is submitted: %s', async (name) => {
    expect(await submitted(name, lockOf('', 'infinity', 'urn:1'))).toBe('</> (<urn:1>)')
  })

  it.each(members)('with Depth 0 on the parent is submitted: %s', async (name) => {
    expect(await submitted(name, lockOf('a/'))).toBe('</a/> (<urn:a/>)')
  })

  it('with Depth 0 on the parent is not submitted for properties', async () => {
    expect(await submitted('proppatch', lockOf('a/'))).toBe(undefined)
  })

  it.each(trees)('on something in the resource is submitted: %s', async (name) => {
    expect(await submitted(name, lockOf('a/b/c/d'))).toBe('</a/b/c/d> (<urn:a/b/c/d>)')
  })

  it.each(['put', 'mkcol', 'proppatch', 'lock'])(
    'on something in the resource is not submitted: %s',
    async (name) => {
      expect(await submitted(name, lockOf('a/b/c'))).toBe(undefined)
    },
  )

  it.each(['copyFrom', 'get', 'stat'])(
    'is not submitted for a source that is read: %s',
    async (name) => {
      expect(await submitted(name, lockOf('a/b'))).toBe(undefined)
    },
  )

  it.each(changes)('on another resource is not submitted: %s', async (name) => {
    const others = ['a/bc', 'a/', 'b', 'ab/', 'a/b2/c'].map((path) => lockOf(path))
    const far = lockOf('', 0, 'urn:root')
    const inside = lockOf('a/bc/', 'infinity')
    const dav = clientWith(...others.filter(({token}) => token !== 'urn:a/'), far, inside)
    await verbs[name]?.(dav)
    // The destination or the source `z` is a member of the root.
    const hasRoot = ['copyFrom', 'moveFrom', 'moveTo', 'moveMany'].includes(name)
    expect(sent()[0]).toBe(hasRoot ? '</> (<urn:root>)' : undefined)
  })

  it('is found by any spelling of its root', async () => {
    const dav = clientWith(lockOf('%61/b%2dc/', 'infinity', 'urn:1'))
    await dav.delete('a/b-c')
    await dav.delete('A/b-c')
    expect(sent()).toEqual(['</%61/b%2dc/> (<urn:1>)', undefined])
  })

  it('is not submitted for a name that only begins with that of its root', async () => {
    const dav = clientWith(lockOf('a', 'infinity'))
    await dav.put('ab', 'text')
    await dav.put('a', 'text')
    expect(sent()).toEqual([undefined, '</a> (<urn:a>)'])
  })

  it('of both ends of a MOVE, and of their parents, is submitted once', async () => {
    const paths = ['from/', 'from/a/', 'from/a/x', 'to/', 'to/b/', 'to/b/y']
    const dav = clientWith(...paths.map((path) => lockOf(path)))
    await dav.move('from/a/', 'to/b/', {overwrite: true})
    expect(sent()).toEqual([
      [
        '</from/a/> (<urn:from/a/>)',
        '</to/b/> (<urn:to/b/>)',
        '</from/> (<urn:from/>)',
        '</to/> (<urn:to/>)',
        '</from/a/x> (<urn:from/a/x>)',
        '</to/b/y> (<urn:to/b/y>)',
      ].join(' '),
    ])
  })

  it('is submitted after its time is over by the local clock', async () => {
    await clientWith({...lockOf('a'), expires: 1}).put('a', 'text')
    expect(sent()).toEqual(['</a> (<urn:a>)'])
  })

  it('is submitted for each missing parent', async () => {
    server.answers({status: 409}, {status: 409}, {status: 201})
    await clientWith(lockOf('', 0, 'urn:1')).put('a/b/c', 'text', {parents: true})
    expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
      'PUT /a/b/c',
      'MKCOL /a/b/',
      'MKCOL /a/',
      'MKCOL /a/b/',
      'PUT /a/b/c',
    ])
    expect(sent()).toEqual([undefined, undefined, '</> (<urn:1>)', undefined, undefined])
  })

  it('goes with If-Match, and with an If-None-Match', async () => {
    const dav = clientWith(lockOf('a'))
    await dav.put('a', 'text', {ifMatch: '"1"'})
    await dav.put('a', 'text', {create: true})
    expect(sent()).toEqual(['</a> (<urn:a>)', '</a> (<urn:a>)'])
    expect(server.requests[0]?.headers['if-match']).toBe('"1"')
  })
})

describe('the If header', () => {
  it('has at most 16 lists, those of the nearest locks', async () => {
    const numbers = Array.from({length: 20}, (_, index) => index)
    const deep = numbers.map((number) => lockOf(`c/d/${number}`, 0, `urn:${number}`))
    server.answers({status: 423})
    const result = await clientWith(...deep, lockOf('c/')).delete('c/')
    const lists = [
      '</c/> (<urn:c/>)',
      ...numbers.slice(0, 15).map((n) => `</c/d/${n}> (<urn:${n}>)`),
    ]
    expect(sent()).toEqual([lists.join(' ')])
    expect(result).toMatchObject({
      status: 423,
      description: 'Its If header had no room for 5 of 21 lock tokens',
    })
  })

  it('has at most 7,000 characters', async () => {
    const long = 'x'.repeat(1000)
    const deep = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => lockOf(`c/${n}`, 0, `urn:${n}:${long}`))
    await clientWith(...deep).delete('c/')
    const [header] = server.requests.map(({headers}) => String(headers['if']))
    expect(header?.match(/urn:\d/g)).toEqual(['urn:1', 'urn:2', 'urn:3', 'urn:4', 'urn:5', 'urn:6'])
    expect(header?.length).toBeLessThanOrEqual(7000)
  })

  it('has no sentence about its room if the request succeeds', async () => {
    const numbers = Array.from({length: 17}, (_, index) => lockOf(`c/${index}`))
    expect(await clientWith(...numbers).delete('c/')).not.toHaveProperty('description')
  })
})

describe('lockRoot', () => {
  it('tags the token of the caller, beside the own locks', async () => {
    const dav = clientWith(lockOf('', 'infinity', 'urn:1'))
    const own = {lockToken: '<urn:2>', lockRoot: 'a/'}
    await dav.delete('a/b', own)
    await dav.deleteMany([{href: 'a/c', ...own}]).collect()
    await dav.put('a/b', 'text', own)
    await dav.putMany([{href: 'a/b', body: 'text', ...own}]).collect()
    await dav.mkcol('a/b', own)
    await dav.proppatch('a/b', {remove: ['x'], ...own})
    await dav.copy('z', 'a/b', own)
    await dav.move('a/b', 'a/c', own)
    await dav.moveMany([{from: 'a/b', to: 'a/c', ...own}]).collect()
    expect(new Set(sent())).toEqual(new Set(['</a/> (<urn:2>) </> (<urn:1>)']))
    expect(sent()).toHaveLength(9)
  })

  it('is the resource itself by default, and of a pair the source', async () => {
    const dav = clientWith()
    await dav.delete('a', {lockToken: 'urn:1'})
    await dav.move('b', 'c', {lockToken: 'urn:1'})
    expect(sent()).toEqual(['</a> (<urn:1>)', '</b> (<urn:1>)'])
  })

  it('with the token of an own lock is submitted once', async () => {
    await clientWith(lockOf('a')).delete('a', {lockToken: 'urn:a'})
    expect(sent()).toEqual(['</a> (<urn:a>)'])
  })

  it('is a TypeError on another origin, before anything is sent', async () => {
    const options = {lockToken: 'urn:1', lockRoot: 'http://other.example/a'}
    await expect(clientWith().delete('a', options)).rejects.toThrow(TypeError)
    expect(server.requests).toEqual([])
  })
})

describe('a request that is sent again', () => {
  it('from JSON has the token of the caller, and the own locks of that time', async () => {
    server.answers({status: 423})
    const target = {href: 'c/a', lockToken: 'urn:1', lockRoot: 'c/'}
    const {failures} = await clientWith(lockOf('c/a', 0, 'urn:old'))
      .deleteMany([target])
      .collect()
    const written: Failure[] = JSON.parse(JSON.stringify(failures))
    expect(written[0]?.request?.conditions).toEqual({if: `<${server.url}c/> (<urn:1>)`})
    server.answers({status: 204})
    const dav = clientWith(lockOf('c/a', 0, 'urn:new'))
    expect((await dav.retry(written, quick).collect()).successes.map(line)).toEqual([
      '204 self /c/a',
    ])
    expect(sent()).toEqual([
      '</c/> (<urn:1>) </c/a> (<urn:old>)',
      '</c/> (<urn:1>) </c/a> (<urn:new>)',
    ])
  })

  it.each([
    ['https://other.example/a', 'is not on'],
    ['/a', 'absolute'],
  ])('from JSON with the token of a lock on %s is a TypeError', async (root, words) => {
    server.answers({status: 423})
    const written = JSON.stringify(await clientWith().delete('a', {lockToken: 'urn:1'}))
    server.forget()
    const failure: Failure = JSON.parse(written.replace(`<${server.url}a>`, `<${root}>`))
    expect(failure.request?.conditions).toEqual({if: `<${root}> (<urn:1>)`})
    await expect(clientWith().retry([failure], quick).collect()).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(words),
    })
    expect(server.requests).toEqual([])
  })

  it('for a failed member has the locks of that member', async () => {
    server.answers(answer207(verdicts({'/c/x': '423 Locked'})), {status: 204})
    const dav = clientWith(lockOf('c/x'), lockOf('c/y'))
    await dav.deleteMany(['c/'], {retry: quick}).collect()
    expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual([
      'DELETE /c/',
      'DELETE /c/x',
      'UNLOCK /c/x',
      'DELETE /c/',
      'UNLOCK /c/y',
    ])
    expect(sent()).toEqual([
      '</c/x> (<urn:c/x>) </c/y> (<urn:c/y>)',
      '</c/x> (<urn:c/x>)',
      '</c/y> (<urn:c/y>)',
    ])
  })

  it('of a bulk call in a stream has the locks of its own target', async () => {
    const dav = clientWith(lockOf('a'), lockOf('b'))
    await dav.deleteMany(generate(['a', 'b', 'c'])).collect()
    expect(sent()).toEqual(['</a> (<urn:a>)', '</b> (<urn:b>)', undefined])
  })
})

describe('an upload that goes beside its target', () => {
  it('has the token and the ETag of the target in one list', async () => {
    const prop =
      '<D:resourcetype/><D:getetag>"1"</D:getetag><D:getcontentlength>4</D:getcontentlength>'
    server.script(({method, url}) =>
      method === 'PROPFIND'
        ? answer207(
            `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${url}</D:href><D:propstat><D:prop>${prop}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`,
          )
        : {status: 204},
    )
    const dav = clientWith(lockOf('a'), lockOf('', 0, 'urn:1'))
    expect(line(await dav.put('a', 'text', {safely: true, ifMatch: '"1"'}))).toBe('204 self /a')
    expect(sent().filter((header) => header !== undefined)).toEqual([
      '</> (<urn:1>)',
      '</a> (<urn:a> ["1"]) </> (<urn:1>)',
    ])
  })
})

describe('a broken connection', () => {
  it('changes no token', async () => {
    server.answers(RESET, answer207(listing('/a')), {status: 204})
    await clientWith(lockOf('a')).deleteMany(['a'], {retry: quick}).collect()
    const deletes = server.requests.filter(({method}) => method === 'DELETE')
    expect(deletes.map(({headers}) => headers['if'])).toEqual(
      deletes.map(() => `<${server.url}a> (<urn:a>)`),
    )
    expect(deletes.length).toBeGreaterThan(1)
  })
})
