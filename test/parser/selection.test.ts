// States the results that members and collections pass on. A reader that stops also stops their source.
// RFC 4918, sections 9.1 and 15.9.

import {
  collections,
  type DavResult,
  type Failure,
  isCollection,
  members,
  type ResultStream,
  type Success,
} from 'multistatus'
import {parseMultiStatus} from 'multistatus/parser'
import {describe, expect, expectTypeOf, it} from 'vitest'

import {
  bytes,
  drain,
  found,
  generate,
  multistatus,
  propstat,
  read,
  response,
  stream,
  url,
  verdict,
} from '../support/fixtures.ts'

const folder = '<D:resourcetype><D:collection/></D:resourcetype>'
const plain = '<D:resourcetype/>'
const body = multistatus(
  response('/docs/', folder),
  response('/docs/sub/', folder),
  response('/docs/sub/deep', folder),
  response('/docs/a.txt', plain),
  verdict('/docs/locked/', 'HTTP/1.1 423'),
  '<D:response><D:href>/docs/odd/</D:href></D:response>',
  '<D:response><D:status>HTTP/1.1 404</D:status></D:response>',
  response('/elsewhere/', folder),
)
const {results} = read(body)

async function hrefs(source: AsyncIterable<DavResult<unknown>>): Promise<string[]> {
  const {items, error} = await drain(source)
  expect(error).toBeUndefined()
  return items.map(({href}) => href)
}

describe('isCollection', () => {
  const unknown = '<D:resourcetype><collection/></D:resourcetype>'
  it.each([
    ['with the type', '/docs/sub', folder, true],
    ['with the type among others', '/docs/sub', folder.replace('<D:coll', '<x:a/><D:coll'), true],
    ['with an empty type', '/docs/a/', plain, false],
    ['of a principal', '/docs/a', '<D:resourcetype><D:principal/></D:resourcetype>', false],
    ['with an unknown type alone', '/docs/sub/', unknown, undefined],
    ['without a type, with a slash', '/docs/sub/', '<D:getetag>"1"</D:getetag>', undefined],
    ['without a type or a slash', '/docs/sub', '<D:getetag>"1"</D:getetag>', undefined],
  ])('of a result %s: %s', (_, href, prop, expected) => {
    const [result] = read(multistatus(response(href, prop))).results
    expect(result && isCollection(result)).toBe(expected)
  })

  it('of a Failure is undefined', () => {
    expect(results.filter(({ok}) => !ok).map((result) => isCollection(result))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('members', () => {
  it('leave out the collection itself and keep all others in order, with failures and results outside', async () => {
    expect(await hrefs(members(results))).toEqual([
      '/docs/sub/',
      '/docs/sub/deep',
      '/docs/a.txt',
      '/docs/locked/',
      '/docs/odd/',
      '',
      '/elsewhere/',
    ])
  })

  it('are the results themselves', async () => {
    const {items} = await drain(members(results))
    expect(items.every((item, index) => item === results[index + 1])).toBe(true)
  })

  it('keep a failure of the collection itself, which nothing else reports', async () => {
    const listing = parseMultiStatus(
      multistatus(verdict('/docs/', 'HTTP/1.1 507'), response('/docs/a')),
      {url},
    )
    expect(await hrefs(members(listing))).toEqual(['/docs/', '/docs/a'])
    expect((await listing.summary).incomplete).toEqual([
      {href: url, reason: 'storage', status: 507},
    ])
  })

  it('are none if there are no results', async () => {
    expect(await hrefs(members([]))).toEqual([])
    expect(await hrefs(members(generate([])))).toEqual([])
  })
})

describe('collections', () => {
  it('are the successes with that resourcetype, the one that was listed too', async () => {
    expect(await hrefs(collections(results))).toEqual([
      '/docs/',
      '/docs/sub/',
      '/docs/sub/deep',
      '/elsewhere/',
    ])
  })

  it.each([
    ['/docs/a', '<D:resourcetype><x:calendar/><D:collection/></D:resourcetype>', true],
    ['/docs/a/', '<D:resourcetype><x:collection/></D:resourcetype>', true],
    ['/docs/a', '<D:resourcetype><x:collection/></D:resourcetype>', false],
    ['/docs/a/', '<D:resourcetype><D:principal/></D:resourcetype>', false],
    ['/docs/a/', '<D:resourcetype/>', false],
    ['/docs/a/', '', true],
    ['/docs/a', '', false],
    ['/docs/a/', '<D:resourcetype>collection</D:resourcetype>', true],
    ['/docs/a', '<D:resourcetype>collection</D:resourcetype>', false],
  ])('of %s with the properties %j: %s', async (href, prop, isOne) => {
    const {results: given} = read(multistatus(response(href, prop)))
    expect(await hrefs(collections(given))).toEqual(isOne ? [href] : [])
  })

  it('go by the slash if the resourcetype was refused or there are no properties', async () => {
    const refused = `<D:response><D:href>/docs/b/</D:href>${propstat('HTTP/1.1 200', '<D:getetag/>')}${propstat('HTTP/1.1 404', plain)}</D:response>`
    const {results: given} = read(multistatus(refused, verdict('/docs/c/', 'HTTP/1.1 204')))
    expect(await hrefs(collections(given))).toEqual(['/docs/b/', '/docs/c/'])
  })

  it('go by the slash if a decoder changed the resourcetype', async () => {
    const given = found(folder, {decoders: {resourcetype: () => 'folder'}})
    expect(await hrefs(collections([given, {...given, url: `${given.url}/`}]))).toHaveLength(1)
  })

  it('of members are without the one that was listed', async () => {
    const listing = parseMultiStatus(body, {url})
    expect(await hrefs(collections(members(listing)))).toEqual([
      '/docs/sub/',
      '/docs/sub/deep',
      '/elsewhere/',
    ])
  })
})

type Given = Iterable<DavResult> | AsyncIterable<DavResult>

describe.each<[string, (given: Given) => AsyncIterable<DavResult>]>([
  ['members', members],
  ['collections', collections],
])('%s', (_, select) => {
  const asked = (given: Given): AsyncIterator<DavResult> => select(given)[Symbol.asyncIterator]()

  /** A source that records its calls. */
  function watched(given: readonly DavResult[], isAsync: boolean) {
    const calls: string[] = []
    const left = [...given]
    const next = (): IteratorResult<DavResult, undefined> => {
      calls.push('next')
      const value = left.shift()
      return value === undefined ? {value, done: true} : {value, done: false}
    }
    const end = (): IteratorResult<DavResult, undefined> => {
      calls.push('return')
      return {value: undefined, done: true}
    }
    const source: Given = isAsync
      ? {[Symbol.asyncIterator]: () => ({next: async () => next(), return: async () => end()})}
      : {[Symbol.iterator]: () => ({next, return: end})}
    return {calls, source}
  }

  it.each([true, false])('end their source with a break (asynchronous: %s)', async (isAsync) => {
    const {calls, source} = watched(results.slice(1), isAsync)
    for await (const result of select(source)) {
      expect(result.href).toBe('/docs/sub/')
      break
    }
    expect(calls).toEqual(['next', 'return'])
  })

  it.each([true, false])(
    'do not end a source that has ended (asynchronous: %s)',
    async (isAsync) => {
      const {calls, source} = watched(results.slice(1, 3), isAsync)
      expect(await hrefs(select(source))).toEqual(['/docs/sub/', '/docs/sub/deep'])
      expect(calls).toEqual(['next', 'next', 'next'])
    },
  )

  it('ask their source for nothing before they are read', async () => {
    const {calls, source} = watched(results, true)
    const iterator = asked(source)
    expect(calls).toEqual([])
    await iterator.return?.()
    expect(calls).toEqual(['return'])
    expect(await iterator.next()).toEqual({value: undefined, done: true})
    expect(calls).toEqual(['return'])
  })

  it('cancel the body of a stream with a break', async () => {
    const {promise, resolve} = Promise.withResolvers<unknown>()
    const [head = '', ...rest] = body.split('<D:response><D:href>/docs/a.txt')
    const source = stream([bytes(head), bytes(rest.join(''))], resolve)
    const listing = parseMultiStatus(source, {url})
    for await (const result of select(listing)) {
      expect(result.ok).toBe(true)
      break
    }
    await promise
    expect(await listing.summary).toMatchObject({
      complete: false,
      incomplete: [{href: url, reason: 'stopped'}],
    })
  })

  it('end a stream that waits for its server', async () => {
    const {promise, resolve} = Promise.withResolvers<void>()
    const listing = parseMultiStatus(
      new ReadableStream<Uint8Array>({
        cancel: () => resolve(),
      }),
      {url},
    )
    const iterator = asked(listing)
    const waiting = iterator.next()
    await new Promise((done) => setTimeout(done, 5))
    await iterator.return?.()
    await promise
    expect(await waiting).toEqual({value: undefined, done: true})
  })

  it('give the results before an error, and then the error', async () => {
    const listing = parseMultiStatus(body.slice(0, -1), {url})
    const {items, error} = await drain(select(listing))
    expect(items).toContainEqual(results[2])
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
  })

  it('give the error of a synchronous source', async () => {
    const failing = function* (): Generator<DavResult> {
      yield* results.slice(1, 2)
      throw new Error('no more')
    }
    const {items, error} = await drain(select(failing()))
    expect(items).toEqual([results[1]])
    expect(error).toEqual(new Error('no more'))
  })

  it('answer calls in their order, though one waits', async () => {
    const given = [...results.slice(0, 2), ...results.slice(6)]
    const expected = await hrefs(select(given))
    const iterator = asked(generate(given))
    const answers = await Promise.all([...expected, ''].map(() => iterator.next()))
    expect(answers.map(({value, done}) => (done === true ? 'done' : value.href))).toEqual([
      ...expected,
      'done',
    ])
  })

  it('give nothing after they were ended', async () => {
    const {promise, resolve} = Promise.withResolvers<IteratorResult<DavResult>>()
    const iterator = asked({[Symbol.asyncIterator]: () => ({next: () => promise})})
    const waiting = iterator.next()
    await new Promise((done) => setTimeout(done, 5))
    await iterator.return?.()
    resolve({value: found(folder), done: false})
    expect(await waiting).toEqual({value: undefined, done: true})
  })

  it('read a stream once, and a list as often as they are asked to', async () => {
    const listing = select(parseMultiStatus(body, {url}))
    await hrefs(listing)
    expect((await drain(listing)).error).toBeInstanceOf(TypeError)
    const list = select(results)
    expect(await hrefs(list)).toEqual(await hrefs(list))
  })
})

describe('the types', () => {
  interface Props {
    readonly getetag?: string
  }

  it('of the properties are those of the source', () => {
    const given = (listing: ResultStream<Props>) => ({
      members: members(listing),
      collections: collections(listing),
      both: collections(members(listing)),
      reversed: members(collections(listing)),
    })
    expectTypeOf(given).returns.toEqualTypeOf<{
      members: ResultStream<Props>
      collections: ResultStream<Props, Success<Props>>
      both: ResultStream<Props, Success<Props>>
      reversed: ResultStream<Props, Success<Props>>
    }>()
    expectTypeOf(members(results)).toEqualTypeOf<AsyncIterable<DavResult>>()
    expectTypeOf(members<Failure>).returns.toEqualTypeOf<AsyncIterable<Failure>>()
  })
})
