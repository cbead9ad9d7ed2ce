// States that each call refuses an unknown option and a value of another type before anything is sent. The message names the
// nearest option. A misspelt condition must not delete unconditionally. No RFC speaks of options.

import {
  type DavClientOptions,
  DavClient,
  type Failure,
  type FailedRequest,
  toLocalPath,
  type Transport,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {MultiStatusParser, MultiStatusStream, parseMultiStatus} from 'multistatus/parser'
import {undiciTransport} from 'multistatus/undici'
import {beforeEach, describe, expect, it} from 'vitest'
import {refusalOf} from '../support/results.ts'

const url = 'https://dav.example/files/'
let sent: string[]

const transport: Transport = async ({method, url: to, headers}) => {
  sent.push(`${method} ${to}${headers['if-match'] === undefined ? '' : ` ${headers['if-match']}`}`)
  return {status: 204, headers: new Headers(), body: null}
}
const dav = new DavClient({url, transport})

beforeEach(() => {
  sent = []
})

/** Calls as a program without types may, with whatever it has for an option. */
function untyped(call: (options: never) => unknown): (options: unknown) => unknown {
  return (options) => Reflect.apply(call, undefined, [options])
}

const listed = {
  ok: true,
  href: '/files/a',
  url: `${url}a`,
  relation: 'member',
  status: 200,
  properties: {getetag: '"1"', resourcetype: []},
  missing: [],
} as const

const request: FailedRequest = {method: 'DELETE', url: `${url}a`, depth: 'infinity', attempts: 1}
const failure: Failure = {
  ok: false,
  href: '/files/a',
  url: `${url}a`,
  relation: 'self',
  status: 503,
  reason: 'status',
  conditions: [],
  missing: [],
  request,
}

const checkpoint = {version: 1, url, root: url, depth: 'infinity', left: [], incomplete: []}

const doors: Readonly<Record<string, (options: unknown) => unknown>> = {
  DavClient: untyped((options: DavClientOptions) => new DavClient(options)),
  propfind: untyped((options) => dav.propfind('a', options)),
  delete: untyped((options) => dav.delete('a', options)),
  'delete of a result': untyped((options) => dav.delete(listed, options)),
  deleteMany: untyped((options) => dav.deleteMany(['a'], options)),
  mkcol: untyped((options) => dav.mkcol('a', options)),
  lock: untyped((options) => dav.lock('a', options)),
  unlock: untyped((options) => dav.unlock('a', options)),
  proppatch: untyped((options) => dav.proppatch('a', options)),
  put: untyped((options) => dav.put('a', 'a', options)),
  putMany: untyped((options) => dav.putMany([], options)),
  'an upload': untyped((upload) => dav.putMany([upload])),
  report: untyped((options) => dav.report('a', options)),
  multiget: untyped((options) => dav.multiget('a', [], options)),
  search: untyped((options) => dav.search('a', options)),
  retry: untyped((options) => dav.retry([failure], options)),
  'retry of a client': (retry) => doors['DavClient']?.({url, retry}),
  'retry of propfind': (retry) => doors['propfind']?.({retry}),
  'retry of delete': (retry) => doors['delete']?.({retry}),
  'retry of deleteMany': (retry) => doors['deleteMany']?.({retry}),
  timeout: (timeout) => doors['DavClient']?.({url, timeout}),
  limits: (limits) => doors['DavClient']?.({url, limits}),
  depth: (depth) => doors['propfind']?.({depth}),
  resume: (resume) => doors['propfind']?.({resume}),
  pages: (pages) => doors['propfind']?.({pages}),
  MultiStatusParser: untyped((options) => new MultiStatusParser(options)),
  MultiStatusStream: untyped((options) => new MultiStatusStream(options)),
  parseMultiStatus: untyped((options) => parseMultiStatus('', options)),
  'limits of the parser': (limits) => doors['MultiStatusParser']?.({limits}),
  undiciTransport: untyped((options) => undiciTransport(options)),
  fetchTransport: untyped((options) => fetchTransport(options)),
  toLocalPath: untyped((options) => toLocalPath(listed, options)),
  sync: untyped((options) => dav.sync('a', options)),
  copy: untyped((options) => dav.copy('a', 'b', options)),
  copyMany: untyped((options) => dav.copyMany([{from: 'a', to: 'b'}], options)),
  move: untyped((options) => dav.move('a', 'b', options)),
  moveMany: untyped((options) => dav.moveMany([{from: 'a', to: 'b'}], options)),
  'a pair of copyMany': untyped((pair) => dav.copyMany([pair])),
  'a target of delete': untyped((target) => dav.delete(target)),
  'a target of deleteMany': untyped((target) => dav.deleteMany([target])),
  'a request of a failure': untyped((given) => dav.retry([{...failure, request: given}]).collect()),
}

function open(door: string): (options: unknown) => unknown {
  const call = doors[door]
  if (call === undefined) throw new Error(`there is no door ${door}`)
  return call
}

describe('an option that a call does not know', () => {
  it.each<[string, object, string]>([
    ['DavClient', {url, concurency: 4}, '"concurency"; the nearest is concurrency'],
    ['DavClient', {url, Auth: undefined}, '"Auth"; the nearest is auth'],
    ['DavClient', {url, timeouts: 5}, '"timeouts"; the nearest is timeout'],
    ['DavClient', {url, retries: 3}, '"retries"; the nearest is retry'],
    ['propfind', {dept: 0}, '"dept"; the nearest is depth'],
    ['sync', {tokn: 't1'}, '"tokn"; the nearest is token'],
    ['propfind', {props: ['getetag']}, '"props"; there are properties,'],
    ['propfind', {propName: true}, '"propName"; the nearest is propname'],
    ['propfind', {ifUnchanged: true}, '"ifUnchanged"; there are properties,'],
    ['delete', {ifunchanged: true}, '"ifunchanged"; the nearest is ifUnchanged'],
    ['delete', {ifUnchnaged: true}, '"ifUnchnaged"; the nearest is ifUnchanged'],
    ['delete of a result', {isUnchanged: true}, '"isUnchanged"; the nearest is ifUnchanged'],
    ['delete', {dryrun: true}, '"dryrun"; the nearest is dryRun'],
    ['delete', {dry_run: true}, '"dry_run"; the nearest is dryRun'],
    ['delete', {concurrency: 4}, '"concurrency"; there are ifMissing,'],
    ['deleteMany', {ifUnchangd: true}, '"ifUnchangd"; the nearest is ifUnchanged'],
    ['deleteMany', {onprogress: () => {}}, '"onprogress"; the nearest is onProgress'],
    ['mkcol', {parent: true}, '"parent"; the nearest is parents'],
    ['lock', {time: 1}, '"time"; the nearest is timeout'],
    ['lock', {lockToken: 'x'}, '"lockToken"; there are ignoreCapabilities,'],
    ['unlock', {token: 'x'}, '"token"; the nearest is lockToken'],
    ['mkcol', {ifMatch: '"1"'}, '"ifMatch"; there are dryRun,'],
    ['proppatch', {sets: {x: ''}}, '"sets"; the nearest is set'],
    ['proppatch', {set: {x: ''}, ifUnmatch: ''}, '"ifUnmatch"; the nearest is ifMatch'],
    ['put', {ifmatch: '"1"'}, '"ifmatch"; the nearest is ifMatch'],
    ['put', {safe: true}, '"safe"; the nearest is safely'],
    ['putMany', {ifMatch: '"1"'}, '"ifMatch"; there are parents,'],
    ['an upload', {href: 'a', body: 'a', creat: true}, '"creat"; the nearest is create'],
    ['retry', {attemps: 3}, '"attemps"; the nearest is attempts'],
    ['retry', {unguarde: true}, '"unguarde"; the nearest is unguarded'],
    ['retry of a client', {atempts: 3}, '"atempts"; the nearest is attempts'],
    ['retry of propfind', {mindelay: 3}, '"mindelay"; the nearest is minDelay'],
    ['retry of delete', {maxRetryafter: 3}, '"maxRetryafter"; the nearest is maxRetryAfter'],
    ['retry of deleteMany', {unguarded: true}, '"unguarded"; there are attempts,'],
    ['timeout', {header: 3}, '"header"; the nearest is headers'],
    ['timeout', {conect: 3}, '"conect"; the nearest is connect'],
    ['limits', {byte: 3}, '"byte"; the nearest is bytes'],
    ['depth', {walk: true, level: 3}, '"level"; the nearest is levels'],
    ['depth', {wlak: true}, '"wlak"; the nearest is walk'],
    ['pages', {siz: 2}, '"siz"; the nearest is size'],
    ['resume', {...checkpoint, lefft: []}, '"lefft"; the nearest is left'],
    ['resume', {...checkpoint, left: [{url, dept: 1}]}, '"dept"; the nearest is depth'],
    [
      'resume',
      {...checkpoint, incomplete: [{href: url, reason: 'failed', state: 1}]},
      '"state"; the nearest is status',
    ],
    ['MultiStatusParser', {limit: {}}, '"limit"; the nearest is limits'],
    ['MultiStatusStream', {decoder: {}}, '"decoder"; the nearest is decoders'],
    ['parseMultiStatus', {malform: 'skip'}, '"malform"; the nearest is malformed'],
    ['limits of the parser', {respnse: 3}, '"respnse"; the nearest is response'],
    ['undiciTransport', {dispacher: {}}, '"dispacher"; the nearest is dispatcher'],
    ['undiciTransport', {timeout: 3}, '"timeout"; the nearest is connectTimeout'],
    ['fetchTransport', {credential: 'omit'}, '"credential"; the nearest is credentials'],
    ['toLocalPath', {window: true}, '"window"; the nearest is windows'],
    ['a target of delete', {href: 'a', ifmatch: '"1"'}, '"ifmatch"; the nearest is ifMatch'],
    ['a target of delete', {href: 'a', etag: '"1"'}, '"etag"; there are href,'],
    ['copy', {overwite: false}, '"overwite"; the nearest is overwrite'],
    ['copyMany', {parent: true}, '"parent"; the nearest is parents'],
    ['copyMany', {ifMatch: '"1"'}, '"ifMatch"; there are overwrite,'],
    ['move', {ifmatch: '"1"'}, '"ifmatch"; the nearest is ifMatch'],
    ['move', {depth: 0}, '"depth"; there are overwrite,'],
    ['moveMany', {Overwrite: false}, '"Overwrite"; the nearest is overwrite'],
    [
      'a pair of copyMany',
      {from: 'a', to: 'b', ifmatch: '"1"'},
      '"ifmatch"; the nearest is ifMatch',
    ],
    [
      'a target of deleteMany',
      {href: 'a', locktoken: 'x'},
      '"locktoken"; the nearest is lockToken',
    ],
    ['a target of delete', {...listed, ifmatch: '"1"'}, '"ifmatch"; the nearest is ifMatch'],
    ['a target of deleteMany', {url: `${url}a`, 'if-match': '"1"'}, 'the nearest is ifMatch'],
  ])('is a TypeError of %s that names the nearest one: %o', async (door, options, words) => {
    expect(await refusalOf(() => open(door)(options))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => open(door)(options)))).toContain(words)
    expect(sent).toEqual([])
  })

  it.each(Object.keys(doors).filter((door) => door !== 'a request of a failure'))(
    'is a TypeError of %s that names all if none is near',
    async (door) => {
      const options = door.startsWith('a target') ? {href: 'a', qqqqqqqq: 1} : {qqqqqqqq: 1}
      expect(await refusalOf(() => open(door)(options))).toBeInstanceOf(TypeError)
      expect(String(await refusalOf(() => open(door)(options)))).toContain(
        'no option "qqqqqqqq"; there are ',
      )
      expect(sent).toEqual([])
    },
  )

  it('is a TypeError of stat, which has no depth', async () => {
    const stat = untyped((options) => dav.stat('a', options))
    await expect(stat({depth: 1})).rejects.toThrow(TypeError)
    await expect(stat({propertys: ['getetag']})).rejects.toThrow('the nearest is properties')
    expect(sent).toEqual([])
  })

  it('is a TypeError in the request of a failure, which may come from a queue', async () => {
    const retry = open('a request of a failure')
    const condtions = {'if-match': '"1"'}
    await expect(retry({...request, condtions})).rejects.toThrow('the nearest is conditions')
    expect(sent).toEqual([])
  })

  it('of a target in a stream is its Failure, and the others go on', async () => {
    const targets = (function* () {
      yield 'a'
      yield {href: 'b', ifmatch: '"1"'}
      yield 'c'
    })()
    const {failures} = await dav.deleteMany(targets).collect()
    expect(failures).toMatchObject([{href: 'b', status: 0}])
    expect(failures[0]?.description).toContain('"ifmatch"; the nearest is ifMatch')
    expect(sent).toEqual([`DELETE ${url}a`, `DELETE ${url}c`])
  })

  it('has its name in one line without a character that a terminal obeys', async () => {
    const refusal = await refusalOf(() => open('delete')({'x\n\u202E\u009B': 1}))
    expect(String(refusal)).toContain(String.raw`no option "x\n\u202e\u009b"`)
  })

  it.each([Object.fromEntries([['constructr', 1]]), JSON.parse('{"__proto__": {"dryRun": true}}')])(
    'is a TypeError if an object inherits a similar one: %o',
    async (options) => {
      expect(await refusalOf(() => open('delete')(options))).toBeInstanceOf(TypeError)
    },
  )
})

describe('an option', () => {
  class Safe {
    get ifUnchanged(): boolean {
      return true
    }
  }
  class SafeAndMisspelt extends Safe {
    get dryrun(): boolean {
      return true
    }
  }
  const own = {ifUnchanged: true}
  const inherited: readonly [string, object][] = [
    ['of a prototype', Object.create({ifUnchanged: true}) as object],
    ['of a class', new Safe()],
    ['of an object without a prototype', Object.assign(Object.create(null), {ifUnchanged: true})],
    ['that is spread', {...own}],
  ]

  it.each(inherited)('%s counts', async (_, options) => {
    await dav.delete(listed, options)
    await dav.deleteMany([listed], options).collect()
    expect(sent).toEqual([`DELETE ${url}a "1"`, `DELETE ${url}a "1"`])
  })

  it('that is misspelt in a class is a TypeError', async () => {
    const nearest = 'the nearest is dryRun'
    await expect(dav.delete(listed, new SafeAndMisspelt())).rejects.toThrow(nearest)
    await expect(dav.delete('a', Object.create({dryrun: true}))).rejects.toThrow(nearest)
    expect(sent).toEqual([])
  })

  it('of a prototype counts in the options that a call hands on', async () => {
    const limits: object = Object.create({bytes: 3})
    const malformed: object = Object.create({limits: {bytes: 3}})
    const timeout: object = Object.create({headers: 0})
    const retry: object = Object.create({attempts: 0})
    expect(() => new DavClient({url, timeout})).toThrow(RangeError)
    expect(() => new DavClient({url, retry})).toThrow(RangeError)
    expect(() => dav.retry([], retry)).toThrow(RangeError)
    await expect(parseMultiStatus('<a/>', {limits}).collect()).rejects.toThrow(
      'longer than 3 bytes',
    )
    await expect(parseMultiStatus('<a/>', malformed).collect()).rejects.toThrow(
      'longer than 3 bytes',
    )
  })

  it('of a decoder counts if it is inherited', async () => {
    class Decoders {
      readonly [name: string]: (value: unknown) => string
      // oxlint-disable-next-line class-methods-use-this -- as a program may write it
      getetag(): string {
        return 'decoded'
      }
    }
    const body =
      '<multistatus xmlns="DAV:"><response><href>/</href><propstat><prop><getetag>1</getetag></prop><status>HTTP/1.1 200</status></propstat></response></multistatus>'
    const {successes} = await parseMultiStatus(body, {decoders: new Decoders()}).collect()
    expect(successes[0]?.properties).toEqual({getetag: 'decoded'})
  })

  it.each(Object.keys(doors))('that is undefined is as good as none: %s', async (door) => {
    const given: Readonly<Record<string, object>> = {
      DavClient: {url, auth: undefined, retry: undefined, limits: undefined, timeout: undefined},
      depth: {walk: true, levels: undefined},
      pages: {size: 2, dialect: undefined},
      mkcol: {parents: undefined, properties: undefined},
      proppatch: {set: {x: '', y: undefined}, remove: undefined, verify: undefined},
      report: {body: '<x/>', depth: undefined, resume: undefined},
      multiget: {report: '{urn:x}multiget', properties: ['getetag'], batchSize: undefined},
      search: {body: '<x/>', where: undefined, limit: undefined},
      limits: {bytes: undefined},
      'limits of the parser': {bytes: undefined},
      parseMultiStatus: {encoding: undefined, malformed: undefined},
      timeout: {idle: undefined, headers: undefined},
      resume: {...checkpoint, url: `${url}a`, root: `${url}a`},
      'a target of delete': {href: 'a', ifMatch: undefined, lockToken: undefined},
      'an upload': {href: 'a', body: 'a', ifMatch: undefined, create: undefined},
      'a target of deleteMany': {href: 'a', ifMatch: undefined, lockToken: undefined},
      'a pair of copyMany': {from: 'a', to: 'b', ifMatch: undefined, lockToken: undefined},
      'a request of a failure': {...request, conditions: undefined, verify: undefined},
    }
    await open(door)(given[door] ?? {})
    // The lock of an answer without a token is looked up.
    expect(sent.length).toBeLessThanOrEqual(door === 'lock' ? 2 : 1)
  })

  it('that is undefined leaves the encoding that a response says', async () => {
    const body =
      '<multistatus xmlns="DAV:"><response><href>/\u00E9</href><status>HTTP/1.1 200</status></response></multistatus>'
    const bytes = Uint8Array.from(body, (character) => character.charCodeAt(0))
    const headers = {'content-type': 'text/xml; charset=iso-8859-1'}
    const response = new Response(bytes, {headers})
    const {successes} = await parseMultiStatus(response, {encoding: undefined}).collect()
    expect(successes.map(({href}) => href)).toEqual(['/\u00E9'])
  })

  it('of an object that has a url may have any other name', async () => {
    const row = {url: `${url}a`, id: 7, token: 'x', batch: 1, checksum: 'y'}
    await dav.deleteMany([row]).collect()
    expect(sent).toEqual([`DELETE ${url}a`])
  })

  it('that is a class of the platform is read as it is', async () => {
    const {signal} = new AbortController()
    expect(await dav.delete('a', {signal})).toMatchObject({ok: true})
    expect(await dav.delete('a', {signal: AbortSignal.timeout(1000)})).toMatchObject({ok: true})
  })
})

describe('a value of another type', () => {
  const anywhere: readonly [string, object][] = [
    ...['propfind', 'copy', 'moveMany', 'delete', 'deleteMany', 'retry'].flatMap(
      (door): [string, object][] => [
        [door, {signal: {}}],
        [door, {signal: null}],
        [door, {signal: new AbortController()}],
      ],
    ),
    ...['propfind', 'delete', 'deleteMany', 'DavClient'].flatMap((door): [string, object][] => [
      [door, {url, retry: 'x'}],
      [door, {url, retry: null}],
      [door, {url, retry: []}],
      [door, {url, retry: true}],
      [door, {url, retry: {attempts: '3'}}],
      [door, {url, retry: {minDelay: '3'}}],
      [door, {url, retry: {retryable: true}}],
      [door, {url, retry: {onRetry: 'log'}}],
    ]),
    ...['propfind', 'deleteMany', 'retry', 'DavClient'].flatMap((door): [string, object][] => [
      [door, {url, concurrency: '8'}],
      [door, {url, concurrency: null}],
      [door, {url, concurrency: 8n}],
    ]),
    ...['delete', 'deleteMany'].flatMap((door): [string, object][] => [
      [door, {ifUnchanged: 'true'}],
      [door, {verify: 1}],
      [door, {dryRun: 'false'}],
      [door, {unguarded: 'no'}],
      [door, {ifMissing: 'ok'}],
      [door, {ifMissing: true}],
    ]),
    ...['propfind', 'DavClient', 'MultiStatusParser', 'parseMultiStatus'].flatMap(
      (door): [string, object][] => [
        [door, {url, decoders: []}],
        [door, {url, decoders: 'x'}],
        [door, {url, decoders: {getetag: 'text'}}],
        [door, {url, decoders: {getetag: null}}],
        [door, {url, decoders: {getetag: {parse: () => 1}}}],
        [door, {url, decoders: {getetag: {'~standard': {version: 1}}}}],
      ],
    ),
    ...['MultiStatusParser', 'parseMultiStatus', 'MultiStatusStream', 'DavClient'].flatMap(
      (door): [string, object][] => [
        [door, {url, limits: 7}],
        [door, {url, limits: []}],
        [door, {url, limits: {bytes: '7'}}],
        [door, {url, malformed: true}],
      ],
    ),
  ]
  const here: readonly [string, unknown][] = [
    ['DavClient', {url: 7}],
    ['DavClient', {}],
    ['DavClient', undefined],
    ['DavClient', url],
    ['DavClient', {url, auth: 'Basic hidden-secret'}],
    ['DavClient', {url, auth: {username: 'ana', password: 'hidden-secret'}}],
    ['DavClient', {url, transport: {}}],
    ['DavClient', {url, headers: []}],
    ['DavClient', {url, headers: [['x-a', 'hidden-secret']]}],
    ['DavClient', {url, headers: new Headers({authorization: 'hidden-secret'})}],
    ['DavClient', {url, headers: new Map([['x-a', 'hidden-secret']])}],
    ['DavClient', {url, headers: 'x-a: hidden-secret'}],
    ['DavClient', {url, headers: {'x-a': 7}}],
    ['DavClient', {url, headers: {'x-a': undefined}}],
    ['DavClient', {url, headers: {'x-a': ['hidden-secret']}}],
    ['DavClient', {url, timeout: '5'}],
    ['DavClient', {url, timeout: null}],
    ['DavClient', {url, timeout: []}],
    ['DavClient', {url, timeout: {headers: '5'}}],
    ['propfind', {properties: 'getetag'}],
    ['propfind', {properties: new Set(['getetag'])}],
    ['propfind', {properties: [7]}],
    ['propfind', {allprop: true, include: 'getetag'}],
    ['propfind', {allprop: true, include: [Symbol.iterator]}],
    ['propfind', {allprop: 'true'}],
    ['propfind', {propname: 1}],
    ['propfind', {pages: 2}],
    ['pages', {size: '2'}],
    ['pages', {size: 2, dialect: 'yandex'}],
    ['sync', {pages: 2}],
    ['propfind', {resume: 'x'}],
    ['propfind', {resume: []}],
    ['propfind', {depth: {walk: true, levels: 3, signal: 1}}],
    ['deleteMany', {onProgress: 'log'}],
    ['deleteMany', {onProgress: {}}],
    ['retry', 'x'],
    ['retry', null],
    ['retry', []],
    ['retry', {unguarded: 'true'}],
    ['retry', {attempts: '3'}],
    ['MultiStatusParser', {method: 7}],
    ['MultiStatusParser', {encoding: 7}],
    ['undiciTransport', {dispatcher: {}}],
    ['undiciTransport', {connections: '8'}],
    ['undiciTransport', {connectTimeout: '8'}],
    ['fetchTransport', {fetch: 'fetch'}],
    ['fetchTransport', {credentials: 'some'}],
    ['copy', {overwrite: 'F'}],
    ['copyMany', {depth: 1}],
    ['move', {overwrite: 0}],
    ['move', {parents: 'all'}],
    ['moveMany', {unguarded: 1}],
    ['a pair of copyMany', {from: 'a', to: 'b', lockToken: {}}],
    ['a target of delete', {href: 'a', ifMatch: 7}],
    ['a target of delete', {href: 'a', lockToken: {}}],
    ['delete', null],
    ['delete', 'dryRun'],
    ['delete', []],
    ['delete', new AbortController().signal],
    ['delete', () => true],
    ['deleteMany', 8],
    ['propfind', 1],
    ['fetchTransport', 'omit'],
    ['undiciTransport', new URL(url)],
  ]

  it.each([...anywhere, ...here])('is a TypeError of %s: %o', async (door, options) => {
    const given =
      isObject(options) && door !== 'DavClient' && !door.includes('P')
        ? withoutUrl(options)
        : options
    expect(await refusalOf(() => open(door)(given))).toBeInstanceOf(TypeError)
    expect(String(await refusalOf(() => open(door)(given)))).not.toMatch(/hidden-secret/)
    expect(sent).toEqual([])
  })

  it.each<[string, object]>([
    ['undiciTransport', {connections: 0}],
    ['undiciTransport', {connections: 1.5}],
    ['undiciTransport', {connectTimeout: -1}],
    ['undiciTransport', {connectTimeout: Number.NaN}],
    ['timeout', {idle: Number.NaN}],
    ['limits', {depth: -1}],
  ])('of a number that makes no sense is a RangeError of %s: %o', async (door, options) => {
    expect(await refusalOf(() => open(door)(options))).toBeInstanceOf(RangeError)
  })

  it.each([undefined, null, 'x', 7, failure, {}])(
    'in the place of failures is a TypeError: %o',
    (failures) => {
      expect(() => untyped((given) => dav.retry(given))(failures)).toThrow(TypeError)
      expect(sent).toEqual([])
    },
  )

  function isObject(value: unknown): value is object {
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  }

  /** The lists above give all doors a url, and most know none. */
  function withoutUrl(options: object): object {
    const {url: _, ...others}: {url?: unknown} = options
    return Object.getPrototypeOf(options) === Object.prototype && _ === url ? others : options
  }
})

describe('a number in the place of a policy', () => {
  const busy: Transport = async ({method}) => {
    sent.push(method)
    return {status: 503, headers: new Headers({'retry-after': '0'}), body: null}
  }

  it('is the number of attempts, the first one included', async () => {
    const client = new DavClient({url, transport: busy, retry: 3})
    await client.delete('a')
    expect(sent).toHaveLength(3)
    await client.deleteMany(['a', 'b'], {retry: 2}).collect()
    expect(sent).toHaveLength(7)
    expect(await client.stat('a', {retry: 1})).toMatchObject({ok: false, status: 503})
    expect(sent).toHaveLength(8)
    await expect(client.propfind('a', {retry: 2}).collect()).rejects.toThrow('503')
    expect(sent).toHaveLength(10)
    await client.retry([failure], 4).collect()
    expect(sent).toHaveLength(14)
  })

  it('leaves the rest of the client’s own policy to dav.retry', async () => {
    const client = new DavClient({
      url,
      transport: busy,
      retry: {attempts: 9, retryable: () => false},
    })
    const {failures} = await client.retry([failure], 4).collect()
    expect(failures).toEqual([failure])
    expect(sent).toEqual([])
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'is a RangeError: %d',
    async (retry) => {
      expect(() => new DavClient({url, retry})).toThrow(RangeError)
      expect(() => dav.propfind('a', {retry})).toThrow(RangeError)
      expect(await refusalOf(() => dav.delete('a', {retry}))).toBeInstanceOf(RangeError)
      expect(() => dav.deleteMany(['a'], {retry})).toThrow(RangeError)
      expect(() => dav.retry([failure], retry)).toThrow(RangeError)
      expect(sent).toEqual([])
    },
  )
})
