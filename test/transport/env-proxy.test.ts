// States the proxies of the environment as Node's documentation of `http` has them ("Built-in Proxy Support"), and the options that
// are refused.

import {once} from 'node:events'
import {type AddressInfo, createServer} from 'node:net'
import {inspect} from 'node:util'

import {DavClient} from 'multistatus'
import {undiciTransport, type UndiciTransportOptions} from 'multistatus/undici'
import {Agent} from 'undici'
import {describe, expect, it, onTestFinished} from 'vitest'

import {readEnvironment, usesEnvironment} from '../../src/transport/env-proxy.ts'
import {CLOSE} from '../support/fault-server.ts'
import {startRawServer} from '../support/raw-server.ts'

describe('NODE_USE_ENV_PROXY and --use-env-proxy', () => {
  it.each([
    [{}, [], false],
    [{NODE_USE_ENV_PROXY: '1'}, [], true],
    [{NODE_USE_ENV_PROXY: '0'}, [], false],
    [{NODE_USE_ENV_PROXY: 'true'}, [], false],
    [{}, ['--use-env-proxy'], true],
    [{NODE_OPTIONS: '--no-warnings --use-env-proxy'}, [], true],
    [{NODE_OPTIONS: '--use-env-proxy'}, ['--no-use-env-proxy'], false],
    [{NODE_USE_ENV_PROXY: '1'}, ['--no-use-env-proxy'], false],
    [{HTTP_PROXY: 'http://proxy.example:3128'}, [], false],
  ])('%j with %j: %s', (env, flags, expected) => {
    expect(usesEnvironment(env, flags)).toBe(expected)
  })
})

describe('HTTP_PROXY and HTTPS_PROXY', () => {
  const hostFor = (env: Readonly<Record<string, string>>, origin: string): string | undefined =>
    readEnvironment(env)(origin)?.host

  it('are each for their own protocol, with the name in lower case first', () => {
    const env = {
      HTTP_PROXY: 'http://one:81',
      HTTPS_PROXY: 'http://two:82',
      https_proxy: 'https://three',
    }
    expect(hostFor(env, 'http://dav.example')).toBe('one:81')
    expect(hostFor(env, 'https://dav.example')).toBe('three:443')
    expect(hostFor({HTTP_PROXY: 'http://one'}, 'https://dav.example')).toBeUndefined()
    expect(hostFor({http_proxy: '', HTTP_PROXY: 'http://one'}, 'http://dav.example')).toBe('one:80')
  })

  it('may be SOCKS, and IPv6', () => {
    expect(hostFor({HTTP_PROXY: 'socks5://[::1]'}, 'http://dav.example')).toBe('[::1]:1080')
  })

  it.each([
    'proxy.example:3128',
    'secret@host',
    'ftp://ana:secret@host',
    'http://ana:secret@',
    'http://ana:secret%@host',
  ])('are refused without their text: %s', (url) => {
    const read = (): unknown => readEnvironment({HTTP_PROXY: url})
    expect(read).toThrow(TypeError)
    expect(read).toThrow(/^HTTP_PROXY /)
    expect(read).not.toThrow(/secret/)
  })
})

describe('NO_PROXY', () => {
  it.each([
    ['*', 'http://dav.example', true],
    ['dav.example', 'http://dav.example', true],
    ['DAV.example', 'http://dav.example', true],
    ['dav.example', 'http://a.dav.example', false],
    ['dav.example', 'http://mydav.example', false],
    ['.dav.example', 'http://a.dav.example', true],
    ['.dav.example', 'http://dav.example', true],
    ['*.dav.example', 'http://a.b.dav.example', true],
    ['*.dav.example', 'http://dav.example', false],
    ['*.dav.example', 'http://mydav.example', false],
    ['dav.example', 'http://dav.example.', true],
    ['other.example, dav.example', 'http://dav.example:8080', true],
    ['dav.example:8080', 'http://dav.example:8080', true],
    ['dav.example:8080', 'http://dav.example', false],
    ['dav.example:80', 'http://dav.example', true],
    ['10.0.0.1', 'http://10.0.0.1', true],
    ['10.0.0.1-10.0.0.9', 'http://10.0.0.9', true],
    ['10.0.0.1-10.0.0.9', 'http://10.0.0.10', false],
    ['10.0.0.1-10.0.1.0', 'http://10.0.0.200', true],
    ['my-host.example', 'http://10.0.0.5', false],
    ['::1', 'http://[::1]:8080', true],
    ['[::1]', 'http://[::1]', true],
    ['[::1]:8080', 'http://[::1]', false],
    ['', 'http://dav.example', false],
  ])('%j exempts %s: %s', (list, origin, isExempt) => {
    const route = readEnvironment({HTTP_PROXY: 'http://proxy.example', no_proxy: list})
    expect(route(origin) === undefined).toBe(isExempt)
  })
})

describe('undiciTransport', () => {
  it.each<[string, UndiciTransportOptions]>([
    ['proxy', {proxy: 'http://proxy.example'}],
    ['ca', {ca: 'x'}],
    ['cert', {cert: 'x'}],
    ['key', {key: 'x'}],
    ['connections', {connections: 2}],
    ['connectTimeout', {connectTimeout: 1000}],
    ['http2', {http2: true}],
  ])('refuses %s together with a dispatcher, which would ignore it', (name, given) => {
    const dispatcher = new Agent()
    expect(() => undiciTransport({dispatcher, ...given})).toThrow(
      new TypeError(
        `undiciTransport: ${name} cannot go with dispatcher; give it to the dispatcher`,
      ),
    )
    expect(() => undiciTransport({dispatcher, [name]: undefined})).not.toThrow()
  })

  it('loses no request to a proxy that closes behind each answer without a word, as tinyproxy', async () => {
    const proxy = await startRawServer(() => [
      'HTTP/1.1 204 No Content\r\nVia: 1.1 proxy\r\n\r\n',
      20,
      CLOSE,
    ])
    onTestFinished(() => proxy.close())
    const transport = undiciTransport({proxy: proxy.url})
    const dav = new DavClient({url: 'http://dav.example/', transport})
    for (const name of ['a', 'b', 'c']) expect(await dav.delete(name)).toMatchObject({ok: true})
    expect(proxy.connections).toBe(3)
    for (const {headers} of proxy.requests) expect(new Map(headers).get('Connection')).toBe('close')
  })

  it('waits for a tunnel without an end if connectTimeout is Infinity', async () => {
    const proxy = createServer((socket) => {
      socket.once('data', () => {
        setTimeout(() => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'), 50)
      })
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    onTestFinished(() => void proxy.close())
    const {port} = proxy.address() as AddressInfo
    const transport = undiciTransport({
      proxy: `http://127.0.0.1:${port}`,
      connectTimeout: Number.POSITIVE_INFINITY,
    })
    const dav = new DavClient({url: 'https://dav.example/', transport})
    await expect(dav.stat('')).rejects.toThrow('wants credentials (407)')
  })

  it('refuses a certificate without its key, and a key without its certificate', () => {
    expect(() => undiciTransport({cert: 'x'})).toThrow(
      new TypeError('undiciTransport: cert needs key too'),
    )
    expect(() => undiciTransport({key: 'x'})).toThrow(
      new TypeError('undiciTransport: key needs cert too'),
    )
  })

  it.each([
    [{ca: '/etc/ssl/ca.pem'}, /ca has no readable certificate; give the content/],
    [{ca: []}, /ca has no readable certificate/],
    [{ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'}, /ca has no readable/],
    [{cert: 'x', key: 'x'}, /cert and key are no readable pair/],
    [{ca: 1}, /ca is PEM text, or the bytes of a PEM file, or an array of these/],
    [{key: null}, /key is PEM text/],
    [{proxy: 3128}, /proxy is the URL of a proxy/],
    [{proxy: 'http://ana%3Ab:secret@host'}, /proxy has a user with a colon, which no HTTP proxy/],
  ])('refuses %j', (given, words) => {
    expect(() => undiciTransport(given as object)).toThrow(TypeError)
    expect(() => undiciTransport(given as object)).toThrow(words)
  })

  it('shows no credentials in the error of a wrong proxy', () => {
    const wrong = [
      'ftp://ana:secret@host',
      'http://ana:secret%@host',
      'socks5://secret@host',
      'ana:secret@host',
    ]
    for (const proxy of wrong) {
      let error: unknown
      try {
        undiciTransport({proxy})
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(TypeError)
      expect(inspect(error, {depth: 9, showHidden: true})).not.toContain('secret')
    }
  })
})
