// States the verdict on a COPY or MOVE that lighttpd 1.4.69 answers with 2xx, although it put the resource into a collection at the
// destination, or lost a member. RFC 4918, sections 9.8.5 and 9.9.4.

import {DavClient, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import type {FaultServer} from '../support/fault-server.ts'
import {answer207, listing, startFaultServer} from '../support/fault-server.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport: undiciTransport()})
})

afterEach(() => server.close())

const methods = (): string[] => server.requests.map(({method, url}) => `${method} ${url}`)
const lighttpd = {status: 204, headers: {server: 'lighttpd/1.4.69'}}

describe.each(['copy', 'move'] as const)('a 204 to %s without overwrite', (method) => {
  it('of lighttpd is a Failure if a collection is at the destination', async () => {
    server.answers(lighttpd, answer207(listing('/b/')))
    const verdict = await dav[method]('a', 'b')
    expect(verdict).toMatchObject({
      ok: false,
      status: 204,
      reason: 'status',
      description: `It was answered 204, but ${server.url}b is a collection, and it may be in there`,
    })
    expect(methods()).toEqual([`${method.toUpperCase()} /a`, 'PROPFIND /b'])
  })

  it('of lighttpd is a Success if a file is at the destination, or if nobody knows', async () => {
    server.answers(lighttpd, answer207(listing('/b')), lighttpd, {status: 403})
    expect(line(await dav[method]('a', 'b'))).toBe('204 self /a')
    expect(line(await dav[method]('a', 'b'))).toBe('204 self /a')
  })

  it('of another server, of a collection, or with overwrite is not looked at', async () => {
    server.answers({status: 204}, lighttpd, lighttpd)
    await dav[method]('a', 'b')
    await dav[method]('a/', 'b/')
    await dav[method]('a', 'b', {overwrite: true})
    expect(methods()).toHaveLength(3)
  })
})

it('a 204 of lighttpd is looked at as well after the path of the destination alone was accepted', async () => {
  const transport: Transport = async ({method, headers}) => {
    if (method === 'PROPFIND') return new Response(listing('/b/'), {status: 207})
    const isPath = headers['destination'] === '/b'
    return new Response(null, {status: isPath ? 204 : 400, headers: lighttpd.headers})
  }
  const proxied = new DavClient({url: 'https://dav.example/', transport})
  expect(await proxied.move('a', 'b')).toMatchObject({ok: false, status: 204, reason: 'status'})
})

it.each([
  '<D:response><D:href>/a/n</D:href><D:status>HTTP/1.1 409 Conflict</D:status></D:response>',
  '<?xml version="1.0"?>\n<response xmlns="DAV:"><href>/a/n</href></response><response/>',
])('a 200 with responses and no Multi-Status document around them is a no-answer', async (body) => {
  server.answers({status: 200, headers: {'content-type': 'application/xml'}, body})
  const results = await dav.moveMany([{from: 'a/', to: 'b/', lockToken: 'urn:1'}]).collect()
  expect(results.failures).toMatchObject([
    {status: 0, reason: 'no-answer', cause: 'unreadable', url: `${server.url}a/`},
  ])
})
