// States the results of a walk with collections that are refused, break or never answer. The rest arrives, the summary names
// the gaps, and dav.retry lists these and nothing else. RFC 4918, sections 9.1 and 13.

import {setTimeout as delay} from 'node:timers/promises'

import {
  DavClient,
  type DavClientOptions,
  type Failure,
  type Incomplete,
  type Walk,
} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, listed, listing, NEVER, OPEN, RESET, SHUT} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {
  type Fault,
  line,
  linesOf,
  startTreeServer,
  type TreeOptions,
  type TreeServer,
  written,
} from '../support/tree-server.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const walk: Walk = {walk: true}
const quick = {attempts: 3, minDelay: 1, maxDelay: 2}
const once = {...quick, attempts: 1}
const anything = {...once, retryable: (): boolean => true}

const tree = written({
  '': ['a.txt', 'bad/', 'ok/', 'worse/'],
  'ok/': ['in/', 'o.txt'],
  'ok/in/': ['p.txt'],
  'bad/': ['in/', 'x.txt'],
  'bad/in/': ['deep/', 'y.txt'],
  'bad/in/deep/': [],
  'worse/': ['z.txt'],
})
const isElsewhere = (text: string): boolean => !/\/bad\/./.test(text)
const outsideOfBad = linesOf(tree).filter(isElsewhere)

let server: TreeServer

beforeEach(async () => {
  server = await startTreeServer(tree)
})

afterEach(() => server.close())

function connect(options: Partial<DavClientOptions> = {}): DavClient {
  return new DavClient({url: server.url, transport, ...options})
}

function queued(failures: readonly Failure[]): readonly Failure[] {
  const text = JSON.stringify(failures)
  return JSON.parse(text) as readonly Failure[]
}

function withFault(...faults: readonly Fault[]): TreeOptions {
  return {faults: {'/docs/bad/': faults}}
}

const refusal = {status: 403, body: '<html><p>Forbidden<br></html>'}

describe('a walk is not complete', () => {
  const own = verdict('/docs/bad/', 'HTTP/1.1 507 Insufficient Storage')
  it.each<[string, Fault, string, Omit<Incomplete, 'href'>]>([
    [
      '507 for the collection itself',
      answer207(OPEN + own + SHUT),
      '',
      {reason: 'storage', status: 507},
    ],
    ['a refused collection', 403, '', {reason: 'refused', status: 403}],
    ['a collection without a right to it', 401, '', {reason: 'refused', status: 401}],
    [
      'a collection behind a page',
      {status: 200, body: '<html><br></html>'},
      '',
      {reason: 'failed'},
    ],
    ['a 207 that ends early', answer207(OPEN + listed('/docs/bad/')), '', {reason: 'failed'}],
    ['an empty 207', answer207(OPEN + SHUT), '', {reason: 'failed'}],
    ['a 207 about others', answer207(listing('/other/', '/other/a')), '', {reason: 'failed'}],
    [
      'a collection that answers of itself that it failed',
      answer207(OPEN + verdict('/docs/bad/', 'HTTP/1.1 500 No') + listed('/docs/bad/x.txt') + SHUT),
      '',
      {reason: 'self', status: 500},
    ],
    [
      'a member that failed: it may be a collection',
      answer207(OPEN + listed('/docs/bad/') + verdict('/docs/bad/in', 'HTTP/1.1 403 No') + SHUT),
      'in',
      {reason: 'failed', status: 403},
    ],
  ])('for %s', async (_, fault, name, incomplete) => {
    server.set(withFault(fault))
    const {successes, failures, summary} = await connect()
      .propfind('docs/', {depth: walk})
      .collect()
    expect(summary.complete).toBe(false)
    expect(summary.incomplete).toEqual([{href: `${server.url}docs/bad/${name}`, ...incomplete}])
    expect(successes.map(line)).toEqual(expect.arrayContaining([...outsideOfBad]))
    expect(failures.map(({url}) => url)).toEqual([`${server.url}docs/bad/${name}`])
    server.set({})
    const again = await connect().retry(queued(failures), anything).collect()
    const names = name === '' ? ['bad'] : ['bad', name]
    expect(again.successes.map(line).toSorted()).toEqual(linesOf(tree, names))
    expect(again.summary.complete).toBe(true)
  })

  it('if a response that is not well-formed was skipped', async () => {
    const broken =
      '<D:response><D:href>/docs/bad/in/</D:href><D:propstat><\u0001/></D:propstat></D:response>'
    server.set(
      withFault(answer207(OPEN + listed('/docs/bad/') + broken + listed('/docs/bad/x.txt') + SHUT)),
    )
    const stream = connect({malformed: 'skip'}).propfind('docs/', {depth: walk})
    const {successes, failures, summary} = await stream.collect()
    expect(summary.complete).toBe(false)
    expect(summary.incomplete.map(({reason}) => reason)).toContain('malformed')
    expect(failures).toMatchObject([{reason: 'malformed', href: '/docs/bad/in/'}])
    expect(successes.map(line)).toContain('descendant /docs/bad/x.txt')
  })

  it.each<[string, TreeOptions]>([
    ['an answer to Depth infinity', {}],
    ['an answer that repeats the slash of the request', {self: 'slash'}],
    ['an answer that was cut', {infinity: 'cut'}],
    ['the walk after a refusal', {infinity: refusal}],
  ])('if nothing tells collections from files in %s', async (_, options) => {
    server.set({...options, isBare: true})
    const stream = connect().propfind('docs/', {depth: 'infinity', propname: true})
    expect((await stream.collect()).summary).toMatchObject({
      complete: false,
      incomplete: [{href: `${server.url}docs/`, reason: 'shallow'}],
    })
  })

  it('but is if the slash tells them', async () => {
    server.set({infinity: refusal})
    const stream = connect().propfind('docs/', {depth: 'infinity', propname: true})
    const {successes, summary} = await stream.collect()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree))
    expect(summary.complete).toBe(true)
  })
})

describe('a collection that fails in a walk', () => {
  const elsewhere = (location: string): Fault => ({status: 302, headers: {location}})
  const faults: [string, Fault, Partial<Failure>, Omit<Incomplete, 'href'>][] = [
    ['is refused', 403, {status: 403, reason: 'status'}, {reason: 'refused', status: 403}],
    ['is unavailable', 503, {status: 503, reason: 'status'}, {reason: 'refused', status: 503}],
    ['is reset in the middle', RESET, {status: 0, reason: 'no-answer'}, {reason: 'failed'}],
    ['never answers', NEVER, {status: 0, reason: 'no-answer'}, {reason: 'failed'}],
    [
      'leads to a sibling',
      elsewhere('/docs/ok/'),
      {status: 0, reason: 'no-answer'},
      {reason: 'failed'},
    ],
    ['leads up', elsewhere('/docs/'), {status: 0, reason: 'no-answer'}, {reason: 'failed'}],
    [
      'leads to another origin',
      elsewhere('https://evil.example/docs/bad/'),
      {status: 302, reason: 'status', location: 'https://evil.example/docs/bad/'},
      {reason: 'refused', status: 302},
    ],
  ]
  const depths = [walk, 'infinity'] as const
  const cases = faults.flatMap(([name, ...fault]) =>
    depths.map((depth) => [name, depth, ...fault] as const),
  )

  it.each(cases)('and %s is one Failure that retry goes on from: %j', async (...given) => {
    const [, depth, fault, expected, incomplete] = given
    const location = typeof fault === 'object' ? String(fault.headers?.['location']) : ''
    const followed = location.startsWith('/') ? location : ''
    const refused: TreeOptions = depth === 'infinity' ? {infinity: refusal} : {}
    const timeout = fault === NEVER ? 300 : 3000
    server.set({...refused, ...withFault(fault)})
    const {successes, failures, summary} = await connect({timeout})
      .propfind('docs/', {depth})
      .collect()

    const url = `${server.url}docs/bad/`
    const root = `${server.url}docs/`
    expect(failures).toMatchObject([
      {...expected, url, relation: 'member', request: {method: 'PROPFIND', url, root, depth}},
    ])
    expect(summary).toMatchObject({complete: false, incomplete: [{href: url, ...incomplete}]})
    expect(successes.map(line).filter(isElsewhere).toSorted()).toEqual(outsideOfBad)

    const before = server.asked.length
    const still = await connect({timeout}).retry(queued(failures), anything).collect()
    expect(still.failures).toMatchObject([{...expected, request: {url, root, attempts: 2}}])
    expect(still.summary).toMatchObject({complete: false, incomplete: [{href: url, ...incomplete}]})

    server.set(refused)
    const again = await connect().retry(queued(still.failures), anything).collect()
    expect(again.successes.map(line).toSorted()).toEqual(linesOf(tree, ['bad']))
    expect(again.failures).toEqual([])
    expect(again.summary).toMatchObject({complete: true, incomplete: []})
    const others = server.asked.slice(before).filter((asked) => !asked.includes('/docs/bad/'))
    // A redirect within the origin was followed, and the other resource was not taken for the collection.
    expect(others).toEqual(followed === '' ? [] : [`1 ${followed}`])
  })

  it('frees the connection after a redirect to another resource', async () => {
    const long = answer207([OPEN, listed('/elsewhere/'), NEVER])
    server.set({faults: {'/docs/bad/': [elsewhere('/elsewhere/')], '/elsewhere/': [long]}})
    const {failures} = await connect().propfind('docs/', {depth: walk}).collect()
    expect(failures.map(({url}) => url)).toEqual([`${server.url}docs/bad/`])
    const last = server.requests.find(({url}) => url === '/elsewhere/')
    expect(await Promise.race([last?.ended, delay(500, 'still open')])).toBe('closed')
  })
})

describe('a collection that is unavailable twice', () => {
  it('is listed if the call has a policy', async () => {
    server.set(withFault(503, 503, 207))
    const stream = connect().propfind('docs/', {depth: walk, retry: quick})
    const {successes, failures, summary} = await stream.collect()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree))
    expect(failures).toEqual([])
    expect(summary).toMatchObject({complete: true, requests: 7 + 2})
  })

  it('is listed by retry if the call has none', async () => {
    server.set(withFault(503, 503, 207))
    const {failures} = await connect().propfind('docs/', {depth: walk}).collect()
    const {successes, summary} = await connect().retry(queued(failures), quick).collect()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree, ['bad']))
    expect(summary).toMatchObject({complete: true, failures: 0, requests: 1 + 3})
  })

  it('is a Failure that counts how often it was sent', async () => {
    server.set(withFault(503))
    const stream = connect().propfind('docs/', {depth: walk, retry: quick})
    expect((await stream.collect()).failures).toMatchObject([{request: {attempts: 3}}])
  })
})

describe('retry of failures in a walk', () => {
  it('lists each subtree once, with all below it', async () => {
    server.set({faults: {'/docs/bad/': [503], '/docs/worse/': [503]}})
    const dav = connect()
    const {failures} = await dav.propfind('docs/', {depth: walk}).collect()
    server.set({faults: {'/docs/bad/in/': [503]}})
    const more = await dav.propfind('docs/', {depth: walk}).collect()
    server.set({})
    const before = server.asked.length
    const all = queued([...more.failures, ...failures, ...failures])
    const {successes, summary} = await connect().retry(all, once).collect()
    const expected = [...linesOf(tree, ['bad']), ...linesOf(tree, ['worse'])]
    expect(successes.map(line).toSorted()).toEqual(expected.toSorted())
    expect(server.asked.slice(before).toSorted()).toEqual(
      ['bad/', 'bad/in/', 'bad/in/deep/', 'worse/'].map((path) => `1 /docs/${path}`),
    )
    expect(summary.complete).toBe(true)
  })

  it('is not complete if the policy leaves a failure as it is', async () => {
    server.set(withFault(403))
    const {failures} = await connect().propfind('docs/', {depth: walk}).collect()
    const again = await connect().retry(queued(failures), quick).collect()
    expect(again.failures).toEqual(failures)
    expect(again.summary.complete).toBe(false)
  })

  it('is not complete if a failure has no request', async () => {
    const broken = '<D:response><D:href>/docs/bad/in/</D:href></D:response>'
    server.set(withFault(answer207(OPEN + listed('/docs/bad/') + broken + SHUT)))
    const {failures, summary} = await connect().propfind('docs/', {depth: walk}).collect()
    expect(failures).toMatchObject([{reason: 'malformed'}])
    expect(summary.complete).toBe(false)
    expect((await connect().retry(queued(failures), quick).collect()).summary.complete).toBe(false)
  })

  it('lists the whole subtree if names of properties were asked for', async () => {
    server.set(withFault(503))
    const stream = connect().propfind('docs/', {depth: walk, propname: true})
    const {failures} = await stream.collect()
    server.set({})
    const {successes, summary} = await connect().retry(queued(failures), once).collect()
    expect(successes.map(line).toSorted()).toEqual(linesOf(tree, ['bad']))
    expect(summary.complete).toBe(true)
  })
})
