// Situations in which WebDAV clients differ: answers that a program must not take for a plain success, and the words for what a
// client made of them. Each is a small tree on a scripted server, of which one request has the odd answer. RFC 4918.

import type {Answer, Part, SeenRequest} from '../support/fault-server.ts'
import {answer207, CLOSE, OPEN, SHUT, verdicts} from '../support/fault-server.ts'
import {propstat} from '../support/fixtures.ts'

/** A thing that a client is told to do. `remove` has a collection as its target, `remove file` a file. */
export type Task = 'remove' | 'remove file' | 'list' | 'list deep' | 'move' | 'upload'

/** All that a client said of one task. */
export interface Said {
  /** True for an error: a thrown one, an exit status, or a word such as `failed`. */
  readonly failed: boolean
  /** The output, the error and the returned value as text. */
  readonly text: string
}

export interface Situation {
  readonly name: string
  readonly task: Task
  /** The odd answer; `undefined` for a request that is answered as usual. */
  readonly answer: (request: SeenRequest, times: number) => Answer | typeof CLOSE | undefined
  /** Tells in a few words what the client made of it. */
  readonly judge: (said: Said, requests: readonly SeenRequest[]) => string
}

/** The collection that all tasks are about. */
const PLACE = '/d/'
/** A length that occurs nowhere else. */
const LENGTH = 12345
const NAMES = ['a.txt', 'b.txt', 'c.txt', 'locked.txt', 'z.txt'] as const
const TREE: readonly string[] = [
  PLACE,
  ...NAMES.map((name) => PLACE + name),
  '/d/sub/',
  '/d/sub/e.txt',
  '/d/sub/deep/',
  '/d/sub/deep/f.txt',
]

const OK = 'HTTP/1.1 200 OK'

/** Formats the properties that listings of all clients ask for. */
function response(href: string, before = ''): string {
  const isFolder = href.endsWith('/')
  const length = isFolder ? '' : `<D:getcontentlength>${LENGTH}</D:getcontentlength>`
  const type = `<D:resourcetype>${isFolder ? '<D:collection/>' : ''}</D:resourcetype>`
  const date = '<D:getlastmodified>Thu, 01 Jan 2026 00:00:00 GMT</D:getlastmodified>'
  const found = propstat(OK, `${type}${length}${date}<D:getetag>"1"</D:getetag>`)
  return `<D:response><D:href>${href}</D:href>${before}${found}</D:response>`
}

const status = (href: string, line: string): string =>
  `<D:response><D:href>${href}</D:href><D:status>HTTP/1.1 ${line}</D:status></D:response>`

function membersOf(place: string): readonly string[] {
  const isMember = (href: string): boolean =>
    href.startsWith(place) && /^[^/]+\/?$/.test(href.slice(place.length))
  return [place, ...TREE.filter(isMember)]
}

/** The usual answer to a request. */
export function answerPlainly({method, url, headers}: SeenRequest): Answer {
  switch (method) {
    case 'OPTIONS':
      return {
        status: 200,
        headers: {dav: '1, 2', allow: 'OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, MOVE'},
      }
    case 'PROPFIND': {
      const href = TREE.includes(url) ? url : `${url}/`
      if (url === '/') return answer207(OPEN + response('/') + response(PLACE) + SHUT)
      if (!TREE.includes(href)) return {status: 404}
      const hrefs = headers['depth'] === '0' ? [href] : membersOf(href)
      return answer207(OPEN + hrefs.map((one) => response(one)).join('') + SHUT)
    }
    case 'PUT':
    case 'MOVE':
      return {status: 201}
    case 'DELETE':
      return {status: 204}
    case 'GET':
    case 'HEAD': {
      const isThere = url === '/' || TREE.includes(url) || TREE.includes(`${url}/`)
      return isThere ? {status: 200, body: 'x'.repeat(LENGTH)} : {status: 404}
    }
    default:
      return {status: 405}
  }
}

/** Answers the listing of the collection. */
function listing(
  body: (members: readonly string[]) => Part | readonly Part[],
  headers?: Answer['headers'],
): Situation['answer'] {
  return ({method, url, headers: {depth}}) =>
    method === 'PROPFIND' &&
    `${url}/`.startsWith(PLACE) &&
    url.length <= PLACE.length &&
    depth !== '0'
      ? answer207(body(membersOf(PLACE)), headers)
      : undefined
}

const isOf = ({method, url}: SeenRequest, asked: string): boolean =>
  method === asked && `${url}/`.startsWith(PLACE)

/** Judges a change that left `locked.txt` where it was. */
function judgeChange({failed, text}: Said): string {
  if (!failed) return '**success**'
  return text.includes('locked.txt') ? 'error, names it' : 'error'
}

/** Judges a listing of which the end is missing. */
function judgeCut({failed, text}: Said): string {
  if (failed) return 'error'
  return text.includes('a.txt') ? '**whole**' : '**empty**'
}

const cut = (members: readonly string[]): string =>
  OPEN +
  members
    .slice(0, 3)
    .map((one) => response(one))
    .join('')

const count = (requests: readonly SeenRequest[]): number =>
  requests.filter((request) => isOf(request, 'DELETE')).length

const cutQuietly = listing((members) => [cut(members), 30, CLOSE], {
  'transfer-encoding': 'none',
  connection: 'close',
})
const short = listing((members) => cut(members) + status(PLACE, '507 Insufficient Storage') + SHUT)
const missing = propstat('HTTP/1.1 404 Not Found', '<D:displayname/><D:quota-used-bytes/>')
const hiding = listing(
  (members) => OPEN + members.map((one) => response(one, missing)).join('') + SHUT,
)

/** Answers for a program that makes a folder equal to the collection. Each file is still on the server. */
export const GAPS: readonly Pick<Situation, 'name' | 'answer'>[] = [
  {
    name: '507 for the collection, after two files',
    answer: short,
  },
  {name: 'the collection alone', answer: listing(() => OPEN + response(PLACE) + SHUT)},
  {name: 'no response at all', answer: listing(() => OPEN + SHUT)},
  {
    name: 'broken off, no length was told',
    answer: cutQuietly,
  },
  {
    name: 'a propstat with 404 before that with 200',
    answer: hiding,
  },
]

export const SITUATIONS: readonly Situation[] = [
  {
    name: 'DELETE: 207, one member is locked',
    task: 'remove',
    answer: (request) =>
      isOf(request, 'DELETE') ? answer207(verdicts({'/d/locked.txt': '423 Locked'})) : undefined,
    judge: judgeChange,
  },
  {
    name: 'DELETE: 424 with the same body',
    task: 'remove',
    answer: (request) =>
      isOf(request, 'DELETE')
        ? {...answer207(verdicts({'/d/locked.txt': '423 Locked'})), status: 424}
        : undefined,
    judge: judgeChange,
  },
  {
    name: 'MOVE: 207, one member is locked',
    task: 'move',
    answer: (request) =>
      isOf(request, 'MOVE') ? answer207(verdicts({'/d/locked.txt': '423 Locked'})) : undefined,
    judge: judgeChange,
  },
  {
    name: 'listing: broken off',
    task: 'list',
    answer: listing((members) => [cut(members), 30, CLOSE]),
    judge: judgeCut,
  },
  {
    name: 'listing: broken off, no length was told',
    task: 'list',
    answer: cutQuietly,
    judge: judgeCut,
  },
  {
    name: 'listing: the end tag is missing',
    task: 'list',
    answer: listing((members) => cut(members)),
    judge: judgeCut,
  },
  {
    name: 'listing: 507 for the collection, after two files',
    task: 'list',
    answer: short,
    judge: ({failed, text}) => (failed ? 'error' : text.includes('507') ? 'told' : '**whole**'),
  },
  {
    name: 'listing: a member has 403',
    task: 'list',
    answer: listing(
      (members) =>
        OPEN +
        members
          .map((one) => (one === '/d/locked.txt' ? status(one, '403 Forbidden') : response(one)))
          .join('') +
        SHUT,
    ),
    judge({failed, text}) {
      if (/locked\.txt.*403/.test(text)) return 'told'
      if (failed || !text.includes('z.txt')) return 'error, no listing'
      return text.includes('locked.txt') ? '**a file**' : '**left out**'
    },
  },
  {
    name: 'listing: a propstat with 404 before that with 200',
    task: 'list',
    answer: hiding,
    judge({failed, text}) {
      if (failed) return 'error'
      if (!text.includes('z.txt')) return '**empty**'
      return /a\.txt.*\bsize\W+0\b/.test(text) ? '**wrong sizes**' : 'right'
    },
  },
  {
    name: 'listing: an href with a bare %',
    task: 'list',
    answer: listing(
      (members) => OPEN + [...members, '/d/100%.txt'].map((one) => response(one)).join('') + SHUT,
    ),
    judge({failed, text}) {
      if (!text.includes('z.txt')) return 'error, no listing'
      if (/100%(?:25)?\.txt/.test(text)) return failed ? 'error, names it' : 'right'
      return failed ? 'error' : '**left out**'
    },
  },
  {
    name: 'listing of a tree: Depth infinity is answered as 1',
    task: 'list deep',
    answer: () => undefined,
    judge: ({failed, text}) => (failed ? 'error' : text.includes('f.txt') ? 'right' : '**whole**'),
  },
  {
    name: 'DELETE: done, and the connection closes',
    task: 'remove file',
    answer: (request, times) => {
      if (!isOf(request, 'DELETE')) return undefined
      return times === 1 ? CLOSE : {status: 404}
    },
    judge({failed, text}, requests) {
      const isAgain = count(requests) > 1
      if (!failed) return isAgain ? 'success' : '**success**'
      return isAgain && /404|not found/i.test(text) ? 'sent again: 404' : 'error'
    },
  },
  {
    name: 'DELETE: 503 with Retry-After',
    task: 'remove file',
    answer: (request, times) =>
      isOf(request, 'DELETE') && times === 1
        ? {status: 503, headers: {'retry-after': '1'}}
        : undefined,
    judge: ({failed}, requests) =>
      failed ? 'error' : count(requests) > 1 ? 'sent again' : '**success**',
  },
  {
    name: 'PUT: 201, and nothing is stored',
    task: 'upload',
    answer: () => undefined,
    judge: ({failed}) => (failed ? 'error' : '**success**'),
  },
]
