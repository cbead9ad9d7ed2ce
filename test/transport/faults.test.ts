// States that a connection that breaks delivers every finished result and then an error of its own class. It is never a
// shorter success and never a hang, over both transports. RFC 9112, section 8.

import {DavClient, type DavResult, DavNetworkError, MultiStatusError} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  type Part,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {drain, verdict} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

function isBroken(error: unknown): boolean {
  return error instanceof DavNetworkError || error instanceof MultiStatusError
}

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport) => {
  const open = (): DavClient => new DavClient({url: server.url, transport})
  const read = (): Promise<{items: DavResult<unknown>[]; error?: unknown}> =>
    drain(open().propfind('docs/'))

  describe.each([
    ['reset', RESET],
    ['closed', CLOSE],
  ] as const)('a connection that is %s', (_how, end) => {
    it('before the headers is a DavNetworkError with its cause, and nothing is sent again', async () => {
      server.answers(end)
      const {items, error} = await read()
      expect(items).toEqual([])
      expect(error).toBeInstanceOf(DavNetworkError)
      expect(error).toMatchObject({name: 'DavNetworkError', cause: expect.any(Error)})
      expect(error).toHaveProperty(
        'message',
        expect.stringMatching(new RegExp(`^PROPFIND ${server.url}docs/ failed: .+`)),
      )
      expect(server.requests).toHaveLength(1)
    })

    it('before the headers is thrown by DELETE too: nobody knows the outcome', async () => {
      server.answers(end)
      await expect(open().delete('docs/')).rejects.toBeInstanceOf(DavNetworkError)
    })

    it.each<[string, readonly Part[], number]>([
      ['right after the headers', [], 0],
      ['between two responses', [OPEN + listed('/docs/'), 20], 1],
      [
        'between two chunks of a response',
        [OPEN + listed('/docs/'), listed('/a').slice(0, 30), 20],
        1,
      ],
      ['before the end of the root', [OPEN + listed('/docs/') + listed('/docs/a'), 20], 2],
    ])(
      'in the body gives the finished results, then an error: %s',
      async (_where, parts, count) => {
        server.answers(answer207([...parts, 10, end]))
        const {items, error} = await read()
        expect(items).toHaveLength(count)
        expect(isBroken(error)).toBe(true)
      },
    )

    it('in the body of a DELETE is thrown, and gives the members among many', async () => {
      const locked = verdict('/docs/a', 'HTTP/1.1 423 Locked')
      const cut = answer207([OPEN + locked, 20, end])
      server.answers(cut, cut)
      const error: unknown = await open()
        .delete('docs/')
        .catch((reason: unknown) => reason)
      expect(isBroken(error)).toBe(true)
      expect(await Array.fromAsync(open().deleteMany(['docs/']))).toMatchObject([
        {href: '/docs/a', relation: 'member', status: 423},
        {href: '/docs/', relation: 'self', status: 0, reason: 'no-answer'},
      ])
    })

    it('in the body of a refusal is the refusal all the same', async () => {
      server.answers({status: 403, body: ['<html>', 20, end]})
      expect((await read()).error).toMatchObject({name: 'DavHttpError', status: 403})
    })

    it('leaves the client fit for the next request', async () => {
      server.answers(end, answer207(listing('/docs/')))
      expect((await read()).error).toBeInstanceOf(DavNetworkError)
      expect((await read()).items).toHaveLength(1)
    })
  })

  describe('a Content-Length that lies', () => {
    const body = listing('/docs/', '/docs/a', '/docs/b')

    it('and is too long gives the finished results, then an error', async () => {
      const headers = {'content-length': `${body.length + 100}`, connection: 'close'}
      server.answers(answer207([body.slice(0, -30), CLOSE], headers))
      const {items, error} = await read()
      expect(items.length).toBeGreaterThanOrEqual(2)
      expect(isBroken(error)).toBe(true)
    })

    it('and is too short gives the finished results, then a MultiStatusError truncated', async () => {
      const short = (OPEN + listed('/docs/')).length + 10
      server.answers(answer207(body, {'content-length': `${short}`, connection: 'close'}))
      const {items, error} = await read()
      expect(items).toMatchObject([{href: '/docs/'}])
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated', offset: short})
    })
  })

  describe('a body that ends early', () => {
    it('is truncated, however orderly the connection', async () => {
      server.answers(answer207(OPEN + listed('/docs/') + listed('/docs/a')))
      const {items, error} = await read()
      expect(items.map(({href}) => href)).toEqual(['/docs/', '/docs/a'])
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
    })

    it('is truncated if the end of the connection is the end of the body', async () => {
      const headers = {'transfer-encoding': 'none', connection: 'close'}
      server.answers(answer207([OPEN + listed('/docs/'), CLOSE], headers))
      const {items, error} = await read()
      expect(items).toMatchObject([{href: '/docs/'}])
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
    })
  })

  describe('a body that is not well-formed', () => {
    const odd = `${OPEN}${listed('/docs/')}<D:response><D:href>/docs/\u0001</D:href></D:response>${listed('/docs/b')}${SHUT}`

    it('gives the finished results, then an error', async () => {
      server.answers(answer207(odd))
      const {items, error} = await read()
      expect(items.map(({href}) => href)).toEqual(['/docs/'])
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-well-formed'})
    })

    it("goes on after it with malformed: 'skip', and is then not complete", async () => {
      server.answers(answer207(odd))
      const dav = new DavClient({url: server.url, transport, malformed: 'skip'})
      const {successes, failures, summary} = await dav.propfind('docs/').collect()
      expect(successes.map(({href}) => href)).toEqual(['/docs/', '/docs/b'])
      expect(failures).toMatchObject([{reason: 'malformed', status: 0}])
      expect(summary).toMatchObject({complete: false, incomplete: [{reason: 'malformed'}]})
    })

    it('is an error at once, while the server still sends, and closes the connection', async () => {
      server.answers(answer207([odd, NEVER]))
      expect((await read()).error).toBeInstanceOf(MultiStatusError)
      expect(await server.requests[0]?.ended).toBe('closed')
    })
  })

  describe('a limit', () => {
    it('that a body breaks names itself at once, and closes the connection', async () => {
      const hrefs = Array.from({length: 100}, (_item, number) => `/docs/${number}`)
      server.answers(answer207([OPEN + hrefs.map(listed).join(''), NEVER]))
      const dav = new DavClient({url: server.url, transport, limits: {responses: 10}})
      const {items, error} = await drain(dav.propfind('docs/'))
      expect(items).toHaveLength(10)
      expect(error).toMatchObject({reason: 'limit-exceeded', limit: 'responses'})
      expect(await server.requests[0]?.ended).toBe('closed')
    })
  })

  describe('a server that is not there', () => {
    it('is a DavNetworkError with its cause', async () => {
      const {url} = server
      await server.close()
      const dav = new DavClient({url, transport})
      const {error} = await drain(dav.propfind('docs/'))
      expect(error).toBeInstanceOf(DavNetworkError)
      expect(error).toHaveProperty(
        'message',
        expect.stringMatching(new RegExp(`^PROPFIND ${url}docs/ failed: .*ECONNREFUSED.*$`)),
      )
      server = await startFaultServer()
    })

    it('or speaks no TLS is a DavNetworkError of one line', async () => {
      const url = server.url.replace('http:', 'https:')
      const {error} = await drain(new DavClient({url, transport}).propfind('docs/'))
      expect(error).toMatchObject({
        name: 'DavNetworkError',
        message: expect.stringMatching(/^PROPFIND https:[^\r\n]+$/),
      })
    })

    it('or has a name that does not resolve is a DavNetworkError', async () => {
      const dav = new DavClient({url: 'http://no-such-host.invalid/', transport})
      await expect(dav.delete('a')).rejects.toMatchObject({
        name: 'DavNetworkError',
        message: expect.stringMatching(/^DELETE http:\/\/no-such-host\.invalid\/a failed: .+/),
      })
    })
  })
})
