// States the question that verify asks after a success, and its verdicts: gone, still there with its members, or
// unknown. SabreDAV 1.8 answers 204 although members stand. RFC 4918, sections 9.1 and 9.6.1.

import {DavClient, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {propstat} from '../support/fixtures.ts'
import {line, resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Answers DELETE and PROPFIND; a function may tell PROPFINDs apart by depth. */
function answer(
  ofDelete: Answer | typeof RESET,
  ofPropfind: Answer | typeof RESET | ((depth: string, url: string) => Answer | typeof RESET),
): void {
  server.script(({method, url, headers}) => {
    if (method === 'DELETE') return ofDelete
    return typeof ofPropfind === 'function' ? ofPropfind(String(headers['depth']), url) : ofPropfind
  })
}

function sent(): string[] {
  return server.requests.map(
    ({method, url, headers}) => `${method} ${url} ${String(headers['depth'])}`,
  )
}

const successes: readonly (readonly [string, Answer, number])[] = [
  ['204', {status: 204}, 204],
  ['200', {status: 200, body: '<html></html>'}, 200],
  ['202', {status: 202}, 202],
  ['an empty 207', answer207(OPEN + SHUT), 207],
  ['a 207 with the target as deleted', answer207(verdicts({'/a': '204 No Content'})), 204],
]

const gone: readonly (readonly [string, Answer])[] = [
  ['404', {status: 404}],
  ['404 with a page', {status: 404, body: '<html>gone</html>'}],
  ['410', {status: 410}],
  ['a 207 with 404 for it', answer207(verdicts({'/a': '404 Not Found'}))],
  ['a 207 with 410 for it', answer207(verdicts({'/a': '410 Gone'}))],
]

describe.each(successes)('after %s', (_, ofDelete, status) => {
  it.each(gone)('a resource that answers %s is gone', async (_name, ofPropfind) => {
    answer(ofDelete, ofPropfind)
    const results = await Array.fromAsync(dav.deleteMany(['a'], {verify: true}))
    expect(results.map(line)).toEqual([`${status} self /a`])
    expect(results[0]?.ok).toBe(true)
    expect(sent()).toEqual(['DELETE /a infinity', 'PROPFIND /a 0'])
  })

  it('a resource that is still there is a Failure with that status', async () => {
    answer(ofDelete, answer207(listing('/a')))
    const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
    expect(failures.map(line)).toEqual([`${status} status self /a`])
    expect(failures[0]?.request).toEqual({
      method: 'DELETE',
      url: `${server.url}a`,
      depth: 'infinity',
      verify: true,
      attempts: 1,
    })
  })

  it('a failed question is a no-answer', async () => {
    for (const ofPropfind of [{status: 500}, {status: 401}, {status: 200}, RESET] as const) {
      answer(ofDelete, ofPropfind)
      const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
      expect(failures.map(line)).toEqual(['0 no-answer self /a'])
      expect(failures[0]?.request).toMatchObject({attempts: 1, verify: true})
    }
  })
})

describe('a collection that is still there', () => {
  const all = answer207(listing('/a/', '/a/x', '/a/b/', '/a/b/y'))
  const left = [
    '204 status descendant /a/b/y',
    '204 status member /a/b/',
    '204 status member /a/x',
    '424 member self /a/',
  ]

  it.each<[string, (depth: string, url: string) => Answer]>([
    ['by Depth infinity', (depth) => (depth === '0' ? answer207(listing('/a/')) : all)],
    [
      'by a walk, after a refused Depth infinity',
      (depth, url) => {
        if (depth === 'infinity') return {status: 403}
        if (depth === '0') return answer207(listing('/a/'))
        return answer207(url === '/a/' ? listing('/a/', '/a/x', '/a/b/') : listing(url, '/a/b/y'))
      },
    ],
  ])('yields its remaining members, then itself: %s', async (_, ofPropfind) => {
    answer({status: 204}, ofPropfind)
    const many = await Array.fromAsync(dav.deleteMany(['a/'], {verify: true}))
    for (const results of [many, resultsOf(await dav.delete('a/', {verify: true}))]) {
      expect(results.map(line).toSorted()).toEqual(left)
      expect(results.at(-1)).toMatchObject({relation: 'self', status: 424, reason: 'member'})
      expect(results.map((result) => result.request?.url ?? '').toSorted()).toEqual(
        ['a/', 'a/b/', 'a/b/y', 'a/x'].map((path) => server.url + path),
      )
      expect(JSON.parse(JSON.stringify(results))).toEqual(results)
    }
  })

  it('is a Failure with the status of the DELETE if it is empty', async () => {
    answer({status: 204}, answer207(listing('/a/')))
    const results = await Array.fromAsync(dav.deleteMany(['a/'], {verify: true}))
    expect(results.map(line)).toEqual(['204 status self /a/'])
  })

  it('is a Failure even if it cannot be listed', async () => {
    answer({status: 204}, (depth) => (depth === '0' ? answer207(listing('/a/')) : {status: 500}))
    const results = await Array.fromAsync(dav.deleteMany(['a/'], {verify: true}))
    expect(results.map(line)).toEqual(['204 status self /a/'])
  })
})

describe('an answer to the question', () => {
  it('with only another property missing means that the resource is there', async () => {
    const prop = propstat('HTTP/1.1 404 Not Found', '<D:getetag/>')
    const body = `${OPEN}<D:response><D:href>/a</D:href>${prop}</D:response>${SHUT}`
    answer({status: 204}, answer207(body))
    const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
    expect(failures.map(line)).toEqual(['204 status self /a'])
  })

  it.each([
    ['for no property', ''],
    ['for resourcetype, which every resource has', '<D:resourcetype/>'],
  ])('with a 404 %s means that the resource is gone', async (_, prop) => {
    const missing = propstat('HTTP/1.1 404 Not Found', prop)
    const body = `${OPEN}<D:response><D:href>/a</D:href>${missing}</D:response>${SHUT}`
    answer({status: 204}, answer207(body))
    const results = await Array.fromAsync(dav.deleteMany(['a'], {verify: true}))
    expect(results.map(line)).toEqual(['204 self /a'])
  })

  it.each([
    ['nothing', OPEN + SHUT],
    ['another resource', listing('/b')],
  ])('that names %s is a no-answer', async (_, body) => {
    answer({status: 204}, answer207(body))
    const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
    expect(failures.map(line)).toEqual(['0 no-answer self /a'])
  })
})

describe('the question', () => {
  it.each<[string, Answer | typeof RESET]>([
    ['403', {status: 403}],
    ['404', {status: 404}],
    ['503', {status: 503}],
    ['a reset', RESET],
    ['a 207 with failures', answer207(verdicts({'/a/x': '423 Locked'}))],
  ])('is not asked after a failure: %s', async (_, ofDelete) => {
    answer(ofDelete, {status: 404})
    const {successes: none} = await dav.deleteMany(['a'], {verify: true}).collect()
    expect(none).toEqual([])
    expect(sent()).toEqual(['DELETE /a infinity'])
  })

  it('is not asked without verify', async () => {
    answer({status: 204}, answer207(listing('/a')))
    expect((await dav.deleteMany(['a']).collect()).successes).toHaveLength(1)
    expect(sent()).toEqual(['DELETE /a infinity'])
  })

  it.each([404, 410])('leaves a %i as it is with ifMissing: success', async (status) => {
    answer({status}, {status: 404})
    const options = {verify: true, ifMissing: 'success'} as const
    const {successes: ended} = await dav.deleteMany(['a'], options).collect()
    expect(ended.map(line)).toEqual([`${status} self /a`])
  })

  it('is repeated by a policy', async () => {
    let left = 2
    answer({status: 204}, () => ({status: left-- > 0 ? 503 : 404}))
    const {successes: ended} = await dav.deleteMany(['a'], {verify: true, retry: quick}).collect()
    expect(ended.map(line)).toEqual(['204 self /a'])
    expect(sent().filter((one) => one.startsWith('DELETE'))).toHaveLength(1)
  })

  it('is asked by dav.retry too, after a failed DELETE with verify', async () => {
    answer({status: 503}, answer207(listing('/a')))
    const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
    const written: Failure[] = JSON.parse(JSON.stringify(failures))
    answer({status: 204}, answer207(listing('/a')))
    const again = await dav.retry(written, {...quick, attempts: 1}).collect()
    expect(again.failures.map(line)).toEqual(['204 status self /a'])
    expect(again.failures[0]?.request).toMatchObject({verify: true, attempts: 2})
    answer({status: 503}, {status: 404})
    expect(sent().at(-1)).toMatch(/^PROPFIND \/a /)
  })

  it('that failed is made good by dav.retry: 404 means gone', async () => {
    answer({status: 204}, {status: 500})
    const {failures} = await dav.deleteMany(['a'], {verify: true}).collect()
    answer({status: 404}, {status: 404})
    const again = await dav.retry(JSON.parse(JSON.stringify(failures)), quick).collect()
    expect(again.successes).toMatchObject([{relation: 'self', href: '/a', attempts: 2}])
    expect(again.failures).toEqual([])
  })
})

describe('a DELETE with an unknown outcome', () => {
  it.each([405, 503])('is not sent again after a %i', async (status) => {
    server.script(({method}) => ({status: method === 'DELETE' ? 204 : status}))
    const results = await Array.fromAsync(dav.deleteMany(['a'], {retry: quick, verify: true}))
    expect(results.map(line)).toEqual(['0 no-answer self /a'])
    expect(sent().filter((one) => one.startsWith('DELETE'))).toEqual(['DELETE /a infinity'])
  })
})

describe('a member with an unknown outcome', () => {
  it('is not sent again', async () => {
    const named = answer207(verdicts({'/c/x': '423 Locked', '/c': '204 No Content'}))
    server.script(({method, url}) => {
      if (method === 'PROPFIND') return {status: url === '/c/' ? 404 : 403}
      return url === '/c/' ? named : {status: 204}
    })
    const results = await Array.fromAsync(dav.deleteMany(['c/'], {retry: quick, verify: true}))
    expect(results.map(line)).toEqual(['0 no-answer member /c/x', '204 self /c'])
    expect(sent().filter((one) => one === 'DELETE /c/x infinity')).toHaveLength(1)
  })
})
