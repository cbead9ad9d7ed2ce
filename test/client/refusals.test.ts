// States the error of a PROPFIND that was refused or has another answer: its class, its facts and its one sentence. A Multi-Status
// document is read whatever the status. RFC 4918, sections 9.1, 13 and 16.

import {inspect} from 'node:util'

import {
  basicAuth,
  DavClient,
  type DavClientOptions,
  DavError,
  DavHttpError,
  MultiStatusError,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {answer207, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const html = '<html><head><title>403 Forbidden</title></head><body>Forbidden<br></body></html>'
const finite = '<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>'

async function thrownBy(reading: Promise<unknown>): Promise<DavHttpError> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof DavHttpError) return error
  throw new Error('no DavHttpError', {cause: error})
}

// Requests for one collection at a time are refused in the same words here.
describe('Depth infinity that is refused, and Depth 1 too', () => {
  const list = (): Promise<unknown> => dav.propfind('docs/', {depth: 'infinity'}).collect()

  it('is a DavHttpError with the condition', async () => {
    server.answers({status: 403, headers: {'content-type': 'application/xml'}, body: finite})
    const error = await thrownBy(list())
    expect(error).toBeInstanceOf(DavError)
    expect(error).toMatchObject({
      name: 'DavHttpError',
      status: 403,
      method: 'PROPFIND',
      url: `${server.url}docs/`,
      conditions: ['propfind-finite-depth'],
    })
    expect(error.message).toBe(
      `PROPFIND ${server.url}docs/ (Depth: 1) answered 403: propfind-finite-depth`,
    )
  })

  it('has the condition whatever the prefix, the declaration and the Content-Type', async () => {
    const body =
      '<?xml version="1.0" encoding="utf-8"?>\n<error xmlns="DAV:">\n  <propfind-finite-depth/>\n</error>\n'
    server.answers({status: 403, body})
    expect((await thrownBy(list())).conditions).toEqual(['propfind-finite-depth'])
  })

  it('has no condition if the body is HTML, and shows the beginning of it', async () => {
    server.answers({status: 403, headers: {'content-type': 'text/html'}, body: html})
    const error = await thrownBy(list())
    expect(error).toMatchObject({status: 403, conditions: [], excerpt: html})
    expect(error.message).toBe(`PROPFIND ${server.url}docs/ (Depth: 1) answered 403`)
  })

  it('has the words of a server about authorization', async () => {
    const body = 'The authorization header is missing. Authorization failed for ana.'
    server.answers({status: 403, headers: {'content-type': 'text/plain'}, body})
    expect(await dav.delete('docs/a')).toMatchObject({description: body})
  })

  it.each([200, 207, 403, 500])(
    'has no credentials of a page that repeats the request: %i',
    async (status) => {
      const own = new DavClient({url: server.url, transport, auth: basicAuth('ana', 's3cret')})
      server.script(({headers}) => ({
        status,
        headers: {'content-type': 'text/plain'},
        body: `authorization: ${String(headers['authorization'])}`,
      }))
      const {failures} = await own.deleteMany(['docs/a']).collect()
      const error = await own
        .propfind('docs/')
        .collect()
        .catch((thrown: unknown) => thrown)
      const told = inspect([failures, error], {depth: 9})
      expect(server.requests[0]?.headers['authorization']).toBe('Basic YW5hOnMzY3JldA==')
      expect(told).toContain('uthorization: Basic …')
      expect(told).not.toContain('YW5hOnMzY3JldA')
    },
  )

  it.each([400, 403, 405, 501])('has the status %i if there is no body', async (status) => {
    server.answers({status})
    expect(await thrownBy(list())).toMatchObject({status, conditions: [], excerpt: ''})
  })
})

// A sentence about these statuses says more.
const HINTS = new Map([
  [401, ': the client sent no credentials'],
  [405, ': this may be no WebDAV address'],
  [501, ': this may be no WebDAV address'],
])

describe('a PROPFIND that is refused as a whole', () => {
  it.each([300, 304, 400, 401, 403, 404, 405, 410, 423, 429, 500, 501, 502, 503, 507, 599])(
    'is a DavHttpError with status %i',
    async (status) => {
      server.answers({status})
      const error = await thrownBy(dav.propfind('docs/').collect())
      expect(error).toMatchObject({name: 'DavHttpError', status, location: undefined})
      const hint = HINTS.get(status) ?? ''
      expect(error.message).toBe(`PROPFIND ${server.url}docs/ (Depth: 1) answered ${status}${hint}`)
      expect(server.requests).toHaveLength(1)
    },
  )

  it.each<[string, Partial<DavClientOptions>, string, string]>([
    [
      'no auth',
      {},
      'Basic realm="Files"',
      'the client sent no credentials; the server wants Basic',
    ],
    [
      'an auth that gives nothing',
      {auth: () => undefined},
      'Basic realm="Files"',
      'the client sent no credentials; the server wants Basic',
    ],
    [
      'wrong credentials',
      {auth: basicAuth('ana', 'hidden-secret')},
      'Basic realm="Files"',
      'the server refused the credentials; the server wants Basic',
    ],
    [
      'credentials among the headers',
      {headers: {Authorization: 'hidden-secret'}},
      'Basic realm="Files"',
      'the server refused the credentials; the server wants Basic',
    ],
    [
      'Basic instead of Digest',
      {auth: basicAuth('ana', 'hidden-secret')},
      'Digest realm="Files", nonce="x"',
      'the client sent Basic, and the server wants Digest (realm "Files")',
    ],
  ])('explains a 401: %s', async (_, options, challenge, words) => {
    server.answers({status: 401, headers: {'www-authenticate': challenge}})
    const client = new DavClient({url: server.url, transport, ...options})
    const [scheme] = challenge.split(' ')
    const error = await thrownBy(client.propfind('docs/').collect())
    expect(error.challenges).toEqual([{scheme, realm: 'Files'}])
    expect(error.message).toContain(`answered 401: ${words}`)
    const verdicts = [
      await client.stat('docs/'),
      await client.options('docs/'),
      await client.get('docs/a'),
      await client.put('docs/a', 'text'),
      await client.mkcol('docs/b/'),
      await client.proppatch('docs/a', {remove: ['{urn:example}a']}),
      await client.copy('docs/a', 'docs/b'),
      await client.move('docs/a', 'docs/b'),
      await client.delete('docs/a'),
    ]
    for (const verdict of verdicts) {
      expect(verdict).toMatchObject({ok: false, status: 401})
      expect(verdict).toHaveProperty('description', expect.stringContaining(words))
    }
    for (const text of [error.message, JSON.stringify(verdicts)]) {
      expect(text).not.toContain('hidden-secret')
      expect(text).not.toContain('YW5hOm')
    }
  })

  it('has the words of the server, if it says some', async () => {
    const body =
      '<d:error xmlns:d="DAV:"><s:message xmlns:s="http://sabredav.org/ns">Ask Eve</s:message></d:error>'
    server.answers({status: 401, headers: {'www-authenticate': 'Basic realm="a"'}, body})
    const verdicts = [
      await dav.stat('docs/'),
      await dav.options('docs/'),
      await dav.get('docs/a'),
      await dav.put('docs/a', 'text'),
      await dav.mkcol('docs/b/'),
      await dav.proppatch('docs/a', {remove: ['{urn:example}a']}),
      await dav.lock('docs/a'),
      await dav.move('docs/a', 'docs/b'),
      await dav.delete('docs/a'),
    ]
    for (const verdict of verdicts)
      expect(verdict).toMatchObject({ok: false, status: 401, description: 'Ask Eve'})
  })

  it('has the challenges of several headers in their order', async () => {
    const challenge = ['Negotiate', 'Digest realm="a", qop="auth,auth-int"', 'Basic realm="b"']
    server.answers({status: 401, headers: {'www-authenticate': challenge}})
    for (const each of [transport, fetchTransport()]) {
      const client = new DavClient({url: server.url, transport: each})
      expect((await thrownBy(client.propfind('docs/').collect())).challenges).toEqual([
        {scheme: 'Negotiate'},
        {scheme: 'Digest', realm: 'a'},
        {scheme: 'Basic', realm: 'b'},
      ])
    }
  })

  it('has no challenges if there are none', async () => {
    server.answers({status: 403})
    expect((await thrownBy(dav.propfind('docs/').collect())).challenges).toEqual([])
  })

  it('names conditions of other namespaces in Clark notation, in their order', async () => {
    const body =
      '<error xmlns="DAV:" xmlns:c="urn:c"><lock-token-submitted><href>/docs/</href></lock-token-submitted><c:no/></error>'
    server.answers({status: 423, body})
    expect((await thrownBy(dav.propfind('docs/').collect())).conditions).toEqual([
      'lock-token-submitted',
      '{urn:c}no',
    ])
  })

  it.each([
    ['seconds', '2', 2000],
    ['zero seconds', '0', 0],
    ['a date that is past', 'Sun, 06 Nov 1994 08:49:37 GMT', 0],
    ['nonsense', 'soon', undefined],
    ['a negative number', '-5', undefined],
  ])('gives Retry-After in milliseconds: %s', async (_, value, retryAfter) => {
    server.answers({status: 503, headers: {'retry-after': value}})
    expect((await thrownBy(dav.propfind('docs/').collect())).retryAfter).toBe(retryAfter)
  })

  it('shows no more than the first thousand characters of a body', async () => {
    server.answers({status: 500, body: 'x'.repeat(200_000)})
    expect((await thrownBy(dav.propfind('docs/').collect())).excerpt).toBe('x'.repeat(1000))
  })

  it('has a sentence of one line, whatever the server writes', async () => {
    server.answers({
      status: 403,
      body: '<error xmlns="DAV:" xmlns:e="urn:&#10;&#27;[31m"><e:x/></error>',
    })
    const {message} = await thrownBy(dav.propfind('docs/').collect())
    expect(message).not.toMatch(/[\u0000-\u001F\u007F]/)
  })
})

describe('an answer to PROPFIND that is no Multi-Status document', () => {
  const read = (): Promise<unknown> => dav.propfind('docs/').collect()

  it.each([
    ['an HTML login page', 200, 'text/html', `<!DOCTYPE html>${html}`],
    ['an HTML login page without a doctype', 200, 'text/html', html],
    ['JSON', 200, 'application/json', '{"error":"login"}'],
    ['a DAV:error', 200, 'application/xml', finite],
    ['a multistatus of no namespace', 207, 'application/xml', '<multistatus/>'],
    ['a multistatus of another namespace', 207, 'application/xml', '<multistatus xmlns="urn:x"/>'],
    ['HTML with status 207', 207, 'text/html', html],
    ['text with status 207', 207, 'text/plain', 'Multi-Status'],
  ])('is a MultiStatusError not-multistatus: %s', async (_, status, type, body) => {
    server.answers({status, headers: {'content-type': type}, body})
    await expect(read()).rejects.toMatchObject({
      name: 'MultiStatusError',
      reason: 'not-multistatus',
    })
  })

  it.each([200, 204, 207])('is a MultiStatusError if there is no body: %i', async (status) => {
    server.answers({status})
    await expect(read()).rejects.toBeInstanceOf(MultiStatusError)
  })

  it('shows the request and the answer in the sentence', async () => {
    server.answers({status: 200, headers: {'content-type': 'text/html'}, body: html})
    const sentence = new RegExp(
      `PROPFIND ${server.url}docs/.*<html>.*\\(status 200, and this may be no WebDAV address\\)$`,
    )
    await expect(read()).rejects.toThrow(sentence)
  })
})

describe('rule 11: a Multi-Status document', () => {
  it.each([
    [200, 'application/xml'],
    [207, 'text/html'],
    [207, 'application/octet-stream'],
    [207, ''],
  ])('is read as one with status %i and Content-Type "%s"', async (status, type) => {
    const body = listing('/docs/', '/docs/a.txt')
    server.answers({status, headers: {'content-type': type}, body})
    const {successes, summary} = await dav.propfind('docs/').collect()
    expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a.txt'])
    expect(summary.complete).toBe(true)
  })

  it.each([403, 424, 500])(
    'is read with status %i, and the listing is not complete',
    async (status) => {
      server.answers({...answer207(listing('/docs/', '/docs/a.txt')), status})
      const {successes, summary} = await dav.propfind('docs/').collect()
      expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a.txt'])
      expect(summary.complete).toBe(false)
    },
  )
})
