// The scenarios with the server of faults.ts: connections that are reset, cut or refused, and answers that never come.

import type {RequestBody} from 'multistatus'

import type {ToldRequest} from './faults.ts'
import {
  clientOf,
  line,
  nameOf,
  nameOfThrown,
  open,
  pieces,
  type Place,
  type Scenario,
  streamOf,
  TEXT,
  told,
  urlOf,
} from './scenario.ts'

const retry = {attempts: 3, minDelay: 1, maxDelay: 1}

/** Reads the requests that the server saw below a path. */
export async function seen(place: Place, path: string): Promise<readonly ToldRequest[]> {
  const answer = await fetch(urlOf(place, 'faults', `seen/${path}`))
  return answer.json()
}

/** Finds a port without a listener. */
async function closedServer(place: Place): Promise<string> {
  const answer = await fetch(urlOf(place, 'faults', 'closed-port'))
  const url = new URL(place.servers.faults)
  url.port = await answer.text()
  return url.href
}

/** Lists a collection of the run. */
function list(place: Place, path: string, options?: Parameters<typeof open>[3]) {
  return told(place, open(place, 'faults', path, options).propfind(''))
}

const listed = (name: string): readonly string[] => [
  `ok 200 member /${name}/x 1`,
  `ok 200 self /${name}/ 1`,
]

const cutShort = (name: string): readonly string[] => [
  `ok 200 member /${name}/a 1`,
  `ok 200 self /${name}/ 1`,
  'thrown DavNetworkError',
]

/** Reads an endless listing until a call ends it. Returns the outcome, and the end of the exchange as the server saw it. */
async function leave(
  place: Place,
  path: string,
  end: (controller: AbortController) => void,
): Promise<unknown> {
  const controller = new AbortController()
  const {signal} = controller
  let results = 0
  let outcome = 'left'
  try {
    for await (const _ of open(place, 'faults', path).propfind('', {signal})) {
      results++
      end(controller)
      if (!signal.aborted) break
    }
  } catch (error) {
    outcome = `thrown ${nameOf(error)}`
  }
  const [exchange] = await seen(place, path)
  return [results, outcome, exchange?.ended]
}

const bodies = (): readonly (readonly [name: string, body: RequestBody])[] => [
  ['text', TEXT],
  ['bytes', new TextEncoder().encode(TEXT)],
  ['blob', new Blob([TEXT])],
  ['stream', streamOf(pieces())],
  ['iterable', pieces()],
]

export const faultScenarios: readonly Scenario[] = [
  {
    feature: 'listing',
    title: 'a listing by the transport that the package chooses',
    run: (place) => list({...place, transport: undefined}, 'own/'),
    expected: listed('own'),
  },
  {
    feature: 'listing',
    title: 'a listing',
    run: (place) => list(place, 'listing/'),
    expected: listed('listing'),
  },
  {
    feature: 'walk',
    title: 'a walk',
    async run(place) {
      const {successes, summary} = await open(place, 'faults', 'walk/').walk('').collect()
      return [successes.length, summary.complete, summary.requests]
    },
    expected: [6, true, 3],
  },
  {
    feature: 'cut bodies',
    title: 'a listing whose connection closes',
    run: (place) => list(place, 'cut/'),
    expected: cutShort('cut'),
  },
  {
    feature: 'cut bodies',
    title: 'a file whose connection closes',
    async run(place) {
      const read = await open(place, 'faults', 'content/').get('cut')
      return nameOfThrown(() => read.ok && read.text())
    },
    expected: 'DavNetworkError',
  },
  {
    feature: 'resets',
    title: 'a listing whose connection is reset',
    run: (place) => list(place, 'reset/'),
    expected: cutShort('reset'),
  },
  {
    feature: 'resets',
    title: 'a listing whose connection is reset at once',
    run: (place) => list(place, 'gone/'),
    expected: ['thrown DavNetworkError'],
  },
  {
    feature: 'resets',
    title: 'no server',
    async run(place) {
      const dav = clientOf(place, await closedServer(place))
      return [
        ...(await told(place, dav.deleteMany(['a', 'b']))),
        ...(await told(place, dav.propfind(''))),
      ]
    },
    expected: ['no-answer 0 self /a 1', 'no-answer 0 self /b 1', 'thrown DavNetworkError'],
  },
  {
    feature: 'resets',
    title: 'a host without an address',
    run: (place) => told(place, clientOf(place, 'http://no-such-host.invalid/').deleteMany(['a'])),
    expected: ['no-answer 0 self /a 1'],
  },
  {
    feature: 'resets',
    title: 'a server without TLS',
    run(place) {
      const url = urlOf(place, 'faults', '').replace('http:', 'https:')
      return told(place, clientOf(place, url).deleteMany(['a']))
    },
    expected: ['no-answer 0 self /a 1'],
  },
  {
    feature: 'bulk delete',
    title: 'each target has its verdict, whatever breaks',
    run: (place) =>
      told(
        place,
        open(place, 'faults', 'bulk/').deleteMany(['a', 'reset', 'closed', 'cut', 'locked', 'z']),
      ),
    expected: [
      'no-answer 0 self /bulk/closed 1',
      'no-answer 0 self /bulk/cut 1',
      'no-answer 0 self /bulk/reset 1',
      'ok 204 self /bulk/a 1',
      'ok 204 self /bulk/z 1',
      'status 423 self /bulk/locked 1',
    ],
  },
  {
    feature: 'bulk delete',
    title: 'the targets are the results of a listing',
    run(place) {
      const dav = open(place, 'faults', 'fed/')
      const listing = dav.propfind('')
      async function* members() {
        for await (const result of listing) if (result.relation === 'member') yield result
      }
      return told(place, dav.deleteMany(members()))
    },
    expected: ['ok 204 self /fed/x 1'],
  },
  {
    feature: 'requests sent once',
    title: 'a DELETE on a closed connection of a bulk call is sent once',
    run: async (place) => (await sentFor(place, 'bulk/', 'DELETE closed')) === 1,
    expected: true,
  },
  {
    feature: 'requests sent once',
    title: 'a DELETE and a PUT on a kept connection that closes are sent once',
    async run(place) {
      const dav = open(place, 'faults', 'once/')
      // The connection is kept by then, and closes without an answer.
      const before = [await told(place, dav.propfind('')), line(place, await dav.delete('fine'))]
      const put = await nameOfThrown(() => dav.put('put', 'x'))
      const deleted = await told(place, dav.deleteMany(['delete']))
      const times = [
        await sentFor(place, 'once/', 'PUT put'),
        await sentFor(place, 'once/', 'DELETE delete'),
      ]
      return [...before.flat(), put, ...deleted, ...times]
    },
    expected: [
      ...listed('once'),
      'ok 204 self /once/fine 1',
      'DavNetworkError',
      'no-answer 0 self /once/delete 1',
      1,
      1,
    ],
  },
  {
    feature: 'retry',
    title: 'a listing is sent again after a reset',
    run: (place) => list(place, 'flaky/', {retry}),
    expected: listed('flaky'),
  },
  {
    feature: 'retry',
    title: 'a bulk call sends again what failed',
    run: (place) =>
      told(place, open(place, 'faults', 'flaky/', {retry}).deleteMany(['reset', 'busy'])),
    expected: ['ok 204 self /flaky/busy 2', 'ok 204 self /flaky/reset 2'],
  },
  {
    feature: 'retry',
    title: 'the failures of a bulk call are retried later',
    async run(place) {
      const dav = open(place, 'faults', 'later/')
      const {failures} = await dav.deleteMany(['reset', 'busy']).collect()
      return told(place, dav.retry(failures, retry))
    },
    expected: ['ok 204 self /later/busy 2', 'ok 204 self /later/reset 2'],
  },
  {
    feature: 'get',
    title: 'a broken download goes on after its last byte',
    async run(place) {
      const dav = open(place, 'faults', 'content/', {retry})
      const read = await dav.get('bytes', {resume: true})
      const whole = read.ok && (await read.text())
      const streamed = await dav.get('stream', {resume: true})
      const streamedText = streamed.ok && (await new Response(streamed.body).text())
      return [whole, streamedText, await nameOfThrown(() => read.ok && read.bytes())]
    },
    expected: ['0123456789', '0123456789', 'TypeError'],
  },
  {
    feature: 'get',
    title: 'the body of a raw request is chunks of bytes',
    async run(place) {
      const dav = open(place, 'faults', 'raw/')
      const {status, body} = await dav.request('GET', 'a')
      const chunks: unknown[] = []
      for await (const chunk of body ?? []) chunks.push(chunk)
      return [status, chunks.every((chunk) => chunk instanceof Uint8Array), chunks.length > 0]
    },
    expected: [207, true, true],
  },
  {
    feature: 'put',
    title: 'each kind of body is sent as it is',
    async run(place) {
      const dav = open(place, 'faults', 'bodies/')
      const statuses: unknown[] = []
      for (const [name, body] of bodies())
        statuses.push(await dav.request('PUT', name, {body}).then(({status}) => status, nameOf))
      const requests = await seen(place, 'bodies/')
      return [statuses, requests.map(({path, body}) => `${path} ${body}`)]
    },
    expected: [
      [207, 207, 207, 207, 207],
      ['text', 'bytes', 'blob', 'stream', 'iterable'].map((name) => `${name} ${TEXT}`),
    ],
  },
  {
    feature: 'put',
    title: 'an upload has its length, and no type but its own',
    async run(place) {
      const dav = open(place, 'faults', 'uploads/')
      const {length} = new TextEncoder().encode(TEXT)
      const verdicts = [
        await dav.put('text', TEXT),
        await dav.put('blob', new Blob([TEXT], {type: 'text/css'})),
        await dav.put('spooled', pieces()),
        await dav.put('stream', streamOf(pieces()), {length}),
        await dav.put('typed', pieces(), {type: 'text/x'}),
      ]
      const requests = await seen(place, 'uploads/')
      return [
        verdicts.map((verdict) => line(place, verdict)),
        requests.map((sent) => [sent.body === TEXT, sent.length, sent.type ?? null]),
      ]
    },
    expected: [
      ['text', 'blob', 'spooled', 'stream', 'typed'].map(
        (name) => `ok 201 self /uploads/${name} 1`,
      ),
      [
        [true, '12', null],
        [true, '12', 'text/css'],
        [true, '12', null],
        [true, '12', null],
        [true, '12', 'text/x'],
      ],
    ],
  },
  {
    feature: 'sync',
    title: 'a sync of two pages, and the changes after it',
    async run(place) {
      const dav = open(place, 'faults', 'sync/')
      const first = dav.sync('')
      const all = await told(place, first)
      const {complete, syncToken, requests} = await first.summary
      if (syncToken === undefined) return [...all, 'no token']
      const second = dav.sync('', {token: syncToken})
      const changes = await told(place, second)
      return [...all, complete, syncToken, requests, ...changes, (await second.summary).syncToken]
    },
    expected: [
      'ok 200 member /sync/a 1',
      'ok 200 member /sync/b 1',
      true,
      'urn:t:2',
      2,
      'ok 200 member /sync/c 1',
      'status 404 member /sync/a 1',
      'urn:t:3',
    ],
  },
  {
    feature: 'compressed bodies',
    title: 'a listing is read in each coding that the runtime asks for',
    async run(place) {
      await list(place, 'coded/')
      const [request] = await seen(place, 'coded/')
      const codings = (request?.codings ?? '').split(/[ ,]+/)
      const wrong: string[] = []
      for (const coding of codings) {
        const lines = await list(place, `coded/${coding}/`)
        if (lines.join() !== listed(`coded/${coding}`).join()) wrong.push(coding, ...lines)
      }
      return [codings.includes('gzip'), wrong]
    },
    expected: [true, []],
  },
  {
    feature: 'compressed bodies',
    title: 'a listing in gzip that lacks its end is an error',
    run: async (place) => (await list(place, 'coded/cut/')).at(-1),
    expected: 'thrown DavNetworkError',
  },
  {
    feature: 'compressed bodies',
    title: 'a file in gzip, which was not asked for, lacks its end',
    async run(place) {
      const read = await open(place, 'faults', 'coded/').get('cut')
      if (!read.ok) return line(place, read)
      const bytes = await read.bytes().catch(nameOf)
      if (typeof bytes === 'string') return 'an error or the bytes as sent'
      // The first bytes of a gzip. RFC 1952, section 2.3.1.
      const isAsSent = bytes[0] === 0x1f && bytes[1] === 0x8b
      return isAsSent ? 'an error or the bytes as sent' : 'a shorter file'
    },
    expected: 'an error or the bytes as sent',
  },
  {
    feature: 'compressed bodies',
    title: 'a listing that is no gzip is an error',
    run: (place) => list(place, 'coded/broken/'),
    expected: ['thrown DavNetworkError'],
  },
  {
    feature: 'redirects',
    title: 'a listing follows a redirect, whose target is not escaped',
    run: (place) => told(place, open(place, 'faults', 'moved/').propfind('docs')),
    expected: ['ok 200 outside /moved/%C3%A9/ 1', 'ok 200 outside /moved/%C3%A9/x 1'],
  },
  {
    feature: 'redirects',
    title: 'a DELETE follows to the slash, and a PUT to another member',
    async run(place) {
      const dav = open(place, 'faults', 'moved/')
      await dav.delete('a')
      const thrown = await nameOfThrown(async () => {
        await (await dav.request('PUT', 'b', {body: TEXT})).body?.cancel()
      })
      const requests = (await seen(place, 'moved/'))
        .filter(({path}) => /^[ab]/.test(path))
        .map(({method, path, body}) => `${method} ${path} ${body}`.trim())
      return [thrown, ...requests]
    },
    expected: ['nothing', 'DELETE a', 'DELETE a/', `PUT b ${TEXT}`, `PUT b-new ${TEXT}`],
  },
  {
    feature: 'redirects',
    title: 'a redirect to another origin is not followed',
    run: async (place) => line(place, await open(place, 'faults', 'moved/').delete('away')),
    expected: 'status 307 self /moved/away 1',
  },
  {
    feature: 'redirects',
    title: 'a body that can be read once is not sent to another URL',
    run: (place) =>
      open(place, 'faults', 'bodies/')
        .request('PUT', 'again', {body: pieces()})
        .then(({status}) => status, nameOf),
    expected: 307,
  },
  {
    feature: 'time limits',
    title: 'a server without an answer, and one that stops in the middle',
    run: async (place) => [
      ...(await list(place, 'never/', {timeout: {headers: 500}})),
      ...(await list(place, 'stops/', {timeout: {idle: 1000}})),
    ],
    expected: [
      'thrown DavTimeoutError headers',
      'ok 200 self /stops/ 1',
      'thrown DavTimeoutError idle',
    ],
  },
  {
    feature: 'abort',
    title: 'an abort ends a listing and its connection',
    run: (place) => leave(place, 'endless/abort/', (controller) => controller.abort('enough')),
    expected: [1, 'thrown enough', 'closed'],
  },
  {
    feature: 'abort',
    title: 'an abort before the answer ends the request',
    async run(place) {
      const controller = new AbortController()
      const {signal} = controller
      const dav = open(place, 'faults', 'endless/silent/')
      const lines = told(place, dav.propfind('', {signal}))
      await fetch(urlOf(place, 'faults', 'arrived/endless/silent/'))
      controller.abort('enough')
      const [exchange] = await seen(place, 'endless/silent/')
      return [...(await lines), exchange?.ended]
    },
    expected: ['thrown enough', 'closed'],
  },
  {
    feature: '`break`',
    title: 'a break ends a listing and its connection',
    run: (place) => leave(place, 'endless/break/', () => {}),
    expected: [1, 'left', 'closed'],
  },
  {
    feature: 'User-Agent',
    title: 'the package names itself, or what the program says',
    async run(place) {
      await list(place, 'agent/')
      await list(place, 'agent/', {userAgent: 'own/1'})
      const [first, second] = await seen(place, 'agent/')
      return [/^multistatus\/\d+\.\d+\.\d+$/.test(first?.agent ?? ''), second?.agent === 'own/1']
    },
    expected: [true, true],
  },
  {
    feature: 'arguments',
    title: 'a closed client sends nothing more',
    async run(place) {
      const dav = open(place, 'faults', 'own/')
      await dav.close()
      return [
        ...(await told(place, dav.propfind(''))),
        await nameOfThrown(() => dav.request('GET', 'a')),
      ]
    },
    expected: ['thrown DavError', 'DavError'],
  },
  {
    feature: 'arguments',
    title: 'a header that no request can have is refused',
    run: async (place) => [
      await nameOfThrown(() => open(place, 'faults', '', {headers: {'no name': 'x'}})),
      await nameOfThrown(() => open(place, 'faults', '', {headers: {x: 'a\nb'}})),
    ],
    expected: ['TypeError', 'TypeError'],
  },
]

/** Counts the requests of one method and path that the server saw. */
async function sentFor(place: Place, path: string, key: string): Promise<number> {
  const requests = await seen(place, path)
  return requests.filter((sent) => `${sent.method} ${sent.path}` === key).length
}
