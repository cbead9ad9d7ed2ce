// States the outcome of good and bad certificates: an own authority, and what the error of each fault says. nginx 1.22 and Apache 2.4
// of Debian, with certificates that openssl makes for the tests. RFC 8446, section 6.2.

import {inspect} from 'node:util'

import {DavClient, DavNetworkError} from 'multistatus'
import {httpTransport, type HttpTransportOptions} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'

import {type Certificate, hasOpenssl} from './support/authority.ts'
import {isEveryServerRequired} from './support/missing.ts'
import {findProgram} from './support/recipe.ts'
import {type Kind, type SecureServers, startSecureServers} from './support/secure-servers.ts'

const isInstalled =
  hasOpenssl && ['nginx', 'apache2'].every((name) => findProgram(name) !== undefined)

describe.skipIf(!isInstalled && !isEveryServerRequired).each([
  ['undici', undiciTransport],
  ['node:http', httpTransport],
] as const)('TLS over %s', (_name, make) => {
  let servers: SecureServers
  let client: Certificate
  let strange: Certificate
  beforeAll(async () => {
    servers = await startSecureServers()
    client = await servers.authority.issue('client', {names: 'DNS:client.example'})
    strange = await servers.stranger.issue('strange', {names: 'DNS:client.example'})
  })
  afterAll(() => servers?.stop())

  const open = (url: string, options: HttpTransportOptions): DavClient =>
    new DavClient({url, transport: make({ca: servers.authority.ca, ...options})})
  const failure = async (url: string, options: HttpTransportOptions = {}): Promise<unknown> => {
    await using dav = open(url, options)
    return await dav.stat('').catch((error: unknown) => error)
  }
  const pair = ({cert, key}: Certificate): HttpTransportOptions => ({cert, key})

  it('trusts an authority of its own: as text, as bytes, and as one of several', async () => {
    const {ca} = servers.authority
    for (const given of [ca, Buffer.from(ca), [servers.stranger.ca, Buffer.from(ca)]]) {
      await using dav = open(servers.url('good'), {ca: given})
      expect(await dav.stat('')).toMatchObject({ok: true})
    }
  })

  it('shows its certificate to a server that asks for one', async () => {
    for (const url of [servers.url('demanding'), servers.apacheUrl]) {
      await using dav = open(url, pair(client))
      expect(await dav.put('note.txt', 'text')).toMatchObject({ok: true})
      expect(await dav.delete('note.txt')).toMatchObject({ok: true, status: 204})
    }
  })

  const kinds: readonly (readonly [Kind, RegExp])[] = [
    ['expired', /failed: the certificate has expired: renew it/],
    ['early', /failed: the certificate is not valid yet: check the clock/],
    ['elsewhere', /failed: the certificate is for DNS:dav\.example, not for localhost: use a URL/],
    ['self', /failed: the certificate is self-signed: give it as ca, .* NODE_EXTRA_CA_CERTS/],
    [
      'unknown',
      /failed: the certificate comes from an authority .*: give .* as ca, .* NODE_EXTRA_CA_CERTS/,
    ],
    ['old', /failed: the server has only versions of TLS that are too old/],
    ['demanding', /failed: the server wants a client certificate: give cert and key/],
  ]
  it.each(kinds)('names the fault and the remedy: %s', async (kind, words) => {
    const error = await failure(servers.url(kind))
    expect(error).toBeInstanceOf(DavNetworkError)
    expect(error).toMatchObject({message: expect.stringMatching(words), url: servers.url(kind)})
  })

  it('names the remedy without the option ca', async () => {
    await using dav = new DavClient({url: servers.url('good'), transport: make()})
    await expect(dav.stat('')).rejects.toThrow(
      /an authority that Node does not trust: give .* as ca/,
    )
  })

  it('reports the alert of TLS 1.3 for a missing or a strange client certificate', async () => {
    expect(await failure(servers.apacheUrl)).toMatchObject({
      name: 'DavNetworkError',
      message: expect.stringMatching(/wants a client certificate: give cert and key/),
    })
    const error = await failure(servers.apacheUrl, pair(strange))
    expect(error).toMatchObject({message: expect.stringMatching(/refused the client certificate/)})
    expect(await failure(servers.url('demanding'), pair(strange))).toMatchObject({
      message: expect.stringMatching(/refused the client certificate/),
    })
    expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('PRIVATE KEY')
  })

  it('tells https at a port without TLS from http at a port with TLS', async () => {
    const secure = servers.url('plain').replace('http:', 'https:')
    expect(await failure(secure)).toMatchObject({
      message: expect.stringMatching(/does not speak TLS at this port: write http:/),
    })
    const plain = servers.url('good').replace('https:', 'http:')
    expect(await failure(plain)).toMatchObject({
      message: expect.stringMatching(/the server speaks TLS at this port: write https:/),
    })
    // Apache knows no other methods in plain HTTP than GET, HEAD, POST and PUT. It closes the connection for all others.
    await using dav = open(servers.apacheUrl.replace('https:', 'http:'), {})
    expect(await dav.get('note.txt')).toMatchObject({
      description: expect.stringMatching(/the server speaks TLS at this port: write https:/),
    })
  })

  it('sends a request with a refused certificate once, whatever the policy', async () => {
    const retries: unknown[] = []
    const retry = {
      attempts: 5,
      minDelay: 1,
      retryable: () => true,
      onRetry: (event: unknown) => retries.push(event),
    }
    await using dav = open(servers.url('expired'), {})
    const {failures} = await dav.deleteMany(['a.txt', 'b.txt'], {retry}).collect()
    expect(failures.map(({reason, status}) => ({reason, status}))).toEqual([
      {reason: 'refused', status: 0},
      {reason: 'refused', status: 0},
    ])
    expect(failures[0]?.description).toMatch(/the certificate has expired/)
    await expect(dav.propfind('', {depth: 1, retry}).collect()).rejects.toThrow(/has expired/)
    expect(retries).toEqual([])
  })
})
