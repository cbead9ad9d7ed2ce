// States that parts of headers go back to the server byte for byte, whatever its charset: ETags in conditions, and the realm and the
// nonce of a Digest challenge. RFC 9110, section 5.5; RFC 7616, section 3.4.

import {createHash} from 'node:crypto'

import {DavClient, digestAuth, type Failure, formatIf} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, describe, expect, it} from 'vitest'

import {fieldsOf} from '../support/digest-gate.ts'
import {RESET} from '../support/fault-server.ts'
import {type RawRequest, type RawServer, startRawServer} from '../support/raw-server.ts'

let server: RawServer | undefined
afterEach(() => server?.close())

/** Writes the bytes of a text as the raw server does: a character for each. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1')

const headerOf = ({headers}: RawRequest, wanted: string): string | undefined =>
  headers.find(([name]) => name.toLowerCase() === wanted)?.[1]

const answer = (status: string, headers: readonly string[], body = ''): string =>
  [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n')

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_name, make) => {
  const open = (): DavClient => new DavClient({url: server?.url ?? '', transport: make()})

  describe.each([
    ['UTF-8', utf8('"✓é"')],
    ['UTF-8 within Latin-1', utf8('"é"')],
    ['UTF-8 beyond the basic plane', utf8('"😀"')],
    ['Latin-1', '"\u00E9"'],
  ])('an ETag in %s', (_charset, etag) => {
    it('of an answer goes back as it came', async () => {
      server = await startRawServer(({method}) => [
        method === 'GET'
          ? answer('200 OK', [`ETag: ${etag}`], 'text')
          : answer('201 Created', [`ETag: ${etag}`]),
      ])
      const dav = open()
      const read = await dav.get('a')
      if (!read.ok) throw new Error(read.description)
      await read.bytes()
      const put = await dav.put('a', 'text', {ifMatch: read.etag ?? ''})
      expect(put).toMatchObject({ok: true, etag: read.etag})
      await dav.get('a', {ifNoneMatch: read.etag ?? ''})
      const list = formatIf([{conditions: [{etag: read.etag ?? ''}]}])
      await dav.request('PUT', 'a', {headers: {if: list}, body: 'x'})
      const [, second, third, last] = server.requests
      expect(second && headerOf(second, 'if-match')).toBe(etag)
      expect(third && headerOf(third, 'if-none-match')).toBe(etag)
      expect(last && headerOf(last, 'if')).toBe(`([${etag}])`)
    })

    it('asks for the rest of a broken download', async () => {
      server = await startRawServer((request) =>
        headerOf(request, 'range') === undefined
          ? [answer('200 OK', [`ETag: ${etag}`], 'text').slice(0, -2), 20, RESET]
          : [answer('206 Partial', [`ETag: ${etag}`, 'Content-Range: bytes 2-3/4'], 'xt')],
      )
      const read = await open().get('a', {resume: true})
      expect(read.ok && (await read.text())).toBe('text')
      expect(server.requests.map((request) => headerOf(request, 'if-range'))).toEqual([
        undefined,
        etag,
      ])
    })
  })

  it('an ETag of a listing goes back in UTF-8 if it is beyond Latin-1', async () => {
    const body = utf8(
      '<multistatus xmlns="DAV:"><response><href>/a</href><propstat><prop><getetag>"✓é"</getetag><resourcetype/></prop><status>HTTP/1.1 200 OK</status></propstat></response></multistatus>',
    )
    const statuses = ['423 Locked', '204 No Content']
    server = await startRawServer(({method}) => [
      method === 'PROPFIND'
        ? answer('207 Multi-Status', [], body)
        : answer(statuses.shift() ?? '', []),
    ])
    const dav = open()
    const result = await dav.stat('a', {properties: ['getetag', 'resourcetype']})
    expect(result).toMatchObject({properties: {getetag: '"✓é"'}})
    if (!result.ok) return
    const failure = await dav.delete(result, {ifUnchanged: true})
    if (failure.ok) throw new Error('it was not locked')
    const kept: Failure = JSON.parse(JSON.stringify(failure))
    expect(await dav.retry([kept]).collect()).toMatchObject({failures: []})
    const sent = server.requests.slice(1).map((request) => headerOf(request, 'if-match'))
    expect(sent).toEqual([utf8('"✓é"'), utf8('"✓é"')])
  })
})

describe('Digest', () => {
  const md5 = (bytes: string): string =>
    createHash('md5').update(Buffer.from(bytes, 'latin1')).digest('hex')

  /** Guards a server that has the realm, the names and the passwords in some bytes, and hashes others. */
  async function guard(sent: string, hashed: string): Promise<void> {
    const realm = sent.split(':')[1] ?? ''
    server = await startRawServer((request) => {
      const given = fieldsOf(headerOf(request, 'authorization') ?? '')
      const asked = md5(`${request.method}:${request.url}`)
      const middle = `${given['nonce']}:${given['nc']}:${given['cnonce']}:auth`
      const isRight =
        given['realm'] === realm &&
        given['username'] === sent.split(':')[0] &&
        given['nonce'] === 'n-\u00E9' &&
        given['response'] === md5(`${md5(hashed)}:${middle}:${asked}`)
      const challenge = `WWW-Authenticate: Digest realm="${realm}", nonce="n-\u00E9", qop="auth"`
      return [isRight ? answer('204 No Content', []) : answer('401 Unauthorized', [challenge])]
    })
  }

  it.each<[string, string, string]>([
    ['a realm in Latin-1', 'ana:\u00C9t\u00E9:secret', 'ana:\u00C9t\u00E9:secret'],
    [
      'all in Latin-1',
      'm\u00FCller:\u00C9t\u00E9:stra\u00DFe',
      'm\u00FCller:\u00C9t\u00E9:stra\u00DFe',
    ],
    [
      'headers in Latin-1 and hashes in UTF-8, as Tomcat',
      'm\u00FCller:\u00C9t\u00E9:stra\u00DFe',
      utf8('müller:Été:straße'),
    ],
  ])('answers a server with %s', async (_, sent, hashed) => {
    await guard(sent, hashed)
    const [name = '', , password = ''] = sent.split(':')
    const dav = new DavClient({url: server?.url ?? '', auth: digestAuth(name, password)})
    expect(await dav.delete('a')).toMatchObject({ok: true})
  })

  it.each(['Été', '✓', 'Ãé'])('answers a server with the realm %s in UTF-8', async (realm) => {
    const sent = utf8(`müller:${realm}:straße`)
    server = await startRawServer((request) => {
      const given = fieldsOf(headerOf(request, 'authorization') ?? '')
      const asked = md5(`${request.method}:${request.url}`)
      const middle = `n:${given['nc']}:${given['cnonce']}:auth`
      const isRight =
        given['realm'] === utf8(realm) &&
        given['response'] === md5(`${md5(sent)}:${middle}:${asked}`)
      const challenge = `WWW-Authenticate: Digest realm="${utf8(realm)}", nonce="n", qop="auth"`
      return [isRight ? answer('204 No Content', []) : answer('401 Unauthorized', [challenge])]
    })
    const {url} = server
    expect(
      await new DavClient({url, auth: digestAuth('müller', 'straße')}).delete('a'),
    ).toMatchObject({ok: true})
    const refused = await new DavClient({url}).delete('a')
    expect(refused).toMatchObject({status: 401, description: expect.stringContaining(realm)})
  })
})
