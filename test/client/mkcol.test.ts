// States the request of an MKCOL, the parents that it makes, and the verdict on each answer. RFC 4918, sections 9.3 and 9.3.1;
// RFC 5689, sections 3 to 5.

import {DavClient, type DavResult, type MkcolOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {propstat, verdict} from '../support/fixtures.ts'
import {type PropertyServer, startPropertyServer} from '../support/property-server.ts'
import {line, refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 10_000})

const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

describe('on a server that keeps collections', () => {
  let model: PropertyServer
  let dav: DavClient

  beforeEach(async () => {
    model = await startPropertyServer()
    dav = new DavClient({url: model.url, transport})
  })

  afterEach(() => model.close())

  it('the URL has a slash at its end, and the request no body and no Content-Type', async () => {
    expect(await dav.mkcol('a')).toEqual({
      ok: true,
      href: '/dav/a/',
      url: `${model.url}a/`,
      relation: 'self',
      status: 201,
      properties: {},
      missing: [],
    })
    expect(model.requests).toMatchObject([{method: 'MKCOL', url: '/dav/a/', body: ''}])
    expect(model.requests[0]?.headers).not.toHaveProperty('content-type')
    expect(model.requests[0]?.headers).not.toHaveProperty('if')
  })

  it('submits a lock token', async () => {
    await dav.mkcol('a/', {lockToken: 'urn:uuid:1'})
    expect(model.requests[0]?.headers['if']).toBe(`<${dav.url}a/> (<urn:uuid:1>)`)
  })

  it('without parents, one that is there is a Failure 405, and a missing parent a Failure 409', async () => {
    model.add('/dav/a/')
    expect(line(await dav.mkcol('a/'))).toBe('405 status self /dav/a/')
    expect(line(await dav.mkcol('b/c/'))).toBe('409 status self /dav/b/c/')
    expect(model.asked).toEqual(['MKCOL /dav/a/', 'MKCOL /dav/b/c/'])
  })

  it('with parents, begins with the nearest missing one', async () => {
    model.add('/dav/a/')
    expect(await dav.mkcol('a/b/c/d/', {parents: true})).toMatchObject({
      ok: true,
      status: 201,
      attempts: 2,
    })
    expect(model.asked).toEqual([
      'MKCOL /dav/a/b/c/d/',
      'MKCOL /dav/a/b/c/',
      'MKCOL /dav/a/b/',
      'MKCOL /dav/a/b/c/',
      'MKCOL /dav/a/b/c/d/',
    ])
  })

  it('with parents, makes each of them if none is there, and submits the lock token for each', async () => {
    const options = {parents: true, lockToken: 'urn:uuid:1'}
    expect(line(await dav.mkcol('a/b/c', options))).toBe('201 self /dav/a/b/c/')
    expect([...model.resources.keys()]).toEqual([
      '/',
      '/dav/',
      '/dav/a/',
      '/dav/a/b/',
      '/dav/a/b/c/',
    ])
    expect(new Set(model.requests.map(({headers}) => headers['if']))).toEqual(
      new Set([`<${dav.url}a/b/c/> (<urn:uuid:1>)`]),
    )
  })

  it('with parents, the same call again has no effect, and shows the 405', async () => {
    await dav.mkcol('a/b/', {parents: true})
    const before = [...model.resources.keys()]
    expect(await dav.mkcol('a/b/', {parents: true})).toMatchObject({
      ok: true,
      status: 405,
      description: 'The collection is there',
    })
    expect([...model.resources.keys()]).toEqual(before)
  })

  it('with parents, a file in the place of the collection is a Failure', async () => {
    model.add('/dav/a')
    expect(await dav.mkcol('a/', {parents: true})).toMatchObject({
      ok: false,
      status: 405,
      reason: 'status',
      description: 'A resource that is no collection is there',
    })
  })

  it('with parents, a file in the place of a parent is a Failure that names it', async () => {
    model.add('/dav/a')
    const found = await dav.mkcol('a/b/c/', {parents: true})
    expect(found).toMatchObject({
      ok: false,
      url: `${model.url}a/b/c/`,
      status: 405,
      reason: 'status',
      description: `Its parent ${model.url}a/ could not be made: A resource that is no collection is there`,
      request: {method: 'MKCOL', url: `${model.url}a/b/c/`, parents: true, attempts: 1},
    })
  })

  it("never makes the client's own collection or one above it", async () => {
    const below = new DavClient({url: `${model.url}none/base/`, transport})
    expect(await below.mkcol('a/b/', {parents: true})).toMatchObject({
      ok: false,
      status: 409,
      description: `Its parent ${model.url}none/base/a/ could not be made: answered 409`,
    })
    expect(model.asked).toEqual([
      'MKCOL /dav/none/base/a/b/',
      'MKCOL /dav/none/base/a/',
      'PROPFIND /dav/none/base/a/',
      'PROPFIND /dav/none/base/a/b/',
    ])
    expect(line(await below.mkcol('/dav/x/y/', {parents: true}))).toBe('409 status self /dav/x/y/')
    expect([...model.resources.keys()]).toEqual(['/', '/dav/'])
  })

  it("makes the client's own collection where it is the target", async () => {
    const below = new DavClient({url: `${model.url}base/`, transport})
    expect(line(await below.mkcol(''))).toBe('201 self /dav/base/')
  })

  it('a parent that is made in the meantime is no failure', async () => {
    model.set({
      answers: (method, number) => {
        if (method !== 'MKCOL' || number !== 2) return undefined
        model.add('/dav/a/')
        return undefined
      },
    })
    expect(line(await dav.mkcol('a/b/', {parents: true}))).toBe('201 self /dav/a/b/')
  })

  it('a lost answer is a Success without a status if the collection is there', async () => {
    model.set({answers: (method) => (method === 'MKCOL' ? 'lost' : undefined)})
    expect(await dav.mkcol('a/')).toMatchObject({
      ok: true,
      status: 0,
      description: 'The collection is there',
    })
  })

  it('a lost answer without a collection there rejects', async () => {
    model.set({answers: (method) => (method === 'PROPFIND' ? {status: 404} : 'lost')})
    await expect(dav.mkcol('a/')).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  it('a 405 after an earlier attempt is a Success if a collection is there', async () => {
    model.set({
      answers: (method, number) =>
        method === 'PROPFIND' && number === 1
          ? {status: 403}
          : method === 'MKCOL' && number === 1
            ? 'lost'
            : undefined,
    })
    expect(await dav.mkcol('a/', {retry: quick})).toMatchObject({
      ok: true,
      status: 405,
      attempts: 2,
    })
    const pair = ['MKCOL /dav/a/', 'PROPFIND /dav/a/']
    expect(model.asked).toEqual([...pair, ...pair])
  })

  it('is sent again by retry, with its parents', async () => {
    model.set({answers: (_, number) => (number === 1 ? {status: 503} : undefined)})
    const failure = await dav.mkcol('a/b/', {parents: true})
    if (failure.ok) throw new Error('not a Failure')
    const {successes} = await dav.retry([JSON.parse(JSON.stringify(failure))], quick).collect()
    expect(successes.map(line)).toEqual(['201 self /dav/a/b/'])
  })

  it.each<[string, unknown]>([
    ['a misspelt option', {parent: true}],
    ['parents that are no boolean', {parents: 1}],
    ['a condition on the ETag', {ifMatch: '"1"'}],
    ['a text as resourcetype', {properties: {resourcetype: 'collection'}}],
    ['a list of properties', {properties: ['displayname']}],
  ])('is refused with a TypeError for %s', async (_, options) => {
    const call = (given: never): unknown => dav.mkcol('a/', given)
    expect(await refusalOf(() => Reflect.apply(call, undefined, [options]))).toBeInstanceOf(
      TypeError,
    )
    expect(model.asked).toEqual([])
  })
})

describe('the verdict', () => {
  let server: FaultServer
  let dav: DavClient

  beforeEach(async () => {
    server = await startFaultServer()
    dav = new DavClient({url: server.url, transport})
  })

  afterEach(() => server.close())

  /** Answers MKCOL, and PROPFIND with these resources. */
  function after(ofMkcol: Answer, ...there: readonly string[]): void {
    server.script(({method}) => {
      if (method === 'OPTIONS') return {status: 200, headers: {dav: '1, extended-mkcol'}}
      if (method === 'MKCOL') return ofMkcol
      return there.length === 0 ? {status: 404} : answer207(listing(...there))
    })
  }

  it.each([
    ['Cyrus 3.6', {status: 403}, 403],
    ['a server that says 406', {status: 406}, 406],
    ['a server that says 423', {status: 423}, 423],
    ['4shared', {status: 409}, 409],
    ['a redirect', {status: 302, headers: {location: '/login'}}, 302],
    ['a 207 of nephele', answer207(OPEN + verdict('/a/', 'HTTP/1.1 405 x') + SHUT), 405],
  ])(
    'with parents is a Success if a collection is there behind the refusal of %s',
    async (_, answer, status) => {
      after(answer, '/a/')
      expect(await dav.mkcol('a/', {parents: true})).toMatchObject({ok: true, status})
      expect(await dav.mkcol('a/')).toMatchObject({ok: false, status, reason: 'status'})
      after(answer)
      expect(await dav.mkcol('a/', {parents: true})).toMatchObject({ok: false, status})
    },
  )

  it.each([507, 415, 500])(
    'with parents is a Failure %i even if a collection is there',
    async (status) => {
      after({status}, '/a/')
      expect(await dav.mkcol('a/', {parents: true})).toMatchObject({ok: false, status})
      expect(server.requests).toHaveLength(1)
    },
  )

  it('is 201 for a collection that is there on rclone 1.60 and XRootD 5.5, as they say so', async () => {
    after({status: 201, body: ':-)'}, '/a/')
    expect(await dav.mkcol('a/')).toMatchObject({ok: true, status: 201})
  })

  it.each([404, 409, 403])('makes missing parents after a %i', async (status) => {
    const there = new Set(['/'])
    server.script(({method, url}) => {
      if (method === 'PROPFIND') return there.has(url) ? answer207(listing(url)) : {status: 404}
      if (!there.has(url.replace(/[^/]+\/$/, ''))) return {status}
      there.add(url)
      return {status: 201}
    })
    expect(line(await dav.mkcol('a/b/c/', {parents: true}))).toBe('201 self /a/b/c/')
    expect([...there]).toEqual(['/', '/a/', '/a/b/', '/a/b/c/'])
  })

  it('looks at no parent after a 403 without parents', async () => {
    server.script(() => ({status: 403}))
    expect(await dav.mkcol('a/b/c/')).toMatchObject({ok: false, status: 403})
    expect(server.requests).toHaveLength(1)
  })

  it('stops at the first parent that is refused for another reason', async () => {
    server.script(({url}) => ({status: url === '/a/b/c/' ? 409 : 507}))
    expect(await dav.mkcol('a/b/c/', {parents: true})).toMatchObject({
      ok: false,
      status: 507,
      description: `Its parent ${server.url}a/b/ could not be made: answered 507`,
    })
    expect(server.requests).toHaveLength(2)
  })

  describe('with properties', () => {
    const special = '{http://example.com/ns/}special-resource'
    const options: MkcolOptions = {
      properties: {resourcetype: [special], displayname: 'Special Resource'},
    }

    it('has the request of the example in RFC 5689, section 3.3', async () => {
      after({status: 201})
      expect(await dav.mkcol('home/special', options)).toMatchObject({
        ok: true,
        status: 201,
        properties: {},
      })
      expect(server.requests).toMatchObject([
        {method: 'OPTIONS', url: '/'},
        {
          method: 'MKCOL',
          url: '/home/special/',
          headers: {'content-type': 'application/xml; charset=utf-8'},
          body:
            '<?xml version="1.0" encoding="utf-8"?>\n<D:mkcol xmlns:D="DAV:" xmlns:n1="http://example.com/ns/">' +
            '<D:set><D:prop><D:resourcetype><D:collection/><n1:special-resource/></D:resourcetype>' +
            '<D:displayname>Special Resource</D:displayname></D:prop></D:set></D:mkcol>',
        },
      ])
    })

    it('adds collection once, and to any other property', async () => {
      after({status: 201})
      await dav.mkcol('a', {properties: {displayname: 'A'}})
      await dav.mkcol('a', {properties: {'{DAV:}resourcetype': ['{DAV:}collection']}})
      const bodies = server.requests.filter(({method}) => method === 'MKCOL').map(({body}) => body)
      const types = '<D:resourcetype><D:collection/></D:resourcetype>'
      expect(bodies.map((body) => /<D:prop>(.*)<\/D:prop>/.exec(body)?.[1])).toEqual([
        `${types}<D:displayname>A</D:displayname>`,
        types,
      ])
    })

    it('an empty object means none', async () => {
      after({status: 201})
      await dav.mkcol('a', {properties: {}})
      expect(server.requests).toMatchObject([{method: 'MKCOL', body: ''}])
    })

    it.each<[string, Answer]>([
      ['does not name extended-mkcol', {status: 200, headers: {dav: '1, 2'}}],
      ['fails', {status: 500}],
    ])('is a Failure refused if the answer to OPTIONS %s', async (_, answer) => {
      server.answers(answer)
      expect(await dav.mkcol('a', options)).toMatchObject({
        ok: false,
        href: '/a/',
        status: 0,
        reason: 'refused',
      })
      expect(server.requests.map(({method}) => method)).toEqual(['OPTIONS'])
    })

    it('is sent without a question if the caller says so, and never in a dry run', async () => {
      after({status: 201})
      await dav.mkcol('a', {...options, dryRun: true})
      await dav.mkcol('a', {...options, ignoreCapabilities: true})
      expect(server.requests.map(({method}) => method)).toEqual(['MKCOL'])
    })

    // RFC 5689, section 3.4.
    const refused =
      '<?xml version="1.0" encoding="utf-8" ?><D:mkcol-response xmlns:D="DAV:">' +
      '<D:propstat><D:prop><D:resourcetype/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status>' +
      '<D:error><D:valid-resourcetype /></D:error>' +
      '<D:responsedescription>Resource type is not supported by this server</D:responsedescription></D:propstat>' +
      '<D:propstat><D:prop><D:displayname/></D:prop><D:status>HTTP/1.1 424 Failed Dependency</D:status></D:propstat>' +
      '</D:mkcol-response>'
    const missing = [
      {
        name: 'resourcetype',
        status: 403,
        conditions: ['valid-resourcetype'],
        description: 'Resource type is not supported by this server',
      },
      {name: 'displayname', status: 424, conditions: []},
    ]

    it.each([424, 403, 207, 201])(
      'reads the mkcol-response of RFC 5689, section 3.4, with status %i',
      async (status) => {
        after({status, body: refused})
        const found = await dav.mkcol('home/special', options)
        expect(found).toMatchObject({
          ok: false,
          href: '/home/special/',
          url: `${server.url}home/special/`,
          relation: 'self',
          status: 403,
          reason: 'propstat',
          missing,
        })
        expect(found).not.toHaveProperty('description')
      },
    )

    it('tells that the collection was made all the same: SabreDAV 4 answers 207 with a 403 for displayname', async () => {
      const parts = [
        propstat('HTTP/1.1 200 OK', '<D:resourcetype/>'),
        propstat('HTTP/1.1 403 F', '<D:displayname/>'),
      ]
      const body = `${OPEN}<D:response><D:href>/a</D:href>${parts.join('')}</D:response>${SHUT}`
      after(answer207(body), '/a/')
      expect(await dav.mkcol('a', options)).toMatchObject({
        ok: false,
        href: '/a',
        status: 403,
        reason: 'propstat',
        missing: [{name: 'displayname', status: 403}],
        description: 'The collection is there all the same',
      })
    })

    it('is a Failure behind a 201 of xandikos 0.2 whose mkcol-response has a 409', async () => {
      const body = `<ns0:mkcol-response xmlns:ns0="DAV:"><ns0:propstat><ns0:status>HTTP/1.1 409 Conflict</ns0:status><ns0:prop><ns0:resourcetype/></ns0:prop></ns0:propstat></ns0:mkcol-response>`
      after({status: 201, body}, '/a/')
      expect(await dav.mkcol('a', options)).toMatchObject({
        ok: false,
        status: 409,
        reason: 'propstat',
        missing: [{name: 'resourcetype', status: 409}],
        description: 'The collection is there all the same',
      })
    })

    it('is a Success with the status of the answer if its mkcol-response has 200 only', async () => {
      const body = `<D:mkcol-response xmlns:D="DAV:">${propstat('HTTP/1.1 200 OK', '<D:resourcetype/><D:displayname/>')}</D:mkcol-response>`
      after({status: 201, body})
      expect(await dav.mkcol('a', options)).toEqual({
        ok: true,
        href: '/a/',
        url: `${server.url}a/`,
        relation: 'self',
        status: 201,
        properties: {},
        missing: [],
      })
    })

    it('is unknown behind a mkcol-response that was cut off', async () => {
      after({status: 201, body: refused.slice(0, 200)})
      await expect(dav.mkcol('a', options)).rejects.toMatchObject({
        name: 'MultiStatusError',
        reason: 'truncated',
      })
    })

    describe('of a collection that is there', () => {
      /** Answers MKCOL with 405, and PROPFIND with this displayname and type. */
      function there(displayname: string): void {
        const types =
          '<D:collection/><x:special-resource xmlns:x="http://example.com/ns/"/><D:more/>'
        const prop = `<D:resourcetype>${types}</D:resourcetype><D:displayname>${displayname}</D:displayname>`
        const body = `${OPEN}<D:response><D:href>/a/</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`
        server.script(({method}) => {
          if (method === 'OPTIONS') return {status: 200, headers: {dav: 'extended-mkcol'}}
          return method === 'MKCOL' ? {status: 405} : answer207(body)
        })
      }
      const again = (): Promise<DavResult> => dav.mkcol('a/', {...options, parents: true})

      it('with parents is a Success if it has these properties', async () => {
        there('Special Resource')
        expect(await again()).toMatchObject({ok: true, status: 405})
      })

      it('with parents is a Failure if it has others', async () => {
        there('Mine')
        expect(await again()).toMatchObject({
          ok: false,
          status: 405,
          description: 'The collection is there, but not all of its properties are as given',
        })
      })
    })
  })
})
