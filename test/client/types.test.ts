// The types of a result's properties: names give their types, decoders and schemas give others. `tsc` checks the types; the
// values at run time are asserted beside them. RFC 4918, section 15; standardschema.dev.

import {Readable} from 'node:stream'

import {
  DavClient,
  type DEFAULT_PROPERTIES,
  type DavResult,
  type Download,
  type Failure,
  type ActiveLock,
  isFailure,
  isSuccess,
  type Lock,
  lockDecoders,
  type LockEntry,
  partition,
  versioningDecoders,
  type Properties,
  type PropertiesOf,
  type PropertiesToSet,
  type PropertyToSet,
  type RawValue,
  type ListingStream,
  type PropfindOptions,
  type PutOptions,
  type ResultStream,
  type StandardSchema,
  type StoredLock,
  type Success,
  type Transport,
  type Upload,
  type UploadBody,
  unwrap,
  type XmlElement,
} from 'multistatus'
import {describe, expect, expectTypeOf, it} from 'vitest'

import {propstat} from '../support/fixtures.ts'

const url = 'https://dav.example/files/'

/** A schema for a whole number, as the specification of Standard Schema asks for it. */
const whole: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'string' && /^\d+$/.test(value)
        ? {value: Number(value)}
        : {issues: [{message: 'is no whole number'}]},
  },
}

/** Settings of a client whose server answers every PROPFIND with these properties. */
function answering(prop: string): {url: string; transport: Transport} {
  const found = propstat('HTTP/1.1 200 OK', prop)
  const body = `<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x"><D:response><D:href>/files/a</D:href>${found}</D:response></D:multistatus>`
  return {url, transport: async () => new Response(body, {status: 207})}
}

type PropertiesIn<S> = S extends ResultStream<infer P> ? P : never

describe('the properties of a listing', () => {
  const dav = new DavClient({url})

  it('are the named ones, each with its own type and optional', () => {
    const stream = dav.propfind('', {
      properties: ['getetag', 'getcontentlength', 'getlastmodified', 'resourcetype', '{urn:x}p'],
    })
    expectTypeOf<PropertiesIn<typeof stream>>().toEqualTypeOf<{
      readonly getetag?: string
      readonly getcontentlength?: number
      readonly getlastmodified?: Date
      readonly resourcetype?: readonly string[]
      readonly '{urn:x}p'?: string | XmlElement
    }>()
  })

  it('are a small set by default', () => {
    const stream = dav.propfind('')
    expectTypeOf<PropertiesIn<typeof stream>>().toEqualTypeOf<
      PropertiesOf<(typeof DEFAULT_PROPERTIES)[number]>
    >()
    expectTypeOf<PropertiesIn<typeof stream>>()
      .toHaveProperty('getlastmodified')
      .toEqualTypeOf<Date | undefined>()
  })

  it('may be any with allprop', () => {
    const stream = dav.propfind('', {allprop: true})
    expectTypeOf(stream).toEqualTypeOf<ListingStream>()
    expectTypeOf<PropertiesIn<typeof stream>>().toEqualTypeOf<Properties>()
    expectTypeOf<Properties['getcontentlength']>().toEqualTypeOf<number | undefined>()
  })

  it('may be any with names that the compiler does not know, and with options of a general type', () => {
    const names: string[] = ['getetag']
    const options: PropfindOptions = {properties: ['getetag']}
    expectTypeOf(dav.propfind('', {properties: names})).toEqualTypeOf<ListingStream>()
    expectTypeOf(dav.propfind('', options)).toEqualTypeOf<ListingStream>()
  })

  it('may be any with a flag that is true or false', () => {
    const isAll: boolean = dav.url !== url
    expectTypeOf(dav.propfind('', {allprop: isAll})).toEqualTypeOf<ListingStream>()
  })

  it('are the named ones with flags that are false or undefined', () => {
    const stream = dav.propfind('', {properties: ['getetag'], allprop: false, propname: undefined})
    expectTypeOf(stream).toEqualTypeOf<ListingStream<{readonly getetag?: string}>>()
  })

  it('do not include others', () => {
    const stream = dav.propfind('', {properties: ['getetag']})
    expectTypeOf<PropertiesIn<typeof stream>>().not.toHaveProperty('getcontentlength')
  })

  it('of a sync are the named ones, getetag and resourcetype', () => {
    const stream = dav.sync('', {
      properties: ['displayname', '{urn:x}n'],
      decoders: {'{urn:x}n': whole},
    })
    expectTypeOf<PropertiesIn<typeof stream>>().toEqualTypeOf<{
      readonly displayname?: string
      readonly '{urn:x}n'?: number
      readonly getetag?: string
      readonly resourcetype?: readonly string[]
    }>()
    expectTypeOf<PropertiesIn<ReturnType<typeof dav.sync>>>().toHaveProperty('getetag')
  })

  it('are typed on stat too', () => {
    const result = (): ReturnType<typeof dav.stat<readonly ['getetag']>> =>
      dav.stat('a', {properties: ['getetag']})
    expectTypeOf(result).returns.resolves.toEqualTypeOf<DavResult<{readonly getetag?: string}>>()
  })

  it('may be any on stat with allprop or propname', async () => {
    const some = new DavClient(answering('<D:getetag>"1"</D:getetag><x:n/>'))
    const all = await some.stat('a', {allprop: true, include: ['{urn:x}n']})
    expectTypeOf(all).toEqualTypeOf<DavResult>()
    expect(all).toMatchObject({properties: {getetag: '"1"', '{urn:x}n': ''}})
    const names = await some.stat('a', {propname: true})
    expectTypeOf(names).toEqualTypeOf<DavResult>()
    expect(names).toMatchObject({properties: {'{urn:x}n': ''}})
  })
})

describe('the properties of reports and searches', () => {
  const dav = new DavClient({url})
  const body = {name: 'expand-property'}

  it('may be any of a report, beside those of decoders', () => {
    expectTypeOf(dav.report('', {body})).toEqualTypeOf<ListingStream>()
    const typed = dav.report('', {body, decoders: versioningDecoders})
    expectTypeOf<PropertiesIn<typeof typed>>()
      .toHaveProperty('supported-report-set')
      .toEqualTypeOf<readonly string[] | undefined>()
  })

  it('are the named ones of a multiget', () => {
    const stream = dav.multiget('', [], {
      report: '{urn:x}multiget',
      properties: ['getetag', '{urn:x}n'],
      decoders: {'{urn:x}n': Number},
    })
    expectTypeOf(stream).toEqualTypeOf<
      ResultStream<{readonly getetag?: string; readonly '{urn:x}n'?: number}>
    >()
  })

  it('are the named ones of a search, and any with a body', () => {
    const named = dav.search('', {where: body, properties: ['getcontentlength']})
    expectTypeOf(named).toEqualTypeOf<ListingStream<{readonly getcontentlength?: number}>>()
    expectTypeOf(dav.search('', {body})).toEqualTypeOf<ListingStream>()
  })
})

describe('a DAV: name in Clark notation', () => {
  it('has the key of its property in results', async () => {
    const dav = new DavClient(answering('<D:getcontentlength>1</D:getcontentlength><D:valueOf/>'))
    const result = await dav.stat('a', {
      properties: ['{DAV:}getcontentlength', '{DAV:}valueOf', 'constructor', '{DAV:}x', '{urn:x}y'],
    })
    expectTypeOf(result).toEqualTypeOf<
      DavResult<{
        readonly getcontentlength?: number
        readonly '{DAV:}valueOf'?: RawValue
        readonly '{DAV:}constructor'?: RawValue
        readonly x?: RawValue
        readonly '{urn:x}y'?: RawValue
      }>
    >()
    expect(result).toMatchObject({properties: {getcontentlength: 1, '{DAV:}valueOf': ''}})
  })

  it('gives a decoder to its property, even over one of the client', async () => {
    const dav = new DavClient({
      ...answering('<D:getetag>1</D:getetag><D:valueOf>2</D:valueOf>'),
      decoders: {getetag: () => 'of the client'},
    })
    const result = await dav.stat('a', {
      properties: ['getetag', 'valueOf'],
      decoders: {'{DAV:}getetag': () => 1n, valueOf: () => true},
    })
    expectTypeOf(result).toExtend<DavResult<{readonly '{DAV:}valueOf'?: boolean}>>()
    expect(result).toMatchObject({properties: {getetag: 1n, '{DAV:}valueOf': true}})
    const all = new DavClient(answering('')).propfind('', {
      allprop: true,
      decoders: {'{DAV:}getetag': () => 1n},
    })
    expectTypeOf<PropertiesIn<typeof all>>()
      .toHaveProperty('getetag')
      .toEqualTypeOf<bigint | undefined>()
  })
})

describe('a decoder', () => {
  it('types its property and makes its value', async () => {
    const dav = new DavClient(answering('<x:tags>a,b</x:tags><D:getetag>"1"</D:getetag>'))
    const result = await dav.stat('a', {
      properties: ['{urn:x}tags', 'getetag'],
      decoders: {
        '{urn:x}tags': (value) => (typeof value === 'string' ? value.split(',') : undefined),
      },
    })
    expectTypeOf(result).toEqualTypeOf<
      DavResult<{readonly '{urn:x}tags'?: string[]; readonly getetag?: string}>
    >()
    expect(result).toMatchObject({properties: {'{urn:x}tags': ['a', 'b'], getetag: '"1"'}})
  })

  it('takes precedence over the built-in one', async () => {
    const dav = new DavClient(answering('<D:getcontentlength>12</D:getcontentlength>'))
    const result = await dav.stat('a', {
      properties: ['getcontentlength'],
      decoders: {
        getcontentlength: (value: RawValue) =>
          typeof value === 'string' ? BigInt(value) : undefined,
      },
    })
    expectTypeOf(result).toEqualTypeOf<DavResult<{readonly getcontentlength?: bigint}>>()
    expect(result).toMatchObject({properties: {getcontentlength: 12n}})
  })

  it('of the client types the properties of every call', async () => {
    const dav = new DavClient({
      ...answering('<x:n>7</x:n>'),
      decoders: {'{urn:x}n': (value: RawValue) => Number(value)},
    })
    const result = await dav.stat('a', {properties: ['{urn:x}n', '{urn:x}m']})
    expectTypeOf(result).toEqualTypeOf<
      DavResult<{readonly '{urn:x}n'?: number; readonly '{urn:x}m'?: RawValue}>
    >()
    expect(result).toMatchObject({properties: {'{urn:x}n': 7}})
  })

  it('of a call is added to those of the client', async () => {
    const dav = new DavClient({
      ...answering('<x:n>7</x:n><x:m>8</x:m>'),
      decoders: {'{urn:x}n': (value: RawValue) => Number(value)},
    })
    const result = await dav.stat('a', {
      properties: ['{urn:x}n', '{urn:x}m'],
      decoders: {'{urn:x}m': (value: RawValue) => value === '8'},
    })
    expectTypeOf(result).toEqualTypeOf<
      DavResult<{readonly '{urn:x}n'?: number; readonly '{urn:x}m'?: boolean}>
    >()
    expect(result).toMatchObject({properties: {'{urn:x}n': 7, '{urn:x}m': true}})
  })

  it('may be a Standard Schema', async () => {
    const dav = new DavClient(answering('<x:n>7</x:n><x:m>seven</x:m>'))
    const result = await dav.stat('a', {
      properties: ['{urn:x}n', '{urn:x}m'],
      decoders: {'{urn:x}n': whole, '{urn:x}m': whole},
    })
    expectTypeOf(result).toEqualTypeOf<
      DavResult<{readonly '{urn:x}n'?: number; readonly '{urn:x}m'?: number}>
    >()
    expect(result).toMatchObject({
      ok: true,
      properties: {'{urn:x}n': 7},
      missing: [
        {name: '{urn:x}m', status: 0, description: expect.stringContaining('whole number')},
      ],
    })
  })

  it('that throws leaves out its own property, and no other', async () => {
    const dav = new DavClient(answering('<x:n>7</x:n><D:getetag>"1"</D:getetag>'))
    const result = await dav.stat('a', {
      properties: ['{urn:x}n', 'getetag'],
      decoders: {
        '{urn:x}n': (): never => {
          throw new Error('not today')
        },
      },
    })
    expect(result).toMatchObject({
      ok: true,
      properties: {getetag: '"1"'},
      missing: [{name: '{urn:x}n', status: 0, description: expect.stringContaining('not today')}],
    })
  })
})

describe('the values of proppatch and mkcol', () => {
  const dav = new DavClient({url})

  it('are texts, elements and lists of names, by any name', () => {
    expectTypeOf<string>().toExtend<PropertiesToSet[string]>()
    expectTypeOf<XmlElement>().toExtend<PropertiesToSet['displayname']>()
    expectTypeOf<readonly string[]>().toExtend<PropertiesToSet['{urn:x}p']>()
    expectTypeOf<number>().not.toExtend<PropertiesToSet['{urn:x}p']>()
    expectTypeOf<Date>().not.toExtend<PropertiesToSet['creationdate']>()
    // Editors propose the known names.
    expectTypeOf<'displayname'>().toExtend<keyof PropertiesToSet>()
    expectTypeOf<RawValue>().toExtend<PropertyToSet>()
  })

  it('make a result without values', () => {
    const set = (): Promise<DavResult> => dav.proppatch('a', {set: {displayname: 'A'}})
    expectTypeOf(set).returns.resolves.toEqualTypeOf<DavResult>()
    const make = (): Promise<DavResult> => dav.mkcol('a')
    expectTypeOf(make).returns.resolves.toEqualTypeOf<DavResult>()
    expectTypeOf<Parameters<DavClient['proppatch']>[1]>().not.toBeNullable()
  })
})

describe('put', () => {
  it('takes each kind of body, and resolves with a result', () => {
    expectTypeOf<DavClient['put']>().returns.resolves.toEqualTypeOf<DavResult>()
    expectTypeOf<DavClient['put']>().parameter(1).toEqualTypeOf<UploadBody>()
    for (const body of [
      'text',
      Buffer.from('text'),
      new DataView(new ArrayBuffer(2)),
      new ArrayBuffer(2),
      new Blob(['text']),
      {path: 'a.txt'},
      new ReadableStream<Uint8Array>(),
      Readable.from([Buffer.from('text')]),
      (async function* pieces() {
        yield Buffer.from('text')
      })(),
    ]) {
      expectTypeOf(body).toExtend<UploadBody>()
    }
  })

  it('does not compile with a number, with an array of bytes, or with two conditions misspelt', () => {
    expectTypeOf(5).not.toExtend<UploadBody>()
    expectTypeOf([1, 2]).not.toExtend<UploadBody>()
    expectTypeOf({file: 'a.txt'}).not.toExtend<UploadBody>()
    expectTypeOf<{ifmatch: string}>().not.toExtend<PutOptions>()
  })

  it('of many takes uploads, and neither a string nor bodies', () => {
    type Uploads = Parameters<DavClient['putMany']>[0]
    expectTypeOf<{href: string; body: string}[]>().toExtend<Uploads>()
    expectTypeOf<AsyncGenerator<Upload>>().toExtend<Uploads>()
    expectTypeOf<string>().not.toExtend<Uploads>()
    expectTypeOf<string[]>().not.toExtend<Uploads>()
    expectTypeOf<{href: string}[]>().not.toExtend<Uploads>()
  })
})

describe('a result', () => {
  it('is told apart by ok', () => {
    const inspectOne = (result: DavResult<{readonly getetag?: string}>): void => {
      if (result.ok) expectTypeOf(result).toEqualTypeOf<Success<{readonly getetag?: string}>>()
      else expectTypeOf(result).toEqualTypeOf<Failure>()
      if (isSuccess(result))
        expectTypeOf(result.properties.getetag).toEqualTypeOf<string | undefined>()
      if (isFailure(result)) expectTypeOf(result.reason).toEqualTypeOf<Failure['reason']>()
    }
    expectTypeOf(inspectOne).toBeFunction()
  })

  it('keeps its type in partition', () => {
    const dav = new DavClient({url})
    const split = () => partition(dav.propfind('', {properties: ['getetag']}))
    expectTypeOf(split)
      .returns.resolves.toHaveProperty('successes')
      .toEqualTypeOf<readonly Success<{readonly getetag?: string}>[]>()
  })

  it('has one of six reasons and one of four relations', () => {
    expectTypeOf<Failure['reason']>().toEqualTypeOf<
      'status' | 'propstat' | 'malformed' | 'member' | 'no-answer' | 'refused'
    >()
    expectTypeOf<Failure['relation']>().toEqualTypeOf<
      'self' | 'member' | 'descendant' | 'outside'
    >()
  })
})

describe('the pairs of a bulk COPY or MOVE', () => {
  const dav = new DavClient({url})

  it('are objects with from and to', () => {
    const calls = (): unknown => [
      dav.copyMany([{from: 'a', to: new URL('b', url), ifMatch: '"1"'}]),
      dav.moveMany(new Set([{from: {url: `${url}a`}, to: 'b', lockToken: 'urn:1'}])),
      // @ts-expect-error -- a string is an iterable of letters
      dav.copyMany('abc'),
      // @ts-expect-error -- a string has no destination
      dav.moveMany(['a', 'b']),
      // @ts-expect-error -- a pair has a destination
      dav.moveMany([{from: 'a'}]),
      // @ts-expect-error -- a misspelt condition would be none
      dav.moveMany([{from: 'a', to: 'b', ifMacth: '"1"'}]),
      // @ts-expect-error -- a COPY has no Depth 1
      dav.copy('a', 'b', {depth: 1}),
      // @ts-expect-error -- a MOVE has no Depth
      dav.move('a', 'b', {depth: 0}),
    ]
    expectTypeOf(calls).toBeFunction()
    const move = () => dav.move('a', 'b')
    expectTypeOf(move).returns.resolves.toEqualTypeOf<DavResult>()
    const copyMany = () => dav.copyMany([])
    expectTypeOf(copyMany).returns.toEqualTypeOf<ResultStream>()
  })
})

describe('the result of get', () => {
  it('is a Download or a Failure, told apart by ok', async () => {
    const dav = new DavClient({url, transport: async () => new Response('hello')})
    const result = await dav.get('a')
    expectTypeOf(result).toEqualTypeOf<Download | Failure>()
    expectTypeOf<Download>().toExtend<Success>()
    if (!result.ok) throw new Error('a Failure')
    expectTypeOf(result.body).toExtend<ReadableStream<Uint8Array>>()
    expectTypeOf(result.body).toExtend<AsyncIterable<Uint8Array>>()
    expectTypeOf(result.length).toEqualTypeOf<number | undefined>()
    expectTypeOf<Download['bytes']>().returns.toEqualTypeOf<Promise<Uint8Array<ArrayBuffer>>>()
    expectTypeOf<Download['text']>().returns.toEqualTypeOf<Promise<string>>()
    expect(await result.text()).toBe('hello')
  })
})

describe('a lock', () => {
  const dav = new DavClient({url})

  it('stays a Lock when it is unwrapped, and is a StoredLock too', () => {
    const take = async (): Promise<Lock> => unwrap(await dav.lock('a'))
    const lock = () => dav.lock('a')
    expectTypeOf(lock).returns.resolves.toEqualTypeOf<Lock | Failure>()
    expectTypeOf(take).returns.resolves.toExtend<Success & StoredLock & AsyncDisposable>()
    expectTypeOf<Lock['timeout']>().toEqualTypeOf<number>()
    expectTypeOf(dav.locks).toEqualTypeOf<readonly Lock[]>()
  })

  it('of anybody is typed by lockDecoders', () => {
    const result = () =>
      dav.stat('a', {properties: ['lockdiscovery', 'supportedlock'], decoders: lockDecoders})
    expectTypeOf(result).returns.resolves.toEqualTypeOf<
      DavResult<{
        readonly lockdiscovery?: readonly ActiveLock[]
        readonly supportedlock?: readonly LockEntry[]
      }>
    >()
  })
})
