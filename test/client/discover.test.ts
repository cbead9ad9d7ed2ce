// Discovery of calendars and address books, against a server that a test scripts: RFC 6764, RFC 5397, RFC 4791 and RFC 6352.

import {
  basicAuth,
  calendarDecoders,
  DavClient,
  discover,
  type Discovery,
  type DiscoverOptions,
} from 'multistatus'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {propstat} from '../support/fixtures.ts'

const CALDAV = 'xmlns:C="urn:ietf:params:xml:ns:caldav"'
const COLLECTION = '<D:resourcetype><D:collection/></D:resourcetype>'
const CALENDAR = `<D:resourcetype><D:collection/><C:calendar ${CALDAV}/></D:resourcetype>`
const UNAUTHENTICATED = '<D:current-user-principal><D:unauthenticated/></D:current-user-principal>'

const hrefs = (...list: readonly string[]): string =>
  list.map((href) => `<D:href>${href}</D:href>`).join('')
const principal = (href: string): string =>
  `${COLLECTION}<D:current-user-principal>${hrefs(href)}</D:current-user-principal>`
const calendars = (...list: readonly string[]): string =>
  `<D:resourcetype><D:principal/></D:resourcetype><C:calendar-home-set ${CALDAV}>${hrefs(...list)}</C:calendar-home-set>`
const groups = (...list: readonly string[]): string =>
  `<D:group-membership>${hrefs(...list)}</D:group-membership>`

/** Redirects to a URL. */
const redirect = (location: string): Answer => ({status: 301, headers: {location}})

type Resources = Readonly<Record<string, string | number | Answer | typeof RESET>>

let server: FaultServer
let other: FaultServer

beforeEach(async () => {
  server = await startFaultServer()
  other = await startFaultServer()
})

afterEach(async () => {
  await server.close()
  await other.close()
})

/**
 * Sets the resources of a server by path: the properties of a PROPFIND, a status, or an answer to any method. `GET /path` is the
 * answer to a GET. Everything else is 404.
 */
function serve(resources: Resources, from = server): void {
  from.script(({method, url}) => {
    const special = resources[`${method} ${url}`]
    const resource = special ?? resources[url] ?? 404
    if (typeof resource === 'number') return {status: resource}
    if (typeof resource !== 'string') return resource
    if (method === 'OPTIONS') return {status: 200}
    if (method !== 'PROPFIND') return {status: 405}
    return answer207(
      `${OPEN}<D:response><D:href>${url}</D:href>${propstat('HTTP/1.1 200 OK', resource)}</D:response>${SHUT}`,
    )
  })
}

const find = (path = '', options?: DiscoverOptions): Promise<Discovery> =>
  discover(new DavClient({url: server.url + path}), 'caldav', options)

const asked = (from = server): readonly string[] =>
  from.requests.map(({method, url}) => `${method} ${url}`)

const at = (...paths: readonly string[]): readonly string[] =>
  paths.map((path) => server.url.slice(0, -1) + path)

describe('the URL of the client', () => {
  it('names the principal, and the principal names the home set', async () => {
    serve({
      '/dav/': principal('/p/ana/'),
      '/p/ana/': calendars('/cal/ana/'),
      '/cal/ana/': COLLECTION,
    })

    const found = await find('dav/')

    const [dav, user, home] = at('/dav/', '/p/ana/', '/cal/ana/')
    expect(found).toEqual({
      ok: true,
      principal: user,
      homeSets: [{url: home, principal: user}],
      steps: [
        {method: 'PROPFIND', url: dav, status: 200, found: [{kind: 'principal', url: user}]},
        {method: 'PROPFIND', url: user, status: 200, found: [{kind: 'home-set', url: home}]},
        {method: 'PROPFIND', url: home, status: 200, found: []},
      ],
    })
    expect(asked()).toEqual(['PROPFIND /dav/', 'PROPFIND /p/ana/', 'PROPFIND /cal/ana/'])
    expect(server.requests.map(({headers}) => headers['depth'])).toEqual(['0', '0', '0'])
    expect(server.requests[0]?.body).toContain('current-user-principal')
    expect(structuredClone(found)).toEqual(found)
  })

  it('is the principal itself', async () => {
    serve({'/p/ana/': calendars('/cal/ana/'), '/cal/ana/': COLLECTION})

    const [user, home] = at('/p/ana/', '/cal/ana/')
    expect(await find('p/ana/')).toMatchObject({
      ok: true,
      principal: user,
      homeSets: [{url: home, principal: user}],
    })
  })

  it('names a home set without a principal', async () => {
    serve({
      '/': `${COLLECTION}<C:calendar-home-set ${CALDAV}>${hrefs('/cal/')}</C:calendar-home-set>`,
      '/cal/': COLLECTION,
    })

    const found = await find()

    expect(found).toMatchObject({ok: true, homeSets: [{url: `${server.url}cal/`}]})
    expect(found).not.toHaveProperty('principal')
  })

  it('is a calendar of a server without principals', async () => {
    serve({'/cal/work/': CALENDAR})

    const found = await find('cal/work/')

    const url = `${server.url}cal/work/`
    expect(found).toEqual({
      ok: true,
      homeSets: [{url}],
      steps: [{method: 'PROPFIND', url, status: 200, found: [{kind: 'collection', url}]}],
    })
  })

  it('is the home set of a server without principals that has the service, as Synology has', async () => {
    serve({
      '/caldav/': COLLECTION,
      'OPTIONS /caldav/': {status: 200, headers: {dav: '1, 2, calendar-access'}},
    })

    const found = await find('caldav/')

    const [url] = at('/caldav/')
    expect(found).toMatchObject({ok: true, homeSets: [{url}]})
    expect(found.steps.at(-1)).toEqual({
      method: 'OPTIONS',
      url,
      status: 200,
      found: [{kind: 'service', url}],
    })
  })

  it('is no home set on a server that names another service only', async () => {
    serve({
      '/files/': COLLECTION,
      'OPTIONS /files/': {status: 200, headers: {dav: '1, 2, addressbook'}},
    })

    expect(await find('files/')).toMatchObject({
      ok: false,
      reason: 'not-found',
      description: 'No URL of the server names a {urn:ietf:params:xml:ns:caldav}calendar-home-set',
    })
  })
})

describe('the well-known URL', () => {
  const rest = {'/p/ana/': calendars('/cal/ana/'), '/cal/ana/': COLLECTION}

  it('redirects PROPFIND on the same origin', async () => {
    serve({'/.well-known/caldav': redirect('/dav/'), '/dav/': principal('/p/ana/'), ...rest})

    const found = await find()

    const [dav, user] = at('/dav/', '/p/ana/')
    expect(found).toMatchObject({ok: true, principal: user})
    expect(found.steps[0]).toEqual({method: 'PROPFIND', url: server.url, status: 404, found: []})
    expect(found.steps[1]).toEqual({
      method: 'PROPFIND',
      url: `${server.url}.well-known/caldav`,
      status: 200,
      found: [
        {kind: 'redirect', url: dav},
        {kind: 'principal', url: user},
      ],
    })
  })

  it('answers PROPFIND itself', async () => {
    serve({'/.well-known/caldav': principal('/p/ana/'), ...rest})

    expect(await find()).toMatchObject({ok: true, principal: `${server.url}p/ana/`})
  })

  it('redirects GET only', async () => {
    serve({
      '/.well-known/caldav': 405,
      'GET /.well-known/caldav': redirect('/dav/'),
      'GET /dav/': {status: 200, body: 'a page'},
      '/dav/': principal('/p/ana/'),
      ...rest,
    })

    const found = await find()

    expect(found).toMatchObject({ok: true, principal: `${server.url}p/ana/`})
    expect(found.steps[2]).toEqual({
      method: 'GET',
      url: `${server.url}.well-known/caldav`,
      status: 200,
      found: [{kind: 'redirect', url: `${server.url}dav/`}],
    })
  })

  it.each([200, 404, 405])('with status %i leads to the root of the origin', async (status) => {
    serve({'/dav/': COLLECTION, '/.well-known/caldav': status, '/': principal('/p/ana/'), ...rest})

    const found = await find('dav/')

    expect(found).toMatchObject({ok: true, principal: `${server.url}p/ana/`})
    expect(asked()).toEqual([
      'PROPFIND /dav/',
      'PROPFIND /.well-known/caldav',
      'GET /.well-known/caldav',
      'PROPFIND /',
      'PROPFIND /p/ana/',
      'PROPFIND /cal/ana/',
    ])
  })

  it('is another one for address books', async () => {
    const set = `<A:addressbook-home-set xmlns:A="urn:ietf:params:xml:ns:carddav">${hrefs('/book/')}</A:addressbook-home-set>`
    serve({
      '/.well-known/carddav': redirect('/p/'),
      '/p/': principal('/p/') + set,
      '/book/': COLLECTION,
    })

    const found = await discover(new DavClient({url: server.url}), 'carddav')

    expect(found).toMatchObject({ok: true, homeSets: [{url: `${server.url}book/`}]})
  })

  it.each([401, 404])(
    'leads to a URL with status %i, of which the parents are tried',
    async (status) => {
      serve({
        '/.well-known/caldav': redirect('/remote/dav/x/'),
        '/remote/dav/x/': status,
        '/remote/dav/': principal('/p/ana/'),
        ...rest,
      })

      expect(await find()).toMatchObject({ok: true, principal: `${server.url}p/ana/`})
      expect(asked()).toEqual([
        'PROPFIND /',
        'PROPFIND /.well-known/caldav',
        'PROPFIND /remote/dav/x/',
        'PROPFIND /remote/dav/',
        'PROPFIND /p/ana/',
        'PROPFIND /cal/ana/',
      ])
    },
  )
})

describe('the parents of the client’s URL', () => {
  it('are tried up to the origin, the nearest first', async () => {
    serve({'/': principal('/p/'), '/p/': calendars('/cal/'), '/cal/': COLLECTION})

    expect(await find('a/b/')).toMatchObject({ok: true, principal: `${server.url}p/`})
    expect(asked().slice(0, 5)).toEqual([
      'PROPFIND /a/b/',
      'PROPFIND /.well-known/caldav',
      'GET /.well-known/caldav',
      'PROPFIND /',
      'PROPFIND /p/',
    ])
  })

  it('are not tried where the URL itself answers', async () => {
    serve({'/a/b/': COLLECTION, '/.well-known/caldav': redirect('/c/'), '/c/': COLLECTION})

    expect(await find('a/b/')).toMatchObject({ok: false, reason: 'not-found'})
    expect(asked()).toEqual([
      'PROPFIND /a/b/',
      'PROPFIND /.well-known/caldav',
      'PROPFIND /c/',
      'OPTIONS /a/b/',
      'OPTIONS /c/',
    ])
  })
})

describe('a user whom the server does not know', () => {
  it('is unauthenticated after a 401 everywhere', async () => {
    server.answers({status: 401, headers: {'www-authenticate': 'Basic realm="x"'}})

    const found = await find('dav/')

    expect(found).toMatchObject({
      ok: false,
      reason: 'unauthenticated',
      description: 'The server does not know the user',
    })
    expect(found.steps.map(({status}) => status)).toEqual([401, 401, 401])
    expect(found.steps[0]?.description).toContain('the client sent no credentials')
  })

  it('is unauthenticated by the principal', async () => {
    serve({
      '/': COLLECTION + UNAUTHENTICATED,
      'OPTIONS /': {status: 200, headers: {dav: 'calendar-access'}},
    })

    const found = await find()

    expect(found).toMatchObject({ok: false, reason: 'unauthenticated'})
    expect(found.steps[0]?.found).toEqual([{kind: 'unauthenticated', url: server.url}])
    expect(asked().filter((request) => request.startsWith('OPTIONS'))).toEqual([])
  })

  it('is unauthenticated by a principal that answers 401', async () => {
    serve({'/': principal('/p/'), '/p/': 401})

    expect(await find()).toMatchObject({ok: false, reason: 'unauthenticated'})
  })
})

describe('home sets', () => {
  it('are several, without those that are refused', async () => {
    serve({
      '/': principal('/p/'),
      '/p/': calendars('/1/', '/2/', '/3/', '/4/', '/5/'),
      '/1/': COLLECTION,
      '/2/': 403,
      '/3/': 404,
      '/4/': 410,
      '/5/': 503,
    })

    const found = await find()

    const [user, first, last] = at('/p/', '/1/', '/5/')
    // Nobody knows about the one that is busy.
    expect(found).toMatchObject({
      homeSets: [
        {url: first, principal: user},
        {url: last, principal: user},
      ],
    })
    expect(found.steps.map(({status}) => status)).toEqual([200, 200, 200, 403, 404, 410, 503])
  })

  it('are those of groups too, and of the groups of groups', async () => {
    const proxy =
      '<S:calendar-proxy-read-for xmlns:S="http://calendarserver.org/ns/"><D:href>/g/2/</D:href></S:calendar-proxy-read-for>'
    serve({
      '/': principal('/p/'),
      '/p/': calendars('/cal/p/') + groups('/g/1/') + proxy,
      '/g/1/': calendars('/cal/1/', '/cal/p/') + groups('/g/3/', '/p/'),
      '/g/2/': 404,
      '/g/3/': calendars('/cal/3/') + groups('/g/4/'),
      '/cal/p/': COLLECTION,
      '/cal/1/': COLLECTION,
      '/cal/3/': COLLECTION,
    })

    const found = await find()

    const [user, one, three] = at('/p/', '/g/1/', '/g/3/')
    expect(found).toMatchObject({
      principal: user,
      homeSets: [
        {url: `${server.url}cal/p/`, principal: user},
        {url: `${server.url}cal/1/`, principal: one},
        {url: `${server.url}cal/3/`, principal: three},
      ],
    })
    expect(asked()).not.toContain('PROPFIND /g/4/')
    expect(new Set(asked()).size).toBe(asked().length)
  })

  it('end a search after 100 requests, which the trace tells', async () => {
    const many = Array.from({length: 200}, (_, index) => `/g/${index}/`)
    server.script(({url}) => {
      const prop =
        url === '/'
          ? principal('/p/')
          : url === '/p/'
            ? calendars('/p/') + groups(...many)
            : COLLECTION
      return answer207(
        `${OPEN}<D:response><D:href>${url}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`,
      )
    })

    const found = await find()

    expect(found).toMatchObject({ok: true, homeSets: [{url: `${server.url}p/`}]})
    expect(server.requests.length).toBe(100)
    expect(found.steps.at(-1)).toEqual({
      method: 'PROPFIND',
      url: `${server.url}g/98/`,
      status: 0,
      found: [],
      description: 'Not sent: too many requests',
    })
  })

  it('leave it unknown after 100 requests if the server has the service', async () => {
    let last = 0
    server.script(({url}) => {
      const more = Array.from({length: 100}, () => `/g/${++last}/`)
      const prop = principal('/p/') + groups(...more)
      return answer207(
        `${OPEN}<D:response><D:href>${url}</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`,
      )
    })

    expect(await find()).toMatchObject({ok: false, reason: 'no-answer'})
    expect(server.requests.length).toBe(100)
  })
})

describe('a given principal', () => {
  it('that is no URL is a TypeError', async () => {
    await expect(find('dav/', {principal: 'http://['})).rejects.toThrow(
      new TypeError('discover: the principal "http://[" is no URL'),
    )
    expect(server.requests).toEqual([])
  })

  it('is asked at once', async () => {
    serve({'/p/ana/': calendars('/cal/ana/'), '/cal/ana/': COLLECTION})

    expect(await find('dav/', {principal: '/p/ana/'})).toMatchObject({
      ok: true,
      principal: `${server.url}p/ana/`,
    })
    expect(asked()).toEqual(['PROPFIND /p/ana/', 'PROPFIND /cal/ana/'])
  })

  it('without a home set is not found', async () => {
    serve({'/p/ana/': COLLECTION})

    expect(await find('dav/', {principal: '/p/ana/'})).toMatchObject({
      ok: false,
      reason: 'not-found',
    })
  })
})

describe('another origin', () => {
  const there = (): void =>
    serve({'/dav/': principal('/p/'), '/p/': calendars('/cal/'), '/cal/': COLLECTION}, other)
  const clientFor = (origin: string): DavClient => new DavClient({url: origin})

  it('is not asked without a client for it, and gets no credentials', async () => {
    there()
    serve({'/.well-known/caldav': redirect(`${other.url}dav/`)})

    const dav = new DavClient({url: server.url, auth: basicAuth('ana', 'secret')})
    const found = await discover(dav, 'caldav')

    const location = `${other.url}dav/`
    expect(found).toMatchObject({
      ok: false,
      reason: 'elsewhere',
      location,
      description: `The server leads to ${location}, for which there is no client`,
    })
    expect(found.steps[1]?.found).toEqual([
      {kind: 'elsewhere', url: location},
      {kind: 'redirect', url: `${server.url}dav/`},
    ])
    expect(other.requests).toEqual([])
  })

  it('is asked through the client for it', async () => {
    there()
    serve({'/.well-known/caldav': redirect(`${other.url}dav/`)})
    const origins: string[] = []

    const dav = new DavClient({url: server.url, auth: basicAuth('ana', 'secret')})
    const found = await discover(dav, 'caldav', {
      clientFor: (origin) => {
        origins.push(origin)
        return clientFor(origin)
      },
    })

    const user = `${other.url}p/`
    expect(found).toMatchObject({
      ok: true,
      principal: user,
      homeSets: [{url: `${other.url}cal/`, principal: user}],
    })
    expect(origins).toEqual([other.url.slice(0, -1)])
    expect(server.requests[1]?.headers.authorization).toMatch(/^Basic /)
    expect(other.requests.map(({headers}) => headers.authorization)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('has the home set of a principal, as at iCloud', async () => {
    serve({'/cal/': COLLECTION}, other)
    serve({'/': principal('/p/'), '/p/': calendars(`${other.url}cal/`)})

    expect(await find('', {clientFor})).toMatchObject({
      ok: true,
      homeSets: [{url: `${other.url}cal/`}],
    })
  })

  it('in an href is a path on the same origin without a client: a proxy hides the inner host', async () => {
    serve({
      '/': principal('http://inner:8080/p/'),
      '/p/': calendars('http://inner:8080/cal/'),
      '/cal/': COLLECTION,
    })

    const found = await find('', {clientFor: () => undefined})

    expect(found).toMatchObject({ok: true, homeSets: [{url: `${server.url}cal/`}]})
    expect(found.steps[0]?.found).toEqual([
      {kind: 'elsewhere', url: 'http://inner:8080/p/'},
      {kind: 'principal', url: `${server.url}p/`},
    ])
  })

  it('without TLS is not asked by a server with TLS', async () => {
    const origins: string[] = []
    const dav = new DavClient({
      url: 'https://dav.example/',
      transport: async () =>
        new Response(null, {status: 301, headers: {location: 'http://dav.example/dav/'}}),
    })

    const found = await discover(dav, 'caldav', {
      clientFor: (origin) => {
        origins.push(origin)
        return undefined
      },
    })

    expect(found).toMatchObject({
      ok: false,
      reason: 'elsewhere',
      location: 'http://dav.example/dav/',
    })
    expect(found.steps.every(({url}) => url.startsWith('https:'))).toBe(true)
    expect(origins).toEqual([])
  })

  it('without TLS on the same host is asked with TLS, as behind a proxy of Nextcloud', async () => {
    const sent: string[] = []
    const dav = new DavClient({
      url: 'https://dav.example/',
      transport: async ({url}) => {
        sent.push(url)
        if (url.endsWith('/.well-known/caldav'))
          return new Response(null, {
            status: 301,
            headers: {location: 'http://dav.example/remote.php/dav/'},
          })
        const {pathname} = new URL(url)
        const prop = pathname === '/' ? COLLECTION : calendars('/cal/')
        const stat = propstat('HTTP/1.1 200 OK', prop)
        const body = `${OPEN}<D:response><D:href>${pathname}</D:href>${stat}</D:response>${SHUT}`
        return new Response(body, {status: 207})
      },
    })

    expect(await discover(dav, 'caldav')).toMatchObject({
      ok: true,
      principal: 'https://dav.example/remote.php/dav/',
      homeSets: [{url: 'https://dav.example/cal/'}],
    })
    expect(sent).toContain('https://dav.example/remote.php/dav/')
    expect(sent.every((url) => url.startsWith('https:'))).toBe(true)
  })

  it('that leads back ends in no circle', async () => {
    serve({'/.well-known/caldav': redirect(`${other.url}dav/`)})
    serve({'/dav/': redirect(`${server.url}.well-known/caldav`)}, other)

    expect(await find('', {clientFor})).toMatchObject({ok: false, reason: 'not-found'})
    expect(asked(other)).toEqual(['PROPFIND /dav/'])
  })
})

describe('a server without answers', () => {
  it('is a failure with its steps', async () => {
    server.answers(RESET)

    const found = await find()

    expect(found).toMatchObject({
      ok: false,
      reason: 'no-answer',
      description: `PROPFIND ${server.url} got no answer`,
    })
    expect(found.steps.map(({method, status}) => [method, status])).toEqual([
      ['PROPFIND', 0],
      ['PROPFIND', 0],
      ['GET', 0],
    ])
    expect(found.steps[0]?.description).toContain('PROPFIND')
  })

  it('that sends a page is no DAV server, and the step says why', async () => {
    server.answers({status: 200, headers: {'content-type': 'text/html'}, body: '<html></html>'})

    const found = await find()

    expect(found).toMatchObject({ok: false, reason: 'not-found'})
    expect(found.steps[0]?.description).toContain('this may be no WebDAV address')
  })

  it('rejects with the reason of the signal', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    server.script(() => {
      controller.abort(reason)
      return RESET
    })

    await expect(find('', {signal: controller.signal})).rejects.toBe(reason)
  })
})

describe('a server in trouble', () => {
  it('does not say that there is no home set', async () => {
    serve({
      '/': principal('/p/'),
      '/p/': 503,
      'OPTIONS /': {status: 200, headers: {dav: 'calendar-access'}},
    })

    expect(await find()).toMatchObject({
      ok: false,
      reason: 'no-answer',
      description: `PROPFIND ${server.url}p/ answered 503`,
    })
  })

  it('that has no PROPFIND says that', async () => {
    server.answers({status: 501})

    expect(await find()).toMatchObject({ok: false, reason: 'not-found'})
  })
})

describe('the client', () => {
  it('that was closed sends nothing, and the search rejects', async () => {
    const dav = new DavClient({url: server.url})
    await dav.close()

    await expect(discover(dav, 'caldav')).rejects.toThrow('The client was closed')
    expect(server.requests).toEqual([])
  })

  it('may have decoders of its own', async () => {
    serve({'/': principal('/p/'), '/p/': calendars('/cal/'), '/cal/': COLLECTION})
    const decoders = {...calendarDecoders, resourcetype: () => 1}

    const found = await discover(new DavClient({url: server.url, decoders}), 'caldav')

    expect(found).toMatchObject({ok: true, principal: `${server.url}p/`})
  })
})

describe('the arguments', () => {
  it('name a known service and known options', async () => {
    const dav = new DavClient({url: server.url})
    await expect(discover(dav, Object('webdav'))).rejects.toThrow(
      `discover: the service is 'caldav' or 'carddav', not "webdav"`,
    )
    await expect(discover(dav, 'caldav', Object({clientfor: () => dav}))).rejects.toThrow(
      'discover: there is no option "clientfor"; the nearest is clientFor',
    )
    expect(server.requests).toEqual([])
  })
})
