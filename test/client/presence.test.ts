// States the ways in which a server says that a resource is missing. stat, exists, verify and the check after a 412 read them
// alike. RFC 4918, sections 9.1 and 9.2; RFC 9110, section 13.1.1.

import {DavClient, type Transport} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {multistatus, propstat, verdict} from '../support/fixtures.ts'
import {line} from '../support/results.ts'

const url = 'https://dav.example/'

/** A server that answers PROPFIND with this status and body, and DELETE with these statuses; 0 is a broken connection. */
function serving(status: number, body: string | null, ...deletes: readonly number[]): DavClient {
  const left = [...deletes]
  const transport: Transport = async ({method}) => {
    if (method === 'PROPFIND') return new Response(body, {status})
    const next = left.shift() ?? 204
    if (next === 0) throw new Error('reset')
    return new Response(null, {status: next})
  }
  return new DavClient({url, transport})
}

const empty = '<D:propstat><D:prop/><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>'
const missingType = propstat('HTTP/1.1 404 Not Found', '<D:resourcetype/>')
const there = propstat('HTTP/1.1 200 OK', '<D:resourcetype/>')
const of = (inside: string, href = '/a'): string =>
  `<D:response><D:href>${href}</D:href>${inside}</D:response>`

const missing: readonly (readonly [string, number, string | null, number])[] = [
  ['404 without a body', 404, null, 404],
  ['404 with a page', 404, '<html>gone</html>', 404],
  ['410', 410, null, 410],
  ['a response with 404', 207, multistatus(verdict('/a', 'HTTP/1.1 404 Not Found')), 404],
  ['a response with 410', 207, multistatus(verdict('/a', 'HTTP/1.1 410 Gone')), 410],
  ['a propstat of no property with 404', 207, multistatus(of(empty)), 404],
  ['a propstat of the type with 404', 207, multistatus(of(missingType)), 404],
  ['404 with a multistatus that says so', 404, multistatus(verdict('/a', 'HTTP/1.1 404')), 404],
  ['404 with an empty multistatus', 404, multistatus(), 404],
  ['410 with an empty multistatus', 410, multistatus(), 410],
  [
    '404 with a multistatus of another resource',
    404,
    multistatus(verdict('/b', 'HTTP/1.1 403')),
    404,
  ],
  ['a mangled href with 404', 207, multistatus(verdict('http%3A//inner/a', 'HTTP/1.1 404')), 404],
]

describe.each(missing)('%s', (_, status, body, expected) => {
  it('is told by stat with that status', async () => {
    expect(await serving(status, body).stat('a')).toMatchObject({
      ok: false,
      status: expected,
      reason: 'status',
      relation: 'self',
      url: `${url}a`,
    })
  })

  it('does not exist', async () => {
    expect(await serving(status, body).exists('a')).toBe(false)
  })

  it('is gone for verify', async () => {
    const results = await Array.fromAsync(serving(status, body).deleteMany(['a'], {verify: true}))
    expect(results.map(line)).toEqual(['204 self /a'])
  })

  it('is deleted by a lost attempt, if the next one is answered 412', async () => {
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    const target = {href: 'a', ifMatch: '"1"'}
    const results = await Array.fromAsync(
      serving(status, body, 0, 412).deleteMany([target], {retry}),
    )
    expect(results).toMatchObject([{ok: true, status: 404, attempts: 2}])
  })
})

const present: readonly (readonly [string, string])[] = [
  ['its type', multistatus(of(there))],
  [
    'another property that is missing',
    multistatus(of(propstat('HTTP/1.1 404 Not Found', '<D:getetag/>'))),
  ],
  [
    'a property that is refused',
    multistatus(of(propstat('HTTP/1.1 403 Forbidden', '<D:resourcetype/>'))),
  ],
  [
    'its type, and other properties that are missing',
    multistatus(of(there + propstat('HTTP/1.1 404', '<D:getetag/>'))),
  ],
]

describe.each(present)('a resource that is named with %s', (_, body) => {
  it('exists', async () => {
    expect(await serving(207, body).exists('a')).toBe(true)
  })

  it('is still there after a DELETE that was answered 204', async () => {
    const results = await Array.fromAsync(serving(207, body).deleteMany(['a'], {verify: true}))
    expect(results.map(line)).toEqual(['204 status self /a'])
  })

  it('has changed if an attempt is answered 412', async () => {
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    const target = {href: 'a', ifMatch: '"1"'}
    const results = await Array.fromAsync(serving(207, body, 0, 412).deleteMany([target], {retry}))
    expect(results.map(line)).toEqual(['412 status self /a'])
  })
})

const unclear: readonly (readonly [string, number, string])[] = [
  ['both there and missing', 207, multistatus(of(there), verdict('/a', 'HTTP/1.1 404 Not Found'))],
  ['missing, and then there', 207, multistatus(verdict('/a', 'HTTP/1.1 410 Gone'), of(there))],
  ['there under a 404', 404, multistatus(of(there))],
  ['not at all', 207, multistatus()],
  ['a failure of the server', 207, multistatus(verdict('/a', 'HTTP/1.1 500 Oops'))],
  [
    'something that cannot be understood',
    207,
    multistatus('<D:response><D:href>/a</D:href></D:response>'),
  ],
]

describe.each(unclear)('an answer that says: %s', (_, status, body) => {
  it('does not tell if a resource exists', async () => {
    await expect(serving(status, body).exists('a')).rejects.toMatchObject({
      name: 'DavError',
      method: 'PROPFIND',
      url: `${url}a`,
    })
  })

  it('does not tell if a target is gone', async () => {
    const results = await Array.fromAsync(serving(status, body).deleteMany(['a'], {verify: true}))
    expect(results).toMatchObject([
      {ok: false, status: 0, reason: 'no-answer', cause: 'unreadable', relation: 'self'},
    ])
  })
})

describe('stat', () => {
  it.each(unclear.slice(0, 3))(
    'is no-answer for a resource that is %s',
    async (_, status, body) => {
      expect(await serving(status, body).stat('a')).toMatchObject({
        ok: false,
        status: 0,
        reason: 'no-answer',
        cause: 'unreadable',
        relation: 'self',
      })
    },
  )
})

describe('a DELETE', () => {
  const deleting = (status: number, body: string): DavClient =>
    new DavClient({url, transport: async () => new Response(body, {status})})

  it('whose answer says both deleted and missing has no verdict', async () => {
    const body = multistatus(verdict('/a', 'HTTP/1.1 204'), verdict('/a', 'HTTP/1.1 404'))
    const results = await Array.fromAsync(deleting(207, body).deleteMany(['a']))
    expect(results).toMatchObject([{status: 0, reason: 'no-answer', cause: 'unreadable'}])
  })

  it('that is answered 404 with an empty document has a missing target', async () => {
    const dav = deleting(404, multistatus())
    expect((await Array.fromAsync(dav.deleteMany(['a']))).map(line)).toEqual(['404 status self /a'])
    const gone = await Array.fromAsync(dav.deleteMany(['a'], {ifMissing: 'success'}))
    expect(gone.map(line)).toEqual(['404 self /a'])
  })
})
