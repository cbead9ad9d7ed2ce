// The server of the scenarios with faults. Each run has its own collection, in which the server counts its requests and tells them.
// It allows pages of all origins everything.

import {setTimeout as delay} from 'node:timers/promises'
import {brotliCompressSync, deflateSync, gzipSync, zstdCompressSync} from 'node:zlib'

import {
  type Answer,
  answer207,
  CLOSE,
  listed,
  listing,
  NEVER,
  OPEN,
  type Part,
  RESET,
  type Script,
  type SeenRequest,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {cut, member, page, removed, tokenOf} from '../support/sync-answers.ts'

type End = typeof RESET | typeof CLOSE | typeof NEVER

/** A request of a run, as `seen/…` tells it. */
export interface ToldRequest {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly type: string | undefined
  readonly length: string | undefined
  readonly agent: string | undefined
  readonly codings: string | undefined
  /** The end of the exchange: `closed` if the client left it. */
  readonly ended: 'finished' | 'closed' | 'open'
}

/** The most milliseconds that the end of an exchange is waited for. */
const END_WITHIN = 10_000
/** A listing that never ends. Whoever leaves it is seen. */
const ENDLESS_PARTS = 100_000

export interface Faults {
  readonly url: string
  close(): Promise<void>
}

/** Starts the server. */
export async function startFaults(): Promise<Faults> {
  const server = await startFaultServer()
  const closed = await findClosedPort()
  server.script(makeScript(server.requests, closed))
  return {url: server.url, close: () => server.close()}
}

/** Finds a port without a listener. */
async function findClosedPort(): Promise<string> {
  const gone = await startFaultServer()
  const {port} = new URL(gone.url)
  await gone.close()
  return port
}

function makeScript(requests: readonly SeenRequest[], closed: string): Script {
  const asked = new Map<string, number>()
  return async (request) => {
    const {method, url, headers} = request
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined)
      return withCors({status: 204})
    const key = `${method} ${url}`
    const times = (asked.get(key) ?? 0) + 1
    asked.set(key, times)
    const [, run = '', path = ''] = /^\/([^/]*)(\/.*)$/.exec(url) ?? []
    if (path === '/closed-port') return withCors({status: 200, body: closed})
    if (path.startsWith('/arrived/')) {
      const awaited = `/${run}${path.slice('/arrived'.length)}`
      while (!requests.some((sent) => sent.method === 'PROPFIND' && sent.url === awaited))
        await delay(5)
      return withCors({status: 204})
    }
    if (path.startsWith('/seen/')) {
      const told = await tell(requests, `/${run}${path.slice('/seen'.length)}`)
      return withCors({status: 200, body: JSON.stringify(told)})
    }
    const answer = answerTo(`${method} ${path}`, request, {run, times, closed})
    return typeof answer === 'symbol' ? answer : withCors(answer)
  }
}

/** Adds the headers with which a server allows everything to every page. */
function withCors(answer: Answer): Answer {
  return {
    ...answer,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods':
        'GET, HEAD, PUT, DELETE, OPTIONS, PROPFIND, PROPPATCH, MKCOL, COPY, MOVE, LOCK, UNLOCK, REPORT, SEARCH',
      'access-control-allow-headers': '*, authorization',
      'access-control-expose-headers': '*',
      ...answer.headers,
    },
  }
}

/** Tells the requests below a path, with the end of each exchange. */
async function tell(requests: readonly SeenRequest[], path: string): Promise<ToldRequest[]> {
  const below = requests.filter(({method, url}) => url.startsWith(path) && method !== 'OPTIONS')
  return Promise.all(
    below.map(async ({method, url, body, headers, ended}) => ({
      method,
      path: url.slice(path.length),
      body,
      type: headers['content-type'],
      length: headers['content-length'],
      agent: headers['user-agent'],
      codings: headers['accept-encoding'],
      ended: await Promise.race([
        ended,
        new Promise<'open'>((resolve) => setTimeout(resolve, END_WITHIN, 'open').unref()),
      ]),
    })),
  )
}

/** Answers a request by its method and its path in the collection of the run. */
function answerTo(
  key: string,
  {url, body: sent}: SeenRequest,
  {run, times, closed}: {readonly run: string; readonly times: number; readonly closed: string},
): Answer | End {
  const isFirst = times === 1
  const here = (path: string): string => `/${run}${path}`
  switch (key) {
    case 'PROPFIND /walk/':
      return answer207(listing(...['/walk/', '/walk/a/', '/walk/b/', '/walk/f'].map(here)))
    case 'PROPFIND /cut/':
      return answer207([begin(url), 30, CLOSE])
    case 'PROPFIND /reset/':
      return answer207([begin(url), 30, RESET])
    case 'PROPFIND /gone/':
    case 'DELETE /bulk/reset':
      return RESET
    case 'DELETE /bulk/closed':
      return CLOSE
    case 'DELETE /bulk/cut':
      return answer207([OPEN, 30, RESET])
    case 'DELETE /bulk/locked':
      return {status: 423}
    case 'PROPFIND /flaky/':
    case 'DELETE /flaky/reset':
    case 'DELETE /later/reset':
      if (isFirst) return RESET
      break
    case 'DELETE /flaky/busy':
    case 'DELETE /later/busy':
      if (isFirst) return {status: 503, headers: {'retry-after': '0'}}
      break
    case 'PROPFIND /moved/docs':
      // Raw UTF-8, as nginx writes it: Node writes characters as Latin-1.
      return redirect(302, Buffer.from(here('/moved/é/')).toString('latin1'))
    case 'DELETE /moved/a':
      return redirect(308, `${url}/`)
    case 'PUT /moved/b':
      return redirect(308, `${url}-new`)
    case 'DELETE /moved/away':
      return redirect(307, `http://127.0.0.1:${closed}/away`)
    case 'DELETE /once/delete':
    case 'PUT /once/put':
      return isFirst ? CLOSE : {status: 404}
    case 'PUT /bodies/again':
      return redirect(307, `${url}-new`)
    case 'GET /content/bytes':
    case 'GET /content/stream':
    case 'GET /content/file': {
      const etag = '"1"'
      return isFirst
        ? {status: 200, headers: {etag, 'content-length': '10'}, body: ['0123', 30, RESET]}
        : {status: 206, headers: {etag, 'content-range': 'bytes 4-9/10'}, body: '456789'}
    }
    case 'GET /content/cut':
      return {status: 200, headers: {'content-length': '10'}, body: ['0123', 30, CLOSE]}
    case 'PROPFIND /coded/cut/':
      // The exchange is whole, and the content lacks its end.
      return coded('gzip', gzipSync(listing(url, `${url}x`)).subarray(0, -20))
    case 'GET /coded/cut': {
      const body = gzipSync(CODED_TEXT).subarray(0, -20)
      return {status: 200, headers: {'content-encoding': 'gzip'}, body}
    }
    case 'PROPFIND /coded/broken/':
      return coded('gzip', Buffer.from('this is no gzip'))
    case 'PROPFIND /endless/break/':
    case 'PROPFIND /endless/abort/':
      return answer207(endless(url))
    case 'PROPFIND /never/':
    case 'PROPFIND /endless/silent/':
      return NEVER
    case 'PROPFIND /stops/':
      return answer207([OPEN + listed(url), NEVER])
    case 'REPORT /sync/':
      return changesSince(tokenOf(sent), here)
    default:
  }
  if (key.startsWith('PUT /uploads/')) return {status: 201}
  const [, coding = ''] = /^PROPFIND \/coded\/(\w+)\/$/.exec(key) ?? []
  const encode = CODINGS[coding]
  if (encode !== undefined) return coded(coding, encode(listing(url, `${url}x`)))
  return key.startsWith('DELETE') ? {status: 204} : answer207(listing(url, `${url}x`))
}

const CODED_TEXT = 'Each line of a file. '.repeat(1000)

/** The codings of contents that runtimes ask for. RFC 9110, section 8.4.1. */
const CODINGS: Readonly<Record<string, (text: string) => Buffer>> = {
  gzip: (text) => gzipSync(text),
  deflate: (text) => deflateSync(text),
  br: (text) => brotliCompressSync(text),
  zstd: (text) => zstdCompressSync(text),
}

function begin(url: string): string {
  return OPEN + listed(url) + listed(`${url}a`)
}

function redirect(status: number, location: string): Answer {
  return {status, headers: {location}}
}

function coded(coding: string, body: Buffer): Answer {
  return answer207(body, {'content-encoding': coding})
}

function endless(url: string): readonly Part[] {
  const members = Array.from({length: ENDLESS_PARTS}, (_, index) => [listed(`${url}${index}`), 5])
  return [OPEN, ...members.flat(), SHUT]
}

/** A first sync of two pages, then one removed member and one new one. RFC 6578, sections 3.5 and 3.6. */
function changesSince(token: string | undefined, here: (path: string) => string): Answer {
  switch (token) {
    case '':
      return page('urn:t:1', member(here('/sync/a'), '1'), cut(here('/sync/')))
    case 'urn:t:1':
      return page('urn:t:2', member(here('/sync/b'), '1'))
    default:
      return page('urn:t:3', removed(here('/sync/a')), member(here('/sync/c'), '1'))
  }
}
