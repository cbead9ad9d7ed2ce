// Serves the page and a WebDAV server on one origin of loopback. Requests of other pages are refused: the proxy may add a login.

import {once} from 'node:events'
import {createServer} from 'node:http'

import {buildPage} from './files.ts'
import {proxyTo} from './proxy.ts'

/** The path of the page. A collection of this name at the root of the server is hidden by it. */
const PAGE = '/multistatus-page/'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The running server of the page. */
export interface PageServer {
  /** The address of the page: `http://127.0.0.1:PORT/multistatus-page/`. */
  readonly url: string
  /** Stops the server and breaks its open connections. */
  close(): Promise<void>
}

/** Starts the server for the collection at a URL. */
export async function startPageServer(
  collection: string,
  {port = 0, authorization}: {readonly port?: number; readonly authorization?: string} = {},
): Promise<PageServer> {
  const dav = new URL(collection)
  if (dav.username !== '' || dav.password !== '')
    throw new TypeError('Give the login by DAV_USERNAME and DAV_PASSWORD, not in the URL.')
  const files = await buildPage(dav.pathname)
  const proxy = proxyTo(dav, authorization)
  const server = createServer((request, response) => {
    // A browser sends a request again by itself if a kept connection ends without an answer. A DELETE may be done by then.
    response.shouldKeepAlive = false
    const {host, origin, 'sec-fetch-site': site = 'none'} = request.headers
    // A name that leads to loopback would make any page of the web one of this origin.
    const isOwn = host === own && (origin === undefined || origin === `http://${own}`)
    // The image or link of another page has no Origin.
    const isAsked = site === 'none' || site === 'same-origin'
    if (!isOwn || !isAsked || request.url?.startsWith('/') !== true) {
      response.writeHead(403).end()
      return
    }
    const path = (request.url ?? '').replace(/\?.*/s, '')
    if (!path.startsWith(PAGE)) return proxy(request, response)
    const name = path.slice(PAGE.length) || 'index.html'
    const file = files.get(name)
    if (file === undefined) response.writeHead(404).end()
    else
      response
        .writeHead(200, {
          'content-type': TYPES[name.split('.').at(-1) ?? ''] ?? '',
          'content-security-policy': "frame-ancestors 'none'",
          'x-content-type-options': 'nosniff',
          'cache-control': 'no-cache',
        })
        .end(file)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const own = `127.0.0.1:${address.port}`
  return {
    url: `http://${own}${PAGE}`,
    async close() {
      const isClosed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await isClosed
    },
  }
}
