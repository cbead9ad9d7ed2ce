// States the two places in which workerd differs from the other platforms: it reads headers as UTF-8, and no callback of a
// FinalizationRegistry may end an exchange there. Before the compatibility date 2025-05-05 it has no such registry.

import {DavClient, type Transport} from 'multistatus'
import {afterEach, beforeEach, expect, it, vi} from 'vitest'

import {listing} from '../support/fault-server.ts'

beforeEach(() => {
  vi.stubGlobal('navigator', {userAgent: 'Cloudflare-Workers'})
  vi.stubGlobal('FinalizationRegistry', undefined)
})
afterEach(() => {
  vi.unstubAllGlobals()
})

const asked: string[] = []
const transport: Transport = async ({url}) => {
  asked.push(url)
  // The bytes C3 A9, as workerd gives them.
  if (url.endsWith('/docs')) return new Response(null, {status: 302, headers: {location: '/é/'}})
  return new Response(listing('/é/'), {status: 207})
}

it('follows a Location in raw UTF-8, without a FinalizationRegistry', async () => {
  const dav = new DavClient({url: 'http://dav.example/', transport})
  const {successes} = await dav.propfind('docs').collect()
  expect(successes).toMatchObject([{url: 'http://dav.example/%C3%A9/'}])
  expect(asked).toEqual(['http://dav.example/docs', 'http://dav.example/%C3%A9/'])
})

it('gives the answer to a raw request, without a FinalizationRegistry', async () => {
  const dav = new DavClient({url: 'http://dav.example/', transport})
  const {status, body} = await dav.request('GET', 'a')
  await body?.cancel()
  expect(status).toBe(207)
})
