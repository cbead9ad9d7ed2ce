// States that every runtime carries exchanges the same way: Bun and Deno over fetch, Node 22, 24 and 26 over both transports.
// Each runs one program from the built package, against connections that are reset, cut, refused or never answered.

import {execFile} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import type {Answer} from '../support/fault-server.ts'
import {
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'

type End = typeof RESET | typeof CLOSE | typeof NEVER

const run = promisify(execFile)
const root = new URL('../../', import.meta.url)
const at = (path: string): string => fileURLToPath(new URL(path, root))
const program = at('test/runtimes/scenarios.ts')

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
  const asked = new Map<string, number>()
  server.script(({method, url}) => {
    const key = `${method} ${url}`
    const times = (asked.get(key) ?? 0) + 1
    asked.set(key, times)
    return answerTo(key, url, times)
  })
})

afterEach(() => server.close())

/** The answer to a request that was sent so many times. */
function answerTo(key: string, url: string, times: number): Answer | End {
  const isFirst = times === 1
  switch (key) {
    case 'PROPFIND /walk/':
      return answer207(listing('/walk/', '/walk/a/', '/walk/b/', '/walk/f'))
    case 'PROPFIND /cut/':
      return answer207([OPEN + listed('/cut/') + listed('/cut/a'), 30, CLOSE])
    case 'PROPFIND /reset/':
      return answer207([OPEN + listed('/reset/') + listed('/reset/a'), 30, RESET])
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
      return {status: 302, headers: {location: Buffer.from('/moved/é/').toString('latin1')}}
    case 'DELETE /once/delete':
    case 'PUT /once/put':
      if (isFirst) return CLOSE
      return {status: 404}
    case 'PUT /bodies/again':
      return {status: 307, headers: {location: '/bodies/again/'}}
    case 'GET /content/bytes':
    case 'GET /content/stream':
    case 'GET /content/file': {
      const etag = '"1"'
      return isFirst
        ? {status: 200, headers: {etag, 'content-length': '10'}, body: ['0123', 30, RESET]}
        : {status: 206, headers: {etag, 'content-range': 'bytes 4-9/10'}, body: '456789'}
    }
    case 'PROPFIND /never/':
      return NEVER
    case 'PROPFIND /stops/':
      return answer207([OPEN + listed('/stops/'), NEVER])
    default:
  }
  if (key.startsWith('PUT /uploads/')) return {status: 201}
  return key.startsWith('DELETE') ? {status: 204} : answer207(listing(url, `${url}x`))
}

/** A port on which nobody listens. */
async function closedPort(): Promise<string> {
  const gone = await startFaultServer()
  const {port} = new URL(gone.url)
  await gone.close()
  return port
}

const listedWell = ['ok 200 member /NAME/x 1', 'ok 200 self /NAME/ 1']
const named = (name: string): readonly string[] =>
  listedWell.map((line) => line.replace('NAME', name))

const EXPECTED: readonly [string, unknown][] = [
  ['package', ['dist', 'index.js']],
  ['default transport', named('own')],
  ['listing', named('listing')],
  ['walk', [6, true, 3]],
  ['listing, cut', ['ok 200 member /cut/a 1', 'ok 200 self /cut/ 1', 'thrown DavNetworkError']],
  [
    'listing, reset',
    ['ok 200 member /reset/a 1', 'ok 200 self /reset/ 1', 'thrown DavNetworkError'],
  ],
  ['listing, reset at once', ['thrown DavNetworkError']],
  ['listing, retried', named('flaky')],
  ['listing, moved', ['ok 200 outside /moved/%C3%A9/ 1', 'ok 200 outside /moved/%C3%A9/x 1']],
  [
    'bulk',
    [
      'no-answer 0 self /bulk/closed 1',
      'no-answer 0 self /bulk/cut 1',
      'no-answer 0 self /bulk/reset 1',
      'ok 204 self /bulk/a 1',
      'ok 204 self /bulk/z 1',
      'status 423 self /bulk/locked 1',
    ],
  ],
  ['bulk, fed by a listing', ['ok 204 self /fed/x 1']],
  ['bulk, retried', ['ok 204 self /flaky/busy 2', 'ok 204 self /flaky/reset 2']],
  ['retry of failures', ['ok 204 self /later/busy 2', 'ok 204 self /later/reset 2']],
  ['no server', ['no-answer 0 self /a 1', 'no-answer 0 self /b 1', 'thrown DavNetworkError']],
  ['no name', ['no-answer 0 self /a 1']],
  ['no TLS', ['no-answer 0 self /a 1']],
  [
    'sent once',
    [...named('once'), 'ok 204 self /once/fine 1', 'no-answer 0 self /once/delete 1', true],
  ],
  [
    'time limits',
    ['thrown DavTimeoutError headers', 'ok 200 self /stops/ 1', 'thrown DavTimeoutError idle'],
  ],
  ['abort', ['thrown enough']],
  ['content', ['0123456789', '0123456789', 200, '0123456789', 'TypeError']],
  ['raw request', [207, true, true]],
  ['request bodies', [207, 207, 207, 207, 207, 307]],
  [
    'uploads',
    [
      ...['text', 'blob', 'spooled', 'stream', 'file', 'long'].map(
        (name) => `ok 201 self /uploads/${name} 1`,
      ),
      'refused 0 self /uploads/none 1',
    ],
  ],
  ['closed client', ['thrown DavError', 'DavError']],
  ['wrong arguments', ['TypeError', 'TypeError']],
]

const NODE_22 = at('test/runtimes/node22/node_modules/.bin/node')
const NODE_24 = at('node_modules/.bin/node')
const NODE_26 = at('test/runtimes/node26/node_modules/.bin/node')
const BUN = at('node_modules/.bin/bun')
const DENO = at('node_modules/.bin/deno')
// Bun obeys the paths of tsconfig.json before a package's exports, and would run the sources.
const BUN_RUN = ['run', '--tsconfig-override=test/runtimes/bun.tsconfig.json']
const DENO_RUN = ['run', '--allow-all', '--no-lock', '--node-modules-dir=manual']

describe.each<[string, string, readonly string[], string, RegExp, string]>([
  ['Bun', BUN, BUN_RUN, 'fetch', /^1\.4\.5$/, 'Bun/1.4.5'],
  ['Deno', DENO, DENO_RUN, 'fetch', /^deno 2\.9\.6 /, 'Deno/2.9.6'],
  ['Node 22', NODE_22, ['--no-warnings'], 'fetch', /^v22\.19\.0$/, 'multistatus/0.1.0'],
  ['Node 22', NODE_22, ['--no-warnings'], 'undici', /^v22\.19\.0$/, 'multistatus/0.1.0'],
  ['Node 24', NODE_24, [], 'fetch', /^v24\.21\.0$/, 'multistatus/0.1.0'],
  ['Node 24', NODE_24, [], 'undici', /^v24\.21\.0$/, 'multistatus/0.1.0'],
  ['Node 26', NODE_26, [], 'fetch', /^v26\.10\.0$/, 'multistatus/0.1.0'],
  ['Node 26', NODE_26, [], 'undici', /^v26\.10\.0$/, 'multistatus/0.1.0'],
])('%s', (_, command, options, transport, version, agent) => {
  it(`is the version that is meant: ${transport}`, async () => {
    const {stdout} = await run(command, ['--version'])
    expect(stdout.trim()).toMatch(version)
  })

  it(`gives each target its verdict, whatever breaks: ${transport}`, async () => {
    const parameters = [...options, program, server.url, transport, await closedPort()]
    const {stdout} = await run(command, parameters, {cwd: at('.'), timeout: 25_000})
    const results: unknown[] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    // Bun has a module of its own for undici.
    const undici = [
      'undici, where it is another',
      agent.startsWith('Bun') ? 'TypeError' : 'nothing',
    ]
    expect(results).toEqual([...EXPECTED.slice(0, -5), undici, ...EXPECTED.slice(-5)])
    const bodies = server.requests.filter(({url}) => url.startsWith('/bodies/'))
    expect(bodies.map(({url, body}) => `${url.slice(8)} ${body}`)).toEqual(
      ['text', 'bytes', 'blob', 'stream', 'iterable', 'again'].map((name) => `${name} Grüße 😀`),
    )
    const uploads = server.requests.filter(({url}) => url.startsWith('/uploads/'))
    expect(uploads.map(({body}) => body)).toEqual([
      ...Array.from({length: 4}, () => 'Grüße 😀'),
      readFileSync(program, 'utf8'),
      'Grüße 😀'.repeat(10_000),
    ])
    for (const {headers, body} of uploads)
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    // Bun adds a type to a Blob without one, and so to a long file.
    const [ofText, ofBlob, ...others] = uploads.map(({headers}) => headers['content-type'])
    expect(ofText).toBeUndefined()
    expect(ofBlob).toMatch(/^text\/css(?:;charset=utf-8)?$/)
    expect(others.filter((type) => type !== undefined)).toHaveLength(
      agent.startsWith('Bun') ? 3 : 0,
    )
    const own = server.requests.find(({url}) => url === '/own/')
    expect(own?.headers['user-agent']).toBe(agent)
    const sent = server.requests.map(({method, url}) => `${method} ${url}`)
    expect(sent.filter((key) => key === 'DELETE /once/delete')).toHaveLength(1)
    expect(sent.filter((key) => key === 'PUT /once/put')).toHaveLength(1)
    expect(sent.filter((key) => key === 'DELETE /bulk/closed')).toHaveLength(1)
  })
})

describe('the versions that are tested', () => {
  it('begin with the oldest one that package.json allows', () => {
    const {engines} = JSON.parse(readFileSync(at('package.json'), 'utf8'))
    expect(engines).toEqual({node: '>=22.19'})
  })
})
