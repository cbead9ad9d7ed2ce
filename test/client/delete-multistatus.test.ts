// States the verdict on the target of a DELETE that was answered with a Multi-Status document: what the server says of the
// target, else what it says of the members; it comes last. RFC 4918, sections 9.6.1 and 13.

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

/** The results of a DELETE of folder/, after the rule that holds for all of them was checked. */
async function deleted(answer: Answer, options?: DeleteOptions): Promise<readonly DavResult[]> {
  server.answers(answer)
  const results = resultsOf(await dav.delete('folder/', options))
  expect(results.filter(({relation}) => relation === 'self')).toHaveLength(1)
  expect(results.at(-1)?.relation).toBe('self')
  return results
}

/** A result as "status reason? href". */
function line(result: DavResult): string {
  return [result.status, ...(result.ok ? [] : [result.reason]), result.href].join(' ')
}

describe('a 207', () => {
  it('with failures is a Failure member with status 424, after those of the members', async () => {
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

  it('with nothing in it is a Success with status 207', async () => {
    expect((await deleted(answer207(verdicts({})))).map(line)).toEqual(['207 /folder/'])
  })

  it('with nothing but members that are gone is a Success with status 207', async () => {
    const results = await deleted(
      answer207(verdicts({'/folder/a.txt': '204 No Content', '/folder/b.txt': '200 OK'})),
    )
    expect(results.map(line)).toEqual(['204 /folder/a.txt', '200 /folder/b.txt', '207 /folder/'])
  })

  it('with some members gone and some not is a Failure member', async () => {
    const body = new TextDecoder().decode(bytesOf('delete-folder')).replaceAll('/webdav', '')
    const results = await deleted(answer207(body))
    expect(results.map(line)).toEqual([
      '204 /folder/file1.txt',
      '423 status /folder/file2.txt',
      '424 member /folder/',
    ])
  })

  it('that names the target says the verdict, moved to the end', async () => {
    const results = await deleted(
      answer207(verdicts({'/folder': '403 Forbidden', '/folder/a.txt': '423 Locked'})),
    )
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '403 status /folder'])
    // To be sent again is what was asked for, with its slash.
    expect(results[1]).toMatchObject({
      url: `${server.url}folder`,
      request: {method: 'DELETE', url: `${server.url}folder/`, attempts: 1},
    })
  })

  it('that names the target with a success says so too', async () => {
    expect((await deleted(answer207(verdicts({'/folder/': '204 No Content'})))).map(line)).toEqual([
      '204 /folder/',
    ])
  })

  it('that names the target twice has one verdict, the failure', async () => {
    const failureLast = verdicts({'/folder/': '204 No Content', '/folder': '423 Locked'})
    expect((await deleted(answer207(failureLast))).map(line)).toEqual(['423 status /folder'])
    const failureFirst = verdicts({'/folder': '423 Locked', '/folder/': '204 No Content'})
    expect((await deleted(answer207(failureFirst))).map(line)).toEqual(['423 status /folder'])
  })

  it.each<[string, string, string]>([
    ['the failure', '423 Locked', '423 status /folder/'],
    ['that it cannot be read', '404 Not Found', '0 no-answer /folder/'],
  ])('that names the target time and again says %s, however late', async (_, status, expected) => {
    const named = (words: string): string => verdict('/folder/', `HTTP/1.1 ${words}`)
    const body = `${OPEN}${named('204 No Content').repeat(100)}${named(status)}${SHUT}`
    expect((await deleted(answer207(body))).map(line)).toEqual([expected])
  })

  it('that names the ancestors of what failed has each of them, and the target last', async () => {
    // Apache lists every collection on the way, the target without its slash among them.
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

  it('that wraps a single refusal is that refusal', async () => {
    const body =
      '<multistatus xmlns="DAV:"><response><href>/folder/</href><status>HTTP/1.1 423 Locked</status><error><lock-token-submitted/></error></response></multistatus>'
    expect(await deleted(answer207(body))).toMatchObject([
      {ok: false, status: 423, reason: 'status', conditions: ['lock-token-submitted']},
    ])
  })

  it('that names what is outside the target counts it as a member that failed, without a request', async () => {
    const results = await deleted(answer207(verdicts({'/elsewhere/a.txt': '423 Locked'})))
    expect(results.map(line)).toEqual(['423 status /elsewhere/a.txt', '424 member /folder/'])
    expect(results[0]).toMatchObject({relation: 'outside'})
    expect(results[0]).not.toHaveProperty('request')
  })

  it('with a response that names nothing is no success', async () => {
    const body =
      '<D:multistatus xmlns:D="DAV:"><D:response><D:status>HTTP/1.1 423 Locked</D:status></D:response></D:multistatus>'
    const results = await deleted(answer207(body))
    expect(results).toHaveLength(2)
    expect(results[0]).toMatchObject({ok: false, reason: 'malformed'})
    expect(results[1]).toMatchObject({ok: false, reason: 'member', status: 424})
  })

  it.each([
    ['nothing', undefined],
    ['HTML', '<html></html>'],
  ])('with %s in the place of its body is no success', async (_, body) => {
    const [result] = await deleted(body === undefined ? {status: 207} : answer207(body))
    expect(result).toMatchObject({ok: false})
  })
})

describe('rule 11: a Multi-Status document with another status', () => {
  it('is read with 200, as Radicale answers a DELETE', async () => {
    const results = await deleted({...answer207(verdicts({'/folder/': '200 OK'})), status: 200})
    expect(results.map(line)).toEqual(['200 /folder/'])
  })

  it('is read with 200 where a member failed', async () => {
    const body = verdicts({'/folder/a.txt': '423 Locked'})
    const results = await deleted({...answer207(body), status: 200})
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '424 member /folder/'])
  })

  it('is read with 424, as Apache answers for a locked member', async () => {
    const body = verdicts({'/folder/a.txt': '423 Locked'})
    const results = await deleted({...answer207(body), status: 424})
    expect(results.map(line)).toEqual(['423 status /folder/a.txt', '424 member /folder/'])
  })

  it('is read with 424 from Apache 2.4.71, whose only response is outside this target', async () => {
    const results = await deleted({...answer207(bytesOf('apache-2.4.71-delete-424')), status: 424})
    expect(results.map(line)).toEqual(['423 status /docs/a%20&%20b.txt', '424 member /folder/'])
  })

  it.each([403, 424, 500])('is no success with status %i, whatever it says', async (status) => {
    expect((await deleted({...answer207(verdicts({})), status})).at(-1)).toMatchObject({
      ok: false,
      status,
    })
    const good = verdicts({'/folder/a.txt': '204 No Content', '/folder/': '204 No Content'})
    expect((await deleted({...answer207(good), status})).at(-1)).toMatchObject({ok: false, status})
  })
})
