// A reverse proxy on loopback: the page and a WebDAV server get one origin. Bodies are streamed both ways. Nothing is logged.

import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as requestByHttp,
  type ServerResponse,
} from 'node:http'
import {request as requestByHttps} from 'node:https'
import {pipeline} from 'node:stream'

// Headers of one connection (RFC 9110, section 7.6.1), and of the page's own origin. Cookies would need the paths and the origin
// of the server.
const OWN = ['connection', 'keep-alive', 'te', 'upgrade', 'host', 'origin', 'referer', 'cookie']
const OF_ANSWER = ['connection', 'keep-alive', 'set-cookie']

/** A function that answers a request of Node's server. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Makes the proxy to the origin of a server. Paths stay as they are.
 *
 * @param authorization - The credentials to send. Without them, those of the browser are passed on.
 */
export function proxyTo(server: URL, authorization: string | undefined): Answer {
  const send = server.protocol === 'https:' ? requestByHttps : requestByHttp
  return (request, response) => {
    const own = `http://${request.headers.host}`
    const headers = without(request.headers, OWN)
    const {destination} = headers
    if (typeof destination === 'string')
      headers['destination'] = move(destination, own, server.origin)
    if (authorization !== undefined) headers['authorization'] = authorization
    // A path of two slashes stays a path of this server, and is no other host.
    const upstream = send(server, {
      path: request.url,
      method: request.method,
      headers: {...headers, host: server.host},
    })
    upstream.on('response', (answer) => {
      const answered = without(answer.headers, OF_ANSWER)
      // A page of the server must not act with the login of this one.
      const policies = [answered['content-security-policy'], 'sandbox']
      answered['content-security-policy'] = policies.filter(Boolean).join(', ')
      const {location} = answered
      if (typeof location === 'string') answered['location'] = move(location, server.origin, own)
      response.writeHead(answer.statusCode ?? 502, answered)
      // Headers go out at once, and so does every piece.
      response.flushHeaders()
      pipeline(answer, response, ignore)
    })
    connect(request, response, upstream)
  }
}

/** Sends the body on. Whichever side breaks, the other one is broken too, so that nobody takes a part for the whole. */
function connect(request: IncomingMessage, response: ServerResponse, upstream: ClientRequest) {
  upstream.on('error', () => {
    if (response.headersSent) response.destroy()
    else response.socket?.destroy()
  })
  response.on('close', () => {
    if (!response.writableFinished) upstream.destroy()
  })
  pipeline(request, upstream, ignore)
}

// Each side has heard of the break by its own end.
function ignore(): void {}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

/** Moves an absolute URL from one origin to another. Any other text stays. */
function move(text: string, from: string, to: string): string {
  const url = URL.parse(text)
  return url?.origin === from ? to + url.pathname + url.search : text
}
