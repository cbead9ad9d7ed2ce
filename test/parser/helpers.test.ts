// States the result helpers, the options that need no file of their own, and the error classes.
// RFC 4918, section 11; RFC 9110, sections 10.2.3 and 15.6.4; Standard Schema 1.
import {
  childrenOf,
  DavError,
  DavFailureError,
  type DavResult,
  type Failure,
  hrefsOf,
  isFailure,
  isRetryable,
  isSuccess,
  MultiStatusError,
  partition,
  type PropertyValue,
  type Success,
  textOf,
  unwrap,
} from 'multistatus/parser'
import {describe, expect, expectTypeOf, it} from 'vitest'
import {
  found,
  generate,
  multistatus,
  read,
  readToError,
  response,
  verdict,
} from '../support/fixtures.ts'

const {results} = read(
  multistatus(response('/docs/a'), verdict('/docs/b', 'HTTP/1.1 423'), response('/docs/c')),
)

describe('result helpers', () => {
  it('tell successes from failures', () => {
    expect(results.map(isSuccess)).toEqual([true, false, true])
    expect(results.map(isFailure)).toEqual([false, true, false])
  })

  it('partition an iterable in its order', () => {
    expect(partition(new Set(results))).toEqual({
      successes: [results[0], results[2]],
      failures: [results[1]],
    })
  })

  it('partition an async iterable in its order', async () => {
    expect(await partition(generate(results))).toEqual({
      successes: [results[0], results[2]],
      failures: [results[1]],
    })
  })

  it.each<[boolean, Partial<Failure>]>([
    [true, {status: 408, reason: 'status'}],
    [true, {status: 429, reason: 'status'}],
    [true, {status: 509, reason: 'status'}],
    [true, {status: 503, reason: 'status'}],
    [true, {status: 0, reason: 'no-answer'}],
    [false, {status: 403, reason: 'status'}],
    [false, {status: 404, reason: 'propstat'}],
    [false, {status: 0, reason: 'malformed'}],
  ])('say %s to another attempt after %o', (retryable, fields) => {
    const failure: Failure = {
      ok: false,
      href: '/docs/a',
      url: 'https://dav.example/docs/a',
      relation: 'member',
      status: 0,
      reason: 'status',
      conditions: [],
      missing: [],
      ...fields,
    }
    expect(isRetryable(failure)).toBe(retryable)
  })
})

describe('unwrap', () => {
  const [success, failure] = results

  it('gives the Success itself', () => {
    expect(success && unwrap(success)).toBe(success)
  })

  it('throws a DavFailureError with the Failure', () => {
    let thrown: unknown
    try {
      if (failure) unwrap(failure)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(DavFailureError)
    expect(thrown).toMatchObject({name: 'DavFailureError', url: failure?.url})
    expect(thrown instanceof DavFailureError && thrown.failure).toBe(failure)
  })

  it('narrows the type to the Success', () => {
    interface Props {
      readonly getetag?: string
    }
    expectTypeOf((result: DavResult<Props>) => unwrap(result)).returns.toEqualTypeOf<
      Success<Props>
    >()
  })
})

describe('parts of a value', () => {
  const locks =
    '<D:activelock><D:locktype><D:write/></D:locktype><D:owner> Ana &amp; <x:b>Bo</x:b>\n</D:owner>' +
    '<D:lockroot><D:href> /docs/a </D:href></D:lockroot></D:activelock><D:activelock/><x:activelock/>'
  const prop =
    `<D:lockdiscovery>${locks}</D:lockdiscovery><x:text> 1e3 </x:text><x:empty/>` +
    '<D:current-user-principal><D:href>\n/principals/ana/\n</D:href></D:current-user-principal>' +
    '<D:group-member-set><D:href>/p/a</D:href><x:href>/p/x</x:href><D:href>/p/b</D:href><D:href/></D:group-member-set>' +
    '<D:getcontentlength>5</D:getcontentlength>'
  const {properties} = found(prop)
  const lockdiscovery = properties['lockdiscovery']
  const others: readonly (readonly [string, PropertyValue | undefined])[] = [
    ['a number', properties['getcontentlength']],
    ['a date', new Date(0)],
    ['a list', ['collection']],
    ['no value', undefined],
  ]

  it('textOf gives a text as it is', () => {
    expect(textOf(properties['{urn:x}text'])).toBe(' 1e3 ')
    expect(textOf(properties['{urn:x}empty'])).toBe('')
  })

  it('textOf gives the text in an element and below it, in order', () => {
    const [owner] = childrenOf(lockdiscovery, 'activelock').flatMap((lock) =>
      childrenOf(lock, 'owner'),
    )
    expect(textOf(owner)).toBe(' Ana & Bo\n')
  })

  it('childrenOf gives the child elements in order, and none below them', () => {
    expect(childrenOf(lockdiscovery).map(({name}) => name)).toEqual([
      'activelock',
      'activelock',
      '{urn:x}activelock',
    ])
  })

  it.each([
    ['activelock', 2],
    ['{DAV:}activelock', 2],
    ['{urn:x}activelock', 1],
    ['{}activelock', 0],
    ['locktype', 0],
  ])('childrenOf with the name %s gives %d', (name, count) => {
    expect(childrenOf(lockdiscovery, name)).toHaveLength(count)
  })

  it('hrefsOf gives the trimmed texts of the DAV:href children', () => {
    expect(hrefsOf(properties['current-user-principal'])).toEqual(['/principals/ana/'])
    expect(hrefsOf(properties['group-member-set'])).toEqual(['/p/a', '/p/b', ''])
    expect(hrefsOf(lockdiscovery)).toEqual([])
  })

  it.each(others)('%s has no text, no children and no hrefs', (_, value) => {
    expect(textOf(value)).toBeUndefined()
    expect(childrenOf(value)).toEqual([])
    expect(hrefsOf(value)).toEqual([])
  })

  it('of a text are no children and no hrefs', () => {
    expect(childrenOf('<a/>')).toEqual([])
    expect(hrefsOf('/docs/')).toEqual([])
  })
})

describe('decoders', () => {
  const prop =
    '<x:id>00042</x:id><x:tags><x:tag>a</x:tag><x:tag>b</x:tag></x:tags><D:getetag>"1"</D:getetag>'

  it('give their property its value', () => {
    const decoders = {
      '{urn:x}id': (value: unknown) => Number(value),
      getetag: (value: unknown) => String(value).slice(1, -1),
    }
    expect(found(prop, {decoders}).properties).toMatchObject({'{urn:x}id': 42, getetag: '1'})
  })

  it('are given a value with child elements as an XmlElement', () => {
    const decoders = {'{urn:x}tags': (value: unknown) => JSON.stringify(value)}
    expect(found(prop, {decoders}).properties['{urn:x}tags']).toBe(
      JSON.stringify({
        name: '{urn:x}tags',
        attributes: {},
        children: ['a', 'b'].map((tag) => ({name: '{urn:x}tag', attributes: {}, children: [tag]})),
      }),
    )
  })

  it('name properties that they cannot decode in missing', () => {
    const decoders = {
      '{urn:x}id': () => {
        throw new Error('no number')
      },
      getetag: () => undefined,
    }
    const {properties, missing} = found(prop, {decoders})
    expect(Object.keys(properties)).toEqual(['{urn:x}tags'])
    expect(missing).toMatchObject([
      {name: '{urn:x}id', status: 0, conditions: []},
      {name: 'getetag', status: 0, conditions: []},
    ])
  })

  it('may be Standard Schemas', () => {
    const schema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) =>
          value === '00042' ? {value: 42} : {issues: [{message: 'not the one'}]},
      },
    } as const
    const {properties, missing} = found(prop, {decoders: {'{urn:x}id': schema, getetag: schema}})
    expect(properties).toMatchObject({'{urn:x}id': 42})
    expect(Object.hasOwn(properties, 'getetag')).toBe(false)
    expect(missing).toMatchObject([
      {name: 'getetag', status: 0, description: expect.stringContaining('not the one')},
    ])
  })
})

describe('MultiStatusError', () => {
  it('is a DavError and an Error with its facts as fields', () => {
    const {error} = readToError('<D:multistatus xmlns:D="DAV:">')
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(error).toBeInstanceOf(DavError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated', offset: 30})
  })

  it('names the request', () => {
    const {error} = readToError('<html/>', {method: 'DELETE'})
    expect(error).toMatchObject({
      message: expect.stringContaining('DELETE https://dav.example/docs/'),
    })
  })

  it('never carries a credential', () => {
    const {error} = readToError('<html/>', {
      url: 'https://ana:hunter2@dav.example/docs/',
      method: 'PROPFIND',
    })
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('hunter2')
  })
})
