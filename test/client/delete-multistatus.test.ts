// States the verdict on the target of a DELETE that is answered by a Multi-Status document. The response for the target
// decides; without one, the members do. The verdict comes last. RFC 4918, sections 9.6.1 and 13.

import {DavClient, type DavResult, type DeleteOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  OPEN,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {bytesOf, verdict} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Deletes folder/ and returns the results, of which exactly the last one is `self`. */
async function deleted(answer: Answer, options?: DeleteOptions): Promise<readonly DavResult[]> {
  server.answers(answer)
  const results = resultsOf(await dav.delete('folder/', options))
  expect(results.filter(({relation}) => relation === 'self')).toHaveLength(1)
  expect(results.at(-1)?.relation).toBe('self')
  return results
}

/** Formats a result as "status reason? href". */
function line(result: DavResult): string {
  return [result.status, ...(result.ok ? [] : [result.reason]), result.href].join(' ')
}

describe('a 207', () => {
  it('with failed members is a Failure member with status 424, after the members', async () => {
    const results = await deleted(
      answer207(verdicts({'/folder/a.txt': '423 Locked', '/folder/sub/b.txt': '403 Forbidden'})),
    )
    expect(results.map(line)).toEqual([
      '423 status /folder/a.txt',
      '403 status /folder/sub/b.txt',
      '424 member /folder/',
    ])
    expect(results.map(({relation}) => relation)).toEqual(['member', 'descendant', 'self'])
  })

  it('without responses is a Success with status 207', async () => {
    expect((await deleted(answer207(verdicts({})))).map(line)).toEqual(['207 /folder/'])
  })

  it('with deleted members only is a Success with status 207', async () => {
    const results = await deleted(
      answer207(verdicts({'/folder/a.txt': '204 No Content', '/folder/b.txt': '200 OK'})),
    )
    expect(results.map(line)).toEqual(['204 /folder/a.txt', '200 /folder/b.txt', '207 /folder/'])
  })

  it('with deleted and failed members is a Failure member', async () => {
    const body = new TextDecoder().decode(bytesOf('delete-folder')).replaceAll('/webdav', '')
    const results = await deleted(answer207(body))
    expect(results.map(line)).toEqual([
      '204 /folder/file1.txt',
      '423 status /folder/file2.txt',
      '424 member /folder/',
    ])
  })

  it('that names the target gives the verdict, moved to the end', async () => {
    const results = await deleted(
      answer207(verdicts({'/folder': '403 Forbidden', '/folder/a.txt': '423 Locked'})),
    )
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '403 status /folder'])
    // The retry uses the requested URL, with its slash.
    expect(results[1]).toMatchObject({
      url: `${server.url}folder`,
      request: {method: 'DELETE', url: `${server.url}folder/`, attempts: 1},
    })
  })

  it('that names the target as deleted gives a Success', async () => {
    expect((await deleted(answer207(verdicts({'/folder/': '204 No Content'})))).map(line)).toEqual([
      '204 /folder/',
    ])
  })

  it('that names the target twice gives one verdict, the failure', async () => {
    const failureLast = verdicts({'/folder/': '204 No Content', '/folder': '423 Locked'})
    expect((await deleted(answer207(failureLast))).map(line)).toEqual(['423 status /folder'])
    const failureFirst = verdicts({'/folder': '423 Locked', '/folder/': '204 No Content'})
    expect((await deleted(answer207(failureFirst))).map(line)).toEqual(['423 status /folder'])
  })

  it.each<[string, string, string]>([
    ['locked', '423 Locked', '423 status /folder/'],
    ['missing', '404 Not Found', '0 no-answer /folder/'],
  ])(
    'that names the target 100 times as deleted and once as %s is no Success',
    async (_, status, expected) => {
      const named = (words: string): string => verdict('/folder/', `HTTP/1.1 ${words}`)
      const body = `${OPEN}${named('204 No Content').repeat(100)}${named(status)}${SHUT}`
      expect((await deleted(answer207(body))).map(line)).toEqual([expected])
    },
  )

  it('that names the ancestors of a failed member yields each, the target last', async () => {
    // Apache names every collection on the way, and the target without its slash.
    const body = verdicts({
      '/folder/sub/deep/a.txt': '403 Forbidden',
      '/folder/sub/deep': '403 Forbidden',
      '/folder/sub': '403 Forbidden',
      '/folder': '403 Forbidden',
    })
    expect((await deleted(answer207(body))).map(line)).toEqual([
      '403 status /folder/sub/deep/a.txt',
      '403 status /folder/sub/deep',
      '403 status /folder/sub',
      '403 status /folder',
    ])
  })

  it('recorded from Apache 2.4.71 ends with the target', async () => {
    const results = await deleted(answer207(bytesOf('apache-2.4.71-delete-207')))
    expect(results).toHaveLength(3)
    expect(results.every(({ok}) => !ok)).toBe(true)
  })

  it('recorded from nephele 1.0.0-alpha.67 ends with a Failure member', async () => {
    const results = await deleted(answer207(bytesOf('nephele-1.0.0-alpha.67-delete')))
    expect(results.at(-1)).toMatchObject({ok: false, status: 424, reason: 'member'})
  })

  it('with only a refusal of the target is that refusal', async () => {
    const body =
      '<multistatus xmlns="DAV:"><response><href>/folder/</href><status>HTTP/1.1 423 Locked</status><error><lock-token-submitted/></error></response></multistatus>'
    expect(await deleted(answer207(body))).toMatchObject([
      {ok: false, status: 423, reason: 'status', conditions: ['lock-token-submitted']},
    ])
  })

  it('that names a resource outside the target counts it as a failed member without a request', async () => {
    const results = await deleted(answer207(verdicts({'/elsewhere/a.txt': '423 Locked'})))
    expect(results.map(line)).toEqual(['423 status /elsewhere/a.txt', '424 member /folder/'])
    expect(results[0]).toMatchObject({relation: 'outside'})
    expect(results[0]).not.toHaveProperty('request')
  })

  it('with a response without an href is no Success', async () => {
    const body =
      '<D:multistatus xmlns:D="DAV:"><D:response><D:status>HTTP/1.1 423 Locked</D:status></D:response></D:multistatus>'
    const results = await deleted(answer207(body))
    expect(results).toHaveLength(2)
    expect(results[0]).toMatchObject({ok: false, reason: 'malformed'})
    expect(results[1]).toMatchObject({ok: false, reason: 'member', status: 424})
  })

  it.each([
    ['no body', undefined],
    ['an HTML body', '<html></html>'],
  ])('with %s is no Success', async (_, body) => {
    const [result] = await deleted(body === undefined ? {status: 207} : answer207(body))
    expect(result).toMatchObject({ok: false})
  })
})

describe('rule 11: a Multi-Status document with another status', () => {
  it('is read with 200: Radicale answers a DELETE so', async () => {
    const results = await deleted({...answer207(verdicts({'/folder/': '200 OK'})), status: 200})
    expect(results.map(line)).toEqual(['200 /folder/'])
  })

  it('is read with 200 and a failed member', async () => {
    const body = verdicts({'/folder/a.txt': '423 Locked'})
    const results = await deleted({...answer207(body), status: 200})
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '424 member /folder/'])
  })

  it('is read with 424: Apache answers so for a locked member', async () => {
    const body = verdicts({'/folder/a.txt': '423 Locked'})
    const results = await deleted({...answer207(body), status: 424})
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '424 member /folder/'])
  })

  it('is read with 424 from Apache 2.4.71, with its one response outside the target', async () => {
    const results = await deleted({...answer207(bytesOf('apache-2.4.71-delete-424')), status: 424})
    expect(results.map(line)).toEqual(['423 status /docs/a%20&%20b.txt', '424 member /folder/'])
  })

  it.each([403, 424, 500])(
    'is no Success with status %i, even without failed members',
    async (status) => {
      expect((await deleted({...answer207(verdicts({})), status})).at(-1)).toMatchObject({
        ok: false,
        status,
      })
      const good = verdicts({'/folder/a.txt': '204 No Content', '/folder/': '204 No Content'})
      expect((await deleted({...answer207(good), status})).at(-1)).toMatchObject({
        ok: false,
        status,
      })
    },
  )
})
