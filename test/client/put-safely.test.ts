// States an upload that goes beside its target and is moved over it: no failure before the MOVE touches the old content, and
// no upload is lost or left in silence. RFC 4918, sections 9.9 and 10.4.

import {DavClient, type DavResult, type PutOptions, type Transport} from 'multistatus'
import {type FakeServer, fakeServer, type FaultRule} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

import {line, readToEnd} from '../support/results.ts'

let server: FakeServer
let dav: DavClient
let ifMatch: string

beforeEach(() => {
  server = fakeServer({files: {a: 'old'}})
  open(server.transport)
  ifMatch = server.get('a')?.etag ?? ''
})

function open(transport: Transport): void {
  dav = new DavClient({url: server.url, transport})
}

const put = (options: PutOptions = {}, target = 'a'): Promise<DavResult> =>
  dav.put(target, 'new', {safely: true, ...options})

/** Requests in one line each. The temporary name is written as `*`. */
const sent = (): string[] =>
  server.requests.map(({method, url}) =>
    `${method} ${new URL(url).pathname}`.replace(/\/multistatus-\w{10,}\.tmp$/, '/*'),
  )

/** Paths of uploads that are left. */
const left = (): string[] => server.list().filter((path) => path.endsWith('.tmp'))

const contentOf = (path: string): string | undefined => server.get(path)?.text

const headersOf = (method: string): Record<string, unknown> =>
  server.requests.findLast((request) => request.method === method)?.headers ?? {}

const WHOLE = ['PROPFIND /a', 'PUT /*', 'PROPFIND /*', 'MOVE /*']

describe('safely: true', () => {
  it('looks at the target, uploads beside it, compares the length, and moves it over', async () => {
    expect(await put({type: 'text/plain'})).toEqual({
      ok: true,
      href: '/a',
      url: `${server.url}a`,
      relation: 'self',
      status: 204,
      properties: {},
      missing: [],
    })
    expect(sent()).toEqual(WHOLE)
    expect(contentOf('a')).toBe('new')
    expect(left()).toEqual([])
    expect(headersOf('PUT')).toMatchObject({'if-none-match': '*', 'content-type': 'text/plain'})
    expect(headersOf('MOVE')).toMatchObject({destination: `${server.url}a`, overwrite: 'T'})
  })

  it('overwrites nothing where nothing was', async () => {
    expect(line(await put({}, 'b'))).toBe('201 self /b')
    expect(headersOf('MOVE')).toMatchObject({overwrite: 'F'})
  })

  it('stays in the collection of its target, and makes missing parents', async () => {
    expect(line(await put({parents: true}, 'x/b'))).toBe('201 self /x/b')
    expect(sent()).toEqual([
      'PROPFIND /x/b',
      'PUT /x/*',
      'MKCOL /x/',
      'PUT /x/*',
      'PROPFIND /x/*',
      'MOVE /x/*',
    ])
  })

  it('compares the length at the target too, with verify', async () => {
    expect(line(await put({verify: true}))).toBe('204 self /a')
    expect(sent()).toEqual([...WHOLE, 'PROPFIND /a'])
  })

  it('sends the lock token with each request that changes something', async () => {
    const lockToken = server.lock('a')
    expect(line(await put({lockToken}))).toBe('204 self /a')
    const token = `<${server.url}a> (<${lockToken}>)`
    expect(headersOf('PUT')).toMatchObject({if: token})
    expect(headersOf('MOVE')).toMatchObject({if: token})
  })
})

describe('a collection in the place of the target', () => {
  it('is refused, because a MOVE would remove it', async () => {
    server.remove('a')
    server.put('a/')
    expect(await put()).toMatchObject({
      reason: 'refused',
      description: `PUT ${server.url}a is not sent: it is a collection, or of a kind that the server does not tell`,
    })
    expect(sent()).toEqual(['PROPFIND /a'])
  })

  it('is possible if the server does not show it', async () => {
    server.fault({method: 'PROPFIND', status: 403})
    expect(line(await put())).toBe('0 refused self /a')
    expect(sent()).toEqual(['PROPFIND /a'])
  })
})

describe('a failed upload', () => {
  const failing = (rule: FaultRule) => server.fault({...rule, method: 'PUT'})

  it.each([403, 413, 423, 500, 507])('of %i leaves the old content', async (status) => {
    failing({status})
    expect(await put()).toMatchObject({
      status,
      reason: 'status',
      relation: 'self',
      url: `${server.url}a`,
      description: 'The upload went beside it and failed, so it is unchanged',
      request: {method: 'PUT', url: `${server.url}a`, safely: true},
    })
    expect(contentOf('a')).toBe('old')
    expect(sent()).not.toContain('MOVE /*')
  })

  it('of a broken connection is a Failure and no rejection: the target is known to be unchanged', async () => {
    failing({reset: true})
    expect(await put()).toMatchObject({
      reason: 'no-answer',
      cause: 'network',
      description: expect.stringContaining('so it is unchanged'),
    })
  })

  it('that was cut is noticed and removed', async () => {
    const {transport} = server
    open((request) => transport(request.method === 'PUT' ? {...request, body: 'n'} : request))
    expect(await put()).toMatchObject({
      status: 201,
      reason: 'status',
      description:
        'The PUT of 3 bytes was answered 201, but 1 bytes are there. The upload went beside it and failed, so it is unchanged',
    })
    expect(sent().at(-1)).toBe('DELETE /*')
    expect(contentOf('a')).toBe('old')
    expect(left()).toEqual([])
  })

  it('is told if it could not be removed', async () => {
    server.fault({method: 'DELETE', status: 403})
    failing({status: 500, obeyed: true})
    const {description} = await put()
    expect(left()).toHaveLength(1)
    expect(description).toContain(`${server.url}${left()[0]} may be left`)
  })
})

describe('an upload that an attempt left', () => {
  const policy = {attempts: 3, minDelay: 1, maxDelay: 1}

  /** The first attempt breaks behind the upload. Some requests to remove it are refused. */
  const breakOnce = (refusals: number): void => {
    server.fault({method: 'DELETE', status: 500, times: refusals})
    server.fault({method: 'PUT', reset: true, obeyed: true, times: 1})
  }

  it('is removed by the next one', async () => {
    breakOnce(1)
    const verdict = await put({retry: policy})
    expect(line(verdict)).toBe('204 self /a')
    expect(verdict.description).toBeUndefined()
    expect(left()).toEqual([])
  })

  it('is told with the Success', async () => {
    breakOnce(2)
    const verdict = await put({retry: policy})
    expect(line(verdict)).toBe('204 self /a')
    expect(verdict.description).toBe(`${server.url}${left()[0]} may be left`)
  })

  it('is where a redirect led it', async () => {
    const {transport} = server
    open(async (request) => {
      const {origin, pathname} = new URL(request.url)
      if (request.method !== 'PUT' || pathname.startsWith('/x/')) return transport(request)
      return new Response(null, {status: 307, headers: {location: `${origin}/x${pathname}`}})
    })
    server.put('x/')
    expect(line(await put())).toBe('204 self /a')
    expect(contentOf('a')).toBe('new')
    expect(left()).toEqual([])
  })
})

describe('a failed MOVE', () => {
  it('is a Failure with its status, and the upload is removed', async () => {
    server.fault({method: 'MOVE', status: 423})
    expect(line(await put())).toBe('423 status self /a')
    expect(contentOf('a')).toBe('old')
    expect(left()).toEqual([])
  })

  it('that has removed the target leaves the upload, the only copy, and is not repeated', async () => {
    server.fault({method: 'MOVE', status: 500, meanwhile: () => server.remove('a')})
    const retry = {attempts: 3, minDelay: 1, retryable: () => true}
    const verdict = await put({retry})
    expect(verdict).toMatchObject({
      status: 500,
      description: `The old resource may be gone; the upload is at ${server.url}${left()[0]}`,
    })
    expect(contentOf(left()[0] ?? '')).toBe('new')
  })

  it('that has removed the target tells of the only copy after an abort too', async () => {
    const stop = new AbortController()
    const meanwhile = (): void => {
      server.remove('a')
      stop.abort(new Error('enough'))
    }
    server.fault({method: 'MOVE', status: 500, meanwhile})
    const uploads = [{href: 'a', body: 'new'}]
    const {results} = await readToEnd(dav.putMany(uploads, {safely: true, signal: stop.signal}))
    expect(results).toMatchObject([
      {
        status: 500,
        description: `The old resource may be gone; the upload is at ${server.url}${left()[0]}`,
      },
    ])
  })

  it('without an answer that was done is a Success', async () => {
    server.fault({method: 'MOVE', reset: true, obeyed: true})
    expect(await put()).toMatchObject({
      ok: true,
      status: 0,
      description: 'The source is gone, and the destination is there',
    })
    expect(contentOf('a')).toBe('new')
  })

  it('without an answer that was not done is a no-answer, tells of the upload, and is not repeated', async () => {
    server.fault({method: 'MOVE', reset: true})
    expect(await put({retry: {attempts: 3, minDelay: 1}})).toMatchObject({
      reason: 'no-answer',
      description: expect.stringContaining(`The upload may still be at ${server.url}${left()[0]}`),
    })
    expect(contentOf('a')).toBe('old')
    expect(sent().filter((one) => one === 'MOVE /*')).toHaveLength(1)
  })
})

describe('a condition', () => {
  it('ifMatch guards the MOVE by an If header about the target', async () => {
    expect(line(await put({ifMatch}))).toBe('204 self /a')
    expect(sent()).toEqual(['PROPFIND /a', 'PUT /*', 'PROPFIND /*', 'PROPFIND /a', 'MOVE /*'])
    expect(headersOf('MOVE')).toMatchObject({if: `<${server.url}a> ([${ifMatch}])`})
  })

  it('ifMatch and lockToken are in one list', async () => {
    const lockToken = server.lock('a')
    expect(line(await put({ifMatch, lockToken}))).toBe('204 self /a')
    expect(headersOf('MOVE')).toMatchObject({if: `<${server.url}a> (<${lockToken}> [${ifMatch}])`})
  })

  it.each<[string, PutOptions, string, string]>([
    ['ifMatch of another state', {ifMatch: '"older"'}, 'a', 'Its ETag is "1", says PROPFIND'],
    ['ifMatch of nothing', {ifMatch: '"1"'}, 'b', 'Nothing is there, says PROPFIND'],
    ['create of a resource', {create: true}, 'a', 'It is there, says PROPFIND'],
  ])('is a Failure 412 before the upload: %s', async (_, options, target, description) => {
    expect(await put(options, target)).toMatchObject({status: 412, reason: 'status', description})
    expect(sent()).toEqual([`PROPFIND /${target}`])
  })

  it('ifMatch is left to the look, if the server refuses a true condition about the destination', async () => {
    server.fault({method: 'MOVE', status: 412, times: 1})
    expect(line(await put({ifMatch}))).toBe('204 self /a')
    expect(sent().slice(3)).toEqual(['PROPFIND /a', 'MOVE /*', 'PROPFIND /a', 'MOVE /*'])
    expect(headersOf('MOVE')).not.toHaveProperty('if')
  })

  it('ifMatch of a change during the MOVE is a Failure 412', async () => {
    server.fault({method: 'MOVE', status: 412, meanwhile: () => server.put('a', 'other')})
    expect(await put({ifMatch})).toMatchObject({
      status: 412,
      description: `Its ETag is ${server.get('a')?.etag}, says PROPFIND`,
    })
    expect(contentOf('a')).toBe('other')
    expect(left()).toEqual([])
  })

  it('ifMatch that cannot be seen before the MOVE is a no-answer, and the upload is removed', async () => {
    server.fault({method: 'PROPFIND', path: 'a', after: 1, times: 1, reset: true})
    expect(await put({ifMatch})).toMatchObject({
      reason: 'no-answer',
      description: expect.stringContaining('It could not be seen just before it was to be written'),
    })
    expect(contentOf('a')).toBe('old')
    expect(left()).toEqual([])
  })

  it('ifMatch is checked again just before the MOVE', async () => {
    server.fault({method: 'PUT', meanwhile: () => server.put('a', 'other')})
    expect(await put({ifMatch})).toMatchObject({
      status: 412,
      description: `Its ETag is ${server.get('a')?.etag}, says PROPFIND`,
    })
    expect(contentOf('a')).toBe('other')
    expect(left()).toEqual([])
  })

  it('create moves with Overwrite: F', async () => {
    server.fault({method: 'MOVE', meanwhile: () => server.put('b', 'other')})
    expect(line(await put({create: true}, 'b'))).toBe('412 status self /b')
    expect(contentOf('b')).toBe('other')
    expect(left()).toEqual([])
  })
})
