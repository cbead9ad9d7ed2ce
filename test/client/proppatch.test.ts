// States the request of a PROPPATCH and the verdict on each answer. A Success needs every property confirmed. RFC 4918, sections
// 9.2, 14.19 and 14.26.

import {DavClient, type DavResult, isFailure, isRetryable, type PropertiesToSet} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import fc from 'fast-check'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {bytesOf, propstat, verdict} from '../support/fixtures.ts'
import {
  type PropertyFaults,
  type PropertyServer,
  startPropertyServer,
} from '../support/property-server.ts'
import {refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 10_000})

const transport = undiciTransport()
const quick = {attempts: 2, minDelay: 1, maxDelay: 2}
const author = '{urn:x}author'
const title = '{urn:x}title'

let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const START = '<?xml version="1.0" encoding="utf-8"?>\n<D:propertyupdate xmlns:D="DAV:"'

async function bodyOf(update: Parameters<DavClient['proppatch']>[1]): Promise<string | undefined> {
  await dav.proppatch('a', update)
  return server.requests.at(-1)?.body
}

/** Formats a response for a resource, of these propstats. */
function named(href: string, ...propstats: readonly string[]): string {
  return `<D:response xmlns:x="urn:x"><D:href>${href}</D:href>${propstats.join('')}</D:response>`
}

async function after(answer: Answer, update?: PropertiesToSet): Promise<DavResult> {
  server.answers(answer)
  return dav.proppatch('a', {set: update ?? {[author]: 'Ana', [title]: 'T'}})
}

describe('the request', () => {
  it('has each property in a set or remove of its own, in the order of the caller', async () => {
    expect(await bodyOf({set: {[title]: 'T', displayname: 'D'}, remove: [author, 'x']})).toBe(
      `${START} xmlns:n1="urn:x">` +
        '<D:set><D:prop><n1:title>T</n1:title></D:prop></D:set>' +
        '<D:set><D:prop><D:displayname>D</D:displayname></D:prop></D:set>' +
        '<D:remove><D:prop><n1:author/></D:prop></D:remove>' +
        '<D:remove><D:prop><D:x/></D:prop></D:remove></D:propertyupdate>',
    )
    expect(await bodyOf({remove: ['x'], set: {x: '1'}})).toBe(
      `${START}><D:remove><D:prop><D:x/></D:prop></D:remove>` +
        '<D:set><D:prop><D:x>1</D:x></D:prop></D:set></D:propertyupdate>',
    )
    expect(server.requests[0]).toMatchObject({
      method: 'PROPPATCH',
      url: '/a',
      headers: {'content-type': 'application/xml; charset=utf-8'},
    })
    expect(server.requests[0]?.headers).not.toHaveProperty('depth')
  })

  it.each<[string, PropertiesToSet, string]>([
    ['a name in no namespace', {'{}p': 'v'}, '><D:set><D:prop><p>v</p></D:prop></D:set>'],
    ['{DAV:}x, which is x', {'{DAV:}x': ''}, '><D:set><D:prop><D:x></D:x></D:prop></D:set>'],
    [
      'markup in a text',
      {x: '<&>]]>"'},
      '><D:set><D:prop><D:x>&lt;&amp;&gt;]]&gt;"</D:x></D:prop></D:set>',
    ],
    ['a character above U+FFFF', {x: '𝔄😀'}, '><D:set><D:prop><D:x>𝔄😀</D:x></D:prop></D:set>'],
    [
      'a name that every object inherits',
      {'{DAV:}constructor': 'v'},
      '><D:set><D:prop><D:constructor>v</D:constructor></D:prop></D:set>',
    ],
    [
      'names of empty elements',
      {x: ['a', '{}b']},
      '><D:set><D:prop><D:x><D:a/><b/></D:x></D:prop></D:set>',
    ],
    [
      'an element with xml:lang',
      {
        x: {
          name: 'x',
          attributes: {'{http://www.w3.org/XML/1998/namespace}lang': 'de'},
          children: ['v'],
        },
      },
      '><D:set><D:prop><D:x xml:lang="de">v</D:x></D:prop></D:set>',
    ],
    [
      'mixed content with attributes in namespaces',
      {
        x: {
          name: '{DAV:}x',
          attributes: {b: '"', '{urn:y}c': '\n'},
          children: ['t', {name: '{urn:y}e'}, 'u'],
        },
      },
      ' xmlns:n1="urn:y"><D:set><D:prop><D:x b="&quot;" n1:c="&#10;">t<n1:e/>u</D:x></D:prop></D:set>',
    ],
  ])('writes %s', async (_, set, body) => {
    expect(await bodyOf({set})).toBe(`${START}${body}</D:propertyupdate>`)
  })

  it('takes an object without a prototype, and leaves out undefined members', async () => {
    const set: Record<string, string | undefined> = Object.create(null)
    set['x'] = '1'
    set['y'] = undefined
    expect(await bodyOf({set})).toBe(
      `${START}><D:set><D:prop><D:x>1</D:x></D:prop></D:set></D:propertyupdate>`,
    )
  })

  it('submits the ETag and the lock token of the caller', async () => {
    await dav.proppatch('a', {remove: ['x'], ifMatch: '"1"', lockToken: 'urn:uuid:1'})
    await dav.proppatch({href: 'a', ifMatch: '"2"'}, {remove: ['x']})
    expect(server.requests.map(({headers}) => [headers['if-match'], headers['if']])).toEqual([
      ['"1"', `<${dav.url}a> (<urn:uuid:1>)`],
      ['"2"', undefined],
    ])
    expect(await dav.proppatch('a', {remove: ['x'], ifMatch: 'W/"1"'})).toMatchObject({
      ok: false,
      reason: 'refused',
    })
    expect(server.requests).toHaveLength(2)
  })

  it.each<[string, unknown]>([
    ['no options', undefined],
    ['nothing to do', {}],
    ['only undefined members', {set: {x: undefined}, remove: []}],
    ['a Map', {set: new Map([['x', '1']]), remove: ['y']}],
    ['a list of pairs', {set: [['x', '1']]}],
    ['a number', {set: {x: 1}}],
    ['null', {set: {x: null}}],
    ['an element of another name', {set: {x: {name: 'y', attributes: {}, children: []}}}],
    ['a list with a number', {set: {x: [1]}}],
    ['an element with a number in it', {set: {x: {name: 'x', children: [1]}}}],
    ['an element with a nameless one in it', {set: {x: {name: 'x', children: [{}]}}}],
    ['an element with a text for its children', {set: {x: {name: 'x', children: 'abc'}}}],
    ['an attribute that is a number', {set: {x: {name: 'x', attributes: {a: 1}}}}],
    ['a name with a blank', {set: {'a b': ''}}],
    ['a prefix in a name', {remove: ['D:x']}],
    ['U+0000', {set: {x: '\0'}}],
    ['U+FFFE', {set: {x: '\uFFFE'}}],
    ['half of a surrogate pair', {set: {x: '\uD800'}}],
    ['a misspelt condition', {set: {x: ''}, ifmatch: '"1"'}],
    ['one name instead of a list', {remove: 'x'}],
  ])('is refused with a TypeError for %s', async (_, options) => {
    const call = (given: never): unknown => dav.proppatch('a', given)
    const error = await refusalOf(() => Reflect.apply(call, undefined, [options]))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).not.toMatch(/not a function|Cannot read/)
    expect(server.requests).toEqual([])
  })

  it('is the request of a dry run', async () => {
    const planned = await dav.proppatch('a', {remove: ['x'], verify: true, dryRun: true})
    expect(planned).toMatchObject({
      ok: true,
      status: 0,
      request: {
        method: 'PROPPATCH',
        url: `${server.url}a`,
        verify: true,
        body: `${START}><D:remove><D:prop><D:x/></D:prop></D:remove></D:propertyupdate>`,
      },
    })
    expect(server.requests).toEqual([])
  })
})

describe('the verdict', () => {
  const ok = (prop: string): string => propstat('HTTP/1.1 200 OK', prop)
  const refused = (prop: string): string => propstat('HTTP/1.1 403 Forbidden', prop)
  const dependent = (prop: string): string => propstat('HTTP/1.1 424 Failed Dependency', prop)
  const of = (...propstats: readonly string[]): Answer =>
    answer207(OPEN + named('/a', ...propstats) + SHUT)

  it.each<[string, Answer, number]>([
    ['one 200 propstat with both', of(ok('<x:author/><x:title/>')), 200],
    ['a 200 propstat for each', of(ok('<x:title/>'), ok('<x:author/>')), 200],
    ['values in the answer, which count as none', of(ok('<x:author>?</x:author><x:title/>')), 200],
    ['a document with status 200', {...of(ok('<x:author/><x:title/>')), status: 200}, 200],
    ['204', {status: 204}, 204],
    ['200 without a body', {status: 200}, 200],
  ])('is a Success after %s', async (_, answer, status) => {
    expect(await after(answer)).toEqual({
      ok: true,
      href: '/a',
      url: `${server.url}a`,
      relation: 'self',
      status,
      properties: {},
      missing: [],
    })
  })

  it('never has a value of a live property, whose element is empty in the answer', async () => {
    const answer = of(ok('<D:getcontentlength/><D:getlastmodified/>'))
    const set = {getcontentlength: '1', getlastmodified: 'Sun, 06 Nov 1994 08:49:37 GMT'}
    expect(await after(answer, set)).toMatchObject({ok: true, properties: {}, missing: []})
  })

  it('names a refused property with its condition, and 424 as not done because of another', async () => {
    const error = '<D:error><D:cannot-modify-protected-property/></D:error>'
    const protectedOne = `<D:propstat><D:prop><D:getetag/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status>${error}</D:propstat>`
    const answer = of(protectedOne, dependent('<x:author/>'))
    expect(await after(answer, {getetag: '"1"', [author]: 'Ana'})).toMatchObject({
      ok: false,
      status: 403,
      reason: 'propstat',
      missing: [
        {name: 'getetag', status: 403, conditions: ['cannot-modify-protected-property']},
        {name: author, status: 424, description: 'Not done because another property failed'},
      ],
    })
  })

  it('is that of the example in section 9.2.2', async () => {
    const body = new TextDecoder().decode(bytesOf('rfc4918-9.2.2')).replace('/bar.html', '/a')
    const z = (name: string): string => `{http://ns.example.com/standards/z39.50/}${name}`
    server.answers(answer207(body))
    const found = await dav.proppatch('a', {
      set: {[z('Authors')]: [z('Author')]},
      remove: [z('Copyright-Owner')],
    })
    expect(found).toMatchObject({
      ok: false,
      status: 424,
      reason: 'propstat',
      description: 'Copyright Owner cannot be deleted or\naltered.',
      missing: [
        {name: z('Authors'), status: 424},
        {name: z('Copyright-Owner'), status: 409},
      ],
    })
    // The cause, a 409, lasts.
    expect(!found.ok && isRetryable(found)).toBe(false)
  })

  it('may be retried after a 424 whose cause may pass', async () => {
    const found = await after(
      of(dependent('<x:author/>'), propstat('HTTP/1.1 507 Full', '<x:title/>')),
    )
    expect(!found.ok && isRetryable(found)).toBe(true)
  })

  it.each<[string, Answer, number, readonly (readonly [string, number])[]]>([
    ['a property that is not named', of(ok('<x:author/>')), 0, [[title, 0]]],
    [
      'no property at all',
      of(ok('')),
      0,
      [
        [author, 0],
        [title, 0],
      ],
    ],
    [
      'an empty document',
      answer207(OPEN + SHUT),
      0,
      [
        [author, 0],
        [title, 0],
      ],
    ],
    [
      'another resource',
      answer207(OPEN + named('/b', ok('<x:author/><x:title/>')) + SHUT),
      0,
      [
        [author, 0],
        [title, 0],
      ],
    ],
    [
      'a status of the response only',
      answer207(OPEN + verdict('/a', 'HTTP/1.1 200 OK') + SHUT),
      0,
      [
        [author, 0],
        [title, 0],
      ],
    ],
    [
      'the refused one only',
      of(refused('<x:author/>')),
      403,
      [
        [author, 403],
        [title, 0],
      ],
    ],
    [
      'success and refusal',
      of(ok('<x:title/>'), refused('<x:author/>')),
      403,
      [
        [author, 403],
        [title, 0],
      ],
    ],
    [
      'an unreadable status',
      of(propstat('ABC', '<x:author/>'), ok('<x:title/>')),
      0,
      [
        [author, 0],
        [title, 0],
      ],
    ],
    [
      'a status 200 of the response beside a failed propstat',
      of('<D:status>HTTP/1.1 200 OK</D:status>', refused('<x:author/>'), ok('<x:title/>')),
      403,
      [
        [author, 403],
        [title, 0],
      ],
    ],
  ])('is a Failure if the answer names %s', async (_, answer, status, missing) => {
    const found = await after(answer)
    expect(found).toMatchObject({ok: false, relation: 'self', status, reason: 'propstat'})
    expect(found.missing.map((one) => [one.name, one.status])).toEqual(missing)
    expect(found).not.toHaveProperty('properties')
    expect(JSON.parse(JSON.stringify(found))).toEqual(found)
  })

  it.each<[string, Answer, number, string]>([
    [
      'a response with status 500',
      answer207(OPEN + verdict('/a', 'HTTP/1.1 500 Error') + SHUT),
      500,
      'status',
    ],
    ['423', {status: 423}, 423, 'status'],
    ['404', {status: 404}, 404, 'status'],
    ['a success inside a 403', {...of(ok('<x:author/><x:title/>')), status: 403}, 403, 'status'],
    ['a 207 without a document', {status: 207}, 0, 'no-answer'],
    ['a page with status 200', {status: 200, body: '<html>Welcome</html>'}, 0, 'no-answer'],
    [
      'a DAV:error with status 200',
      {status: 200, body: '<D:error xmlns:D="DAV:"/>'},
      0,
      'no-answer',
    ],
  ])('is a Failure after %s', async (_, answer, status, reason) => {
    expect(await after(answer)).toMatchObject({ok: false, status, reason})
  })

  it('is sent again by retry, with its body', async () => {
    server.answers({status: 503}, {status: 204})
    const failure = await dav.proppatch('a', {set: {x: '1'}})
    if (failure.ok) throw new Error('not a Failure')
    const {successes} = await dav.retry([JSON.parse(JSON.stringify(failure))], quick).collect()
    expect(successes).toMatchObject([{status: 204, attempts: 2}])
    expect(server.requests[1]?.body).toBe(server.requests[0]?.body)
  })

  it('of other properties of the resource is another request to retry', async () => {
    server.answers({status: 503})
    const results = [
      await dav.proppatch('a', {set: {[author]: 'Ana'}}),
      await dav.proppatch('a', {set: {[title]: 'T'}}),
    ]
    server.answers({status: 204})
    const {successes} = await dav.retry(results.filter(isFailure), quick).collect()
    expect(successes).toHaveLength(2)
    const bodies = server.requests.map(({body}) => body)
    expect(bodies.slice(2)).toEqual(bodies.slice(0, 2))
  })
})

describe('on a server that keeps properties', () => {
  let model: PropertyServer
  let client: DavClient

  beforeEach(async () => {
    model = await startPropertyServer()
    model.add('/dav/a')
    client = new DavClient({url: model.url, transport})
  })

  afterEach(() => model.close())

  it('remove, set x, set y leaves y; set, remove leaves nothing', async () => {
    // Two spellings of one name.
    const set = {'{DAV:}x': '1', x: '2'}
    expect(await client.proppatch('a', {remove: ['x'], set})).toMatchObject({ok: true})
    expect(await client.stat('a', {properties: ['x']})).toMatchObject({properties: {x: '2'}})
    const options = {set: {x: '3'}, remove: ['x'], verify: true}
    expect(await client.proppatch('a', options)).toMatchObject({ok: true})
    expect(model.resources.get('/dav/a')?.properties.size).toBe(0)
  })

  it('sets all properties or none', async () => {
    const found = await client.proppatch('a', {set: {[author]: 'Ana', getetag: '"1"'}})
    expect(found).toMatchObject({ok: false, status: 424, missing: [{status: 424}, {status: 403}]})
    expect(model.resources.get('/dav/a')?.properties.size).toBe(0)
  })

  it('the removal of a missing property succeeds', async () => {
    expect(await client.proppatch('a', {remove: [author], verify: true})).toMatchObject({ok: true})
  })

  it('verify reads back what was set and what was removed, by one PROPFIND', async () => {
    const set = {
      [author]: ' Ana & Bo ',
      x: {name: 'x', attributes: {k: 'v'}, children: [{name: 'y'}]},
    }
    expect(await client.proppatch('a', {set, remove: [title], verify: true})).toMatchObject({
      ok: true,
      status: 200,
      properties: {},
    })
    expect(model.asked).toEqual(['PROPPATCH /dav/a', 'PROPFIND /dav/a'])
  })

  it.each([
    ['207', 200, {forgets: true}],
    ['204', 204, {forgets: true, answers204: true}],
  ])('verify finds that nothing was stored behind a %s', async (_, status, faults) => {
    await client.proppatch('a', {set: {[title]: 'T', x: '1'}})
    model.set(faults)
    const options = {set: {[author]: 'Ana', x: '2'}, remove: [title]}
    expect(await client.proppatch('a', options)).toMatchObject({ok: true, status})
    expect(await client.proppatch('a', {...options, verify: true})).toMatchObject({
      ok: false,
      status,
      reason: 'propstat',
      missing: [
        {name: author, status, description: 'It is not there'},
        {name: 'x', status, description: 'It has another value'},
        {name: title, status, description: 'It is still there'},
      ],
    })
  })

  it('verify finds a lost structure', async () => {
    model.set({flattens: true})
    const set = {x: ['a', 'b'], y: '1'}
    expect(await client.proppatch('a', {set, verify: true})).toMatchObject({
      ok: false,
      missing: [{name: 'x', status: 200, description: 'It has another value'}],
    })
  })

  it.each<[string, Answer]>([
    ['403', {status: 403}],
    ['404', {status: 404}],
    [
      'a 403 for the property',
      answer207(
        OPEN +
          named(
            '/dav/a',
            propstat('HTTP/1.1 403 F', '<x:author/>'),
            propstat('HTTP/1.1 200 OK', '<D:x>1</D:x>'),
          ) +
          SHUT,
      ),
    ],
  ])('a check that is answered with %s is a no-answer', async (_, answer) => {
    model.set({answers: (method) => (method === 'PROPFIND' ? answer : undefined)})
    expect(await client.proppatch('a', {set: {[author]: '', x: '1'}, verify: true})).toMatchObject({
      ok: false,
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
    })
  })

  it('a check whose answer is lost is a no-answer', async () => {
    model.set({
      answers: (method, number) => (method === 'PROPFIND' && number === 1 ? 'lost' : undefined),
    })
    expect(await client.proppatch('a', {set: {x: '1'}, verify: true})).toMatchObject({
      reason: 'no-answer',
      cause: 'network',
    })
  })

  it('a refusal stays a Failure, although the value is there', async () => {
    await client.proppatch('a', {set: {x: '1'}})
    const refusal = answer207(OPEN + named('/dav/a', propstat('HTTP/1.1 403 F', '<D:x/>')) + SHUT)
    model.set({answers: (method) => (method === 'PROPPATCH' ? refusal : undefined)})
    expect(await client.proppatch('a', {set: {x: '1'}, verify: true})).toMatchObject({
      ok: false,
      status: 403,
      reason: 'propstat',
    })
    expect(model.asked.filter((one) => one.startsWith('PROPFIND'))).toEqual([])
  })

  it('a repetition after a lost answer succeeds', async () => {
    model.set({
      answers: (method, number) => (method === 'PROPPATCH' && number === 1 ? 'lost' : undefined),
    })
    expect(await client.proppatch('a', {set: {x: '1'}, retry: quick})).toMatchObject({
      ok: true,
      attempts: 2,
    })
  })

  it.each<[string, NonNullable<PropertyFaults['answers']>, boolean]>([
    ['a Success if they are', (method, number) => lostThen412(method, number), true],
    [
      'a Failure if they are not',
      (method) => (method === 'PROPPATCH' ? {status: 412} : undefined),
      false,
    ],
  ])('a 412 after an earlier attempt looks for the properties: %s', async (_, answers, ok) => {
    model.set({answers})
    const options = {set: {x: '1'}, ifMatch: '"1"'}
    const first = await client.proppatch('a', options).catch(() => undefined)
    const request = {
      method: 'PROPPATCH',
      url: `${model.url}a`,
      conditions: {'if-match': '"1"'},
      body: String(model.requests[0]?.body),
      attempts: 1,
    }
    expect(first?.ok).not.toBe(true)
    const again = await client.retry([{...LOST, url: request.url, request}], quick).collect()
    expect([...again.successes, ...again.failures]).toMatchObject([{ok, status: 412}])
  })

  it('reads any text and any structure as it was set', async () => {
    const text = fc
      .string({unit: 'binary', maxLength: 40})
      .filter((one) => one.isWellFormed() && !FORBIDDEN.test(one))
    const name = fc.constantFrom(
      'x',
      '{}p',
      author,
      title,
      '{http://y/}é',
      'displayname',
      '{DAV:}constructor',
    )
    const element = fc.letrec<{tree: Tree; child: Tree | string}>((tie) => ({
      tree: fc.record({
        name,
        attributes: fc.dictionary(fc.constantFrom('k', '{urn:x}k', '{DAV:}k'), text),
        children: fc.array(tie('child'), {maxLength: 3}),
      }),
      child: fc.oneof({depthSize: 'small'}, text, tie('tree')),
    })).tree
    await fc.assert(
      fc.asyncProperty(name, fc.oneof(text, element), async (key, value) => {
        const given = typeof value === 'string' ? value : {...value, name: key}
        const found = await client.proppatch('a', {set: {[key]: given}, verify: true})
        expect(found).toMatchObject({ok: true, status: 200})
        const seen = await client.stat('a', {properties: [key]})
        const isText = typeof value === 'string'
        expect(seen.ok && (!isText || seen.properties[key] === value)).toBe(true)
      }),
      {numRuns: 60},
    )
  }, 60_000)
})

/** The first PROPPATCH is done, and its answer is lost. The second one finds another ETag. */
function lostThen412(method: string, number: number): Answer | 'lost' | undefined {
  if (method !== 'PROPPATCH') return undefined
  return number === 1 ? 'lost' : {status: 412}
}

const LOST = {
  ok: false,
  href: '/dav/a',
  relation: 'self',
  status: 0,
  reason: 'no-answer',
  cause: 'network',
  conditions: [],
  missing: [],
} as const

interface Tree {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly (Tree | string)[]
}

const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/
