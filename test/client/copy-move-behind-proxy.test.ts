// States the form of the Destination on a server behind a proxy that ends TLS. It sees an https URL, which is not its own scheme.
// The servers are functions, because the answers differ by the header only. RFC 4918, section 10.3.

import {DavClient, type Transport} from 'multistatus'
import {describe, expect, it} from 'vitest'

import {verdicts} from '../support/fault-server.ts'
import {line} from '../support/results.ts'

const base = 'https://dav.example/files/'

/** A client of a server, with the Destination and Overwrite of each request as it arrived. */
function client(
  answer: (destination: string, number: number) => number,
  {url = base, server = 'test'} = {},
): {dav: DavClient; seen: string[]} {
  const seen: string[] = []
  const transport: Transport = async ({method, headers}) => {
    const {destination = '', overwrite = ''} = headers
    if (method === 'PROPFIND') return {status: 500, headers: new Headers(), body: null}
    const number = seen.push(`${destination} ${overwrite}`)
    return {status: answer(destination, number), headers: new Headers({server}), body: null}
  }
  return {dav: new DavClient({url, transport}), seen}
}

const isPath = (destination: string): boolean => destination.startsWith('/')

describe('a server behind a proxy', () => {
  it.each([
    ['nginx 1.22 and lighttpd 1.4', 400],
    ['Tomcat 10.1', 403],
  ])('such as %s gets the path alone, and from then on at once', async (_, status) => {
    const {dav, seen} = client((destination) => (isPath(destination) ? 201 : status))
    expect(await dav.move('a', 'caf%C3%A9')).toMatchObject({
      ok: true,
      status: 201,
      attempts: 2,
      destination: `${base}caf%C3%A9`,
    })
    await dav.copy('b', 'c')
    expect(seen).toEqual([`${base}caf%C3%A9 F`, '/files/caf%C3%A9 F', '/files/c F'])
  })

  it('is remembered although the request fails for another reason', async () => {
    const {dav, seen} = client((destination) => (isPath(destination) ? 412 : 400))
    expect(await dav.move('a', 'b')).toMatchObject({ok: false, status: 412})
    await dav.move('a', 'b')
    expect(seen).toEqual([`${base}b F`, '/files/b F', '/files/b F'])
  })

  it('such as Apache 2.4 takes neither, and the description has the remedy', async () => {
    const {dav, seen} = client((destination) => (isPath(destination) ? 400 : 502), {
      server: 'Apache/2.4.71 (Debian)',
    })
    expect(await dav.move('a', 'b')).toMatchObject({
      ok: false,
      status: 502,
      description:
        'If a proxy ends TLS, Apache needs: RequestHeader edit Destination ^https: http: early',
      request: {attempts: 2},
    })
    expect(seen).toEqual([`${base}b F`, '/files/b F'])
  })

  it('is not told about Apache if it is another one', async () => {
    const {dav} = client(() => 502)
    expect(await dav.move('a', 'b')).not.toHaveProperty('description')
  })
})

describe('a refusal', () => {
  it.each([400, 403, 404, 500, 502])(
    'stands if the path alone is answered %s: that may be about the form',
    async (status) => {
      const {dav} = client((destination) => (isPath(destination) ? status : 403))
      expect(await dav.copy('a', 'b')).toMatchObject({ok: false, status: 403})
    },
  )

  it('is about the request itself where a full URL was accepted before', async () => {
    const {dav, seen} = client((_, number) => (number === 1 ? 201 : 403))
    await dav.move('a', 'b')
    expect(await dav.move('c', 'd')).toMatchObject({ok: false, status: 403})
    expect(seen).toEqual([`${base}b F`, `${base}d F`])
  })

  it.each([404, 409, 412, 423, 507])('with %s is not about the form', async (status) => {
    const {dav, seen} = client(() => status)
    expect(await dav.move('a', 'b')).toMatchObject({ok: false, status})
    expect(seen).toEqual([`${base}b F`])
  })

  it('is not about the form on a server without TLS', async () => {
    const {dav, seen} = client(() => 403, {url: 'http://dav.example/files/'})
    expect(await dav.move('a', 'b')).toMatchObject({ok: false, status: 403})
    expect(seen).toEqual(['http://dav.example/files/b F'])
  })

  it('for the load of the server tells nothing about the form', async () => {
    const {dav, seen} = client((destination) => (isPath(destination) ? 503 : 403))
    expect(await dav.copy('a', 'b')).toMatchObject({ok: false, status: 503})
    await dav.copy('a', 'b')
    expect(seen).toEqual([`${base}b F`, '/files/b F', `${base}b F`, '/files/b F'])
  })

  it('is not about the form if the answer names members', async () => {
    const body = verdicts({'/files/a/': '403 Forbidden', '/files/b/x': '423 Locked'})
    let count = 0
    const transport: Transport = async () => {
      count++
      return new Response(body, {status: 207})
    }
    const dav = new DavClient({url: base, transport})
    const result = await dav.move('a/', 'b/')
    expect([line(result), ...(result.members ?? []).map(line)]).toEqual([
      '403 status self /files/a/',
      '423 status member /files/b/x',
    ])
    expect(count).toBe(1)
  })

  it.each([
    // 400 is a refusal before the server began; after the others, members may be at the destination already.
    [400, 'T'],
    [403, 'F'],
    [502, 'F'],
  ])('of a MOVE with overwrite, %s, is repeated with Overwrite %s', async (status, overwrite) => {
    const {dav, seen} = client((destination) => (isPath(destination) ? 201 : status))
    await dav.move('a/', 'b/', {overwrite: true})
    expect(seen).toEqual([`${base}b/ T`, `/files/b/ ${overwrite}`])
  })
})
