// States that an answer is recognized by its body, at any length. Nothing counts behind the end of the document. The server's own
// words are reported. RFC 4918, sections 13 and 16; RFC 9110, section 15.

import {DavClient, type DavResult, type Failure, isRetryable, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 10_000})

let server: FaultServer

beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport) => {
  const open = (): DavClient => new DavClient({url: server.url, transport})

  describe('a document behind 200 kB of nothing', () => {
    const blank = ' '.repeat(200_000)
    const comment = `<!--${'x'.repeat(200_000)}-->`
    it.each([
      ['white space', blank],
      ['a comment', comment],
      ['both, and a declaration', `<?xml version="1.0"?>${comment}\n${blank}`],
    ])('is recognized: %s', async (_name, before) => {
      server.answers(answer207(before + OPEN + verdict('/a/x', 'HTTP/1.1 423 Locked') + SHUT))
      const results = await Array.fromAsync(open().deleteMany(['a/']))
      expect(results.map(line)).toEqual(['423 status member /a/x', '424 member self /a/'])
      server.answers(answer207(before + listing('/docs/', '/docs/a')))
      const {successes, summary} = await open().propfind('docs/').collect()
      expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
      expect(summary.complete).toBe(true)
    })

    it('that never comes leaves the status as the verdict', async () => {
      server.answers(answer207(blank))
      await expect(open().propfind('docs/').collect()).rejects.toMatchObject({
        name: 'MultiStatusError',
        reason: 'truncated',
      })
    })
  })

  describe('a document that has ended', () => {
    const whole = listing('/docs/', '/docs/a')
    const long = {'content-length': '100000'}
    it.each([
      ['no last chunk', answer207([whole, NEVER])],
      ['a comment and no last chunk', answer207([whole, '\n<!-- end -->', NEVER])],
      ['a reset', answer207([whole, 50, RESET])],
      ['the end of the connection', answer207([whole, 50, CLOSE])],
      ['a length that is too long', answer207([whole, NEVER], long)],
      [
        'a length that is too long, and the end of the connection',
        answer207([whole, 50, CLOSE], long),
      ],
    ])('is whole in spite of %s', async (_name, answer) => {
      server.answers(answer)
      const {successes, summary} = await open().propfind('docs/').collect()
      expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
      expect(summary).toMatchObject({complete: true, requests: 1})
      expect(await server.requests[0]?.ended).toBe('closed')

      server.answers({...answer, body: [verdicts({'/a/x': '423 Locked'}), ...tail(answer.body)]})
      const results = await Array.fromAsync(open().deleteMany(['a/']))
      expect(results.map(line)).toEqual(['423 status member /a/x', '424 member self /a/'])
    })

    it('is read to its last chunk if that comes, so that the connection is used again', async () => {
      server.answers(answer207([whole, 20, '\n', 20, '<!-- end -->']))
      const dav = open()
      for (let times = 0; times < 3; times++) await dav.propfind('docs/').collect()
      expect(await Promise.all(server.requests.map(({ended}) => ended))).toEqual([
        'finished',
        'finished',
        'finished',
      ])
    })

    it('may be followed by white space and comments only', async () => {
      server.answers(answer207([whole, 20, '<x/>']))
      const {results, error} = await readToEnd(open().propfind('docs/'))
      expect(results).toHaveLength(2)
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-well-formed'})
    })

    it('is not a document without its end tag', async () => {
      server.answers(answer207([OPEN + listed('/docs/'), 50, RESET]))
      await expect(open().propfind('docs/').collect()).rejects.toMatchObject({
        name: 'DavNetworkError',
      })
    })
  })

  it('a Content-Type that was joined of two does not hide the failure of a member', async () => {
    for (const type of [
      'text/xml; charset=utf-8, application/xml',
      'text/xml; charset="utf-8',
      'text/xml; charset=utf8mb4',
    ]) {
      server.answers(answer207(verdicts({'/a/x': '423 Locked'}), {'content-type': type}))
      const results = await Array.fromAsync(open().deleteMany(['a/']))
      expect(results.map(line)).toEqual(['423 status member /a/x', '424 member self /a/'])
    }
  })
})

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('a body that cannot be decoded, over %s', (_, transport) => {
  const broken = (status: number): Answer => ({
    status,
    headers: {'content-encoding': 'gzip', 'content-type': 'application/xml'},
    body: 'this is no gzip',
  })
  const dav = (): DavClient => new DavClient({url: server.url, transport})

  it.each([
    [200, '200 self /a'],
    [423, '423 status self /a'],
    [503, '503 status self /a'],
  ])('leaves the status of a DELETE: %i', async (status, expected) => {
    server.answers(broken(status))
    expect((await Array.fromAsync(dav().deleteMany(['a']))).map(line)).toEqual([expected])
  })

  it('leaves the outcome of a 207 open', async () => {
    server.answers(broken(207))
    expect(await Array.fromAsync(dav().deleteMany(['a']))).toMatchObject([
      {ok: false, status: 0, reason: 'no-answer', cause: 'network'},
    ])
  })

  it.each([200, 207])('is no listing: %i', async (status) => {
    server.answers(broken(status))
    await expect(dav().propfind('a').collect()).rejects.toMatchObject({name: 'DavNetworkError'})
  })
})

/** The parts of a body behind its document. */
function tail(body: unknown): readonly (string | number | typeof RESET)[] {
  return Array.isArray(body) ? body.slice(1) : []
}

describe('the words of a refusal', () => {
  const dav = (): DavClient => new DavClient({url: server.url, transport: undiciTransport()})
  const sabre = (inside: string): string =>
    `<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\Locked</s:exception>${inside}</d:error>`

  it.each([
    [
      'the message of SabreDAV',
      'application/xml',
      sabre('<s:message> The file\nis locked </s:message>'),
      'The file\nis locked',
    ],
    [
      'the text of a DAV:error',
      'application/xml',
      '<error xmlns="DAV:">no space left</error>',
      'no space left',
    ],
    [
      'the text of an error in the namespace DAV',
      'text/xml',
      '<D:error xmlns:D="DAV">no such thing</D:error>',
      'no such thing',
    ],
    [
      'a text',
      'text/plain; charset=utf-8',
      '\n  Quota exceeded for ana\n',
      'Quota exceeded for ana',
    ],
    ['the beginning of a long text', 'text/plain', 'x'.repeat(100_000), 'x'.repeat(300)],
  ])('are the description: %s', async (_, type, body, description) => {
    server.answers({status: 423, headers: {'content-type': type}, body})
    const {failures} = await dav().deleteMany(['a']).collect()
    expect(failures).toMatchObject([{status: 423, reason: 'status', description}])
    await expect(dav().propfind('a').collect()).rejects.toMatchObject({status: 423, description})
  })

  it.each([
    ['a page', 'text/html', '<html><body>Locked</body></html>'],
    ['JSON', 'application/json', '{"error":"locked"}'],
    ['conditions alone', 'application/xml', '<error xmlns="DAV:"><lock-token-submitted/></error>'],
    ['nothing', 'text/plain', ''],
  ])('are left out for %s', async (_, type, body) => {
    server.answers({status: 423, headers: {'content-type': type}, body})
    const {failures} = await dav().deleteMany(['a']).collect()
    expect(failures[0]).not.toHaveProperty('description')
  })

  it('are reported for a collection in a walk too', async () => {
    server.script(({url}) =>
      url === '/docs/'
        ? answer207(listing('/docs/', '/docs/b/'))
        : {
            status: 403,
            headers: {'content-type': 'application/xml'},
            body: sabre('<s:message>Not yours</s:message><d:need-privileges/>'),
          },
    )
    const {failures} = await dav()
      .propfind('docs/', {depth: {walk: true}})
      .collect()
    expect(failures).toMatchObject([
      {
        status: 403,
        description: 'Not yours',
        conditions: [
          '{http://sabredav.org/ns}exception',
          '{http://sabredav.org/ns}message',
          'need-privileges',
        ],
      },
    ])
  })

  it('are passed to retryable, with the conditions', async () => {
    const heard: Failure[] = []
    const retry = {
      attempts: 2,
      minDelay: 1,
      retryable: (failure: Failure) => {
        heard.push(failure)
        return failure.conditions.includes('quota-not-exceeded')
      },
    }
    const body = '<D:error xmlns:D="DAV:"><D:quota-not-exceeded/>wait a moment</D:error>'
    server.answers({status: 403, body}, answer207(listing('/docs/')))
    const {successes} = await dav().propfind('docs/', {retry}).collect()
    expect(successes).toHaveLength(1)
    expect(heard).toMatchObject([
      {
        status: 403,
        reason: 'status',
        conditions: ['quota-not-exceeded'],
        description: 'wait a moment',
      },
    ])
  })

  it('are not waited for if they do not come', async () => {
    server.answers({status: 503, body: ['be', NEVER]}, answer207(listing('/docs/')))
    const {successes} = await dav()
      .propfind('docs/', {retry: {attempts: 2, minDelay: 1}})
      .collect()
    expect(successes).toHaveLength(1)
    expect(await server.requests[0]?.ended).toBe('closed')
  })
})

describe('a DAV:error or a page under a success', () => {
  const dav = (): DavClient => new DavClient({url: server.url, transport: undiciTransport()})

  it.each([0, 1, 'infinity'] as const)('is found by one request: depth %s', async (depth) => {
    const body = '<D:error xmlns:D="DAV:"><D:need-privileges/>not for you</D:error>'
    server.answers({status: 200, headers: {'content-type': 'application/xml'}, body})
    await expect(dav().propfind('docs/', {depth}).collect()).rejects.toMatchObject({
      name: 'MultiStatusError',
      reason: 'not-multistatus',
      conditions: ['need-privileges'],
      excerpt: body,
    })
    expect(server.requests).toHaveLength(1)
  })

  it('shows the beginning of the page', async () => {
    const body = `<html><title>Log in</title>${'x'.repeat(5000)}</html>`
    server.answers({status: 200, headers: {'content-type': 'text/html'}, body})
    await expect(dav().propfind('docs/').collect()).rejects.toMatchObject({
      name: 'MultiStatusError',
      conditions: [],
      excerpt: body.slice(0, 1000),
    })
    expect(server.requests).toHaveLength(1)
  })

  it('under 207 is a Failure of a DELETE with its conditions and words', async () => {
    const body = '<D:error xmlns:D="DAV:"><D:lock-token-submitted/>locked by bob</D:error>'
    server.answers({status: 207, headers: {'content-type': 'application/xml'}, body})
    const {failures} = await dav().deleteMany(['a']).collect()
    expect(failures).toMatchObject([
      {
        status: 0,
        reason: 'no-answer',
        cause: 'unreadable',
        conditions: ['lock-token-submitted'],
        description: 'locked by bob',
      },
    ])
  })
})

describe('an answer to a DELETE that leaves its outcome open', () => {
  const results = async (answer: Answer): Promise<DavResult[]> => {
    server.answers(answer)
    const dav = new DavClient({url: server.url, transport: undiciTransport()})
    return Array.fromAsync(dav.deleteMany(['a/']))
  }
  const open = {ok: false, status: 0, reason: 'no-answer', cause: 'unreadable', relation: 'self'}

  it('is a DAV:error under a success', async () => {
    const body = '<D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>'
    const headers = {'content-type': 'application/xml'}
    expect(await results({status: 200, headers, body})).toMatchObject([
      {...open, conditions: ['lock-token-submitted']},
    ])
    const words = '<D:error xmlns:D="DAV:">Locked by ana</D:error>'
    expect(await results({status: 200, headers, body: words})).toMatchObject([
      {...open, description: 'Locked by ana'},
    ])
  })

  it('is not a plain page, however its end breaks', async () => {
    expect(await results({status: 200, body: ['deleted', 50, RESET]})).toMatchObject([
      {ok: true, status: 200},
    ])
  })

  it('is a body cut after its first byte', async () => {
    const transport: Transport = async () => new Response('<')
    const client = new DavClient({url: 'https://dav.example/', transport})
    expect(await client.delete('a')).toMatchObject({
      ok: false,
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
    })
  })

  it('is the beginning of a document', async () => {
    const headers = {'transfer-encoding': 'none', connection: 'close'}
    for (const body of ['<?xml version="1.0"?><D:multi', '<D:multistatus xmlns', '<!-- ']) {
      expect(await results({status: 200, headers, body: [body, CLOSE]})).toMatchObject([open])
    }
    expect(await results({status: 200, body: '\n'})).toMatchObject([{ok: true, status: 200}])
  })

  describe.each<[string, (dav: DavClient) => Promise<DavResult>]>([
    ['DELETE', (dav) => dav.delete('a')],
    ['COPY', (dav) => dav.copy('a', 'b', {overwrite: true})],
    ['MOVE', (dav) => dav.move('a', 'b', {overwrite: true})],
    ['MKCOL', (dav) => dav.mkcol('a/')],
    ['PROPPATCH', (dav) => dav.proppatch('a', {set: {displayname: 'a'}})],
    ['PUT', (dav) => dav.put('a', 'text')],
    ['LOCK', (dav) => dav.lock('a')],
    ['UNLOCK', (dav) => dav.unlock('a', {lockToken: 'urn:uuid:1'})],
  ])('is a 207 to a %s', (method, call) => {
    it.each<[string, NonNullable<Answer['body']>, string]>([
      ['nothing', '', 'is no Multi-Status document'],
      ['a page', '<html><body>It works</body></html>', 'is no Multi-Status document'],
      ['a text', 'done', 'is no Multi-Status document'],
      ['the beginning of a document', '<?xml version="1.0"?><D:mul', 'was cut off'],
      ['a DAV:error', '<D:error xmlns:D="DAV:"/>', 'tells of an error'],
    ])('with %s', async (_, body, words) => {
      server.script((request) => (request.method === method ? {status: 207, body} : {status: 405}))
      const dav = new DavClient({url: server.url, transport: undiciTransport()})
      const result = await call(dav)
      const description = expect.stringContaining(
        `The ${method} was answered 207, and its body ${words}`,
      )
      expect(result).toMatchObject({...open, description, request: {method}})
      expect(!result.ok && isRetryable(result)).toBe(true)
    })
  })

  it('is gone when it is deleted once more', async () => {
    server.answers({status: 207}, {status: 404})
    const dav = new DavClient({url: server.url, retry: {attempts: 2, minDelay: 1}})
    expect(await dav.delete('a')).toMatchObject({ok: true, status: 404, attempts: 2})
  })

  it('is a document with a response that is misnamed', async () => {
    const body = `${OPEN}<response xmlns=""><href>/a/x</href><status>HTTP/1.1 423</status></response>${SHUT}`
    expect(await results(answer207(body))).toMatchObject([open])
  })

  it('has the description of the whole answer', async () => {
    const words = '<D:responsedescription>could not delete</D:responsedescription>'
    expect(await results(answer207(OPEN + words + SHUT))).toMatchObject([
      {ok: true, status: 207, description: 'could not delete'},
    ])
    const failing = verdict('/a/x', 'HTTP/1.1 423')
    expect((await results(answer207(OPEN + failing + words + SHUT))).at(-1)).toMatchObject({
      status: 424,
      description: 'could not delete',
    })
  })

  it('covers no other target if a failure is named without the base path', async () => {
    const dav = new DavClient({url: `${server.url}base/`, transport: undiciTransport()})
    const body = OPEN + verdict('/x/b', 'HTTP/1.1 423') + verdict('/base/x', 'HTTP/1.1 204') + SHUT
    server.script(({url}) => (url === '/base/x' ? answer207(body) : {status: 423}))
    const all = await Array.fromAsync(dav.deleteMany(['x', 'x/b'], {concurrency: 1}))
    expect(all.filter(({relation}) => relation === 'self').map(line)).toEqual([
      '204 self /base/x',
      '423 status self /base/x/b',
    ])
  })
})

describe('the cause of a Failure without an answer', () => {
  it.each([
    ['network', RESET],
    ['timeout', NEVER],
    ['unreadable', answer207(OPEN + verdict('/a', 'HTTP/1.1 423') + SHUT.slice(0, -1))],
  ] as const)('is told: %s', async (cause, answer) => {
    server.answers(answer)
    const dav = new DavClient({
      url: server.url,
      transport: undiciTransport(),
      timeout: {headers: 100},
    })
    const results = await Array.fromAsync(dav.deleteMany(['a']))
    expect(results.at(-1)).toMatchObject({
      ok: false,
      reason: 'no-answer',
      status: 0,
      cause,
      relation: 'self',
    })
  })

  it('tells an aborted target from one that was not sent', async () => {
    server.answers(NEVER)
    const controller = new AbortController()
    const dav = new DavClient({url: server.url, transport: undiciTransport()})
    setTimeout(() => controller.abort(), 200)
    const {results} = await readToEnd(
      dav.deleteMany(['a', 'b'], {concurrency: 1, signal: controller.signal}),
    )
    expect(results).toMatchObject([
      {reason: 'no-answer', cause: 'aborted', href: '/a'},
      {reason: 'no-answer', cause: 'not-sent', href: '/b'},
    ])
  })
})
