// States that work and memory are bounded: each limit is an option, and the error names the one that broke.
// RFC 4918, section 20.6 (denial of service through XML).
import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {
  type Body,
  bytes,
  multistatus,
  type Options,
  propstat,
  read,
  readToError,
  response,
  url,
  verdict,
} from '../support/fixtures.ts'

type Limits = NonNullable<Options['limits']>

const first = response('/docs/first')
const long = 'a'.repeat(100)
const nested = (depth: number): string => `${'<x:p>'.repeat(depth)}${'</x:p>'.repeat(depth)}`
const body = (prop: string): string => multistatus(first, response('/docs/a', prop))

function expectBroken(markup: Body, limits: Limits, limit: keyof Limits): void {
  const {results, error} = readToError(markup, {limits})
  expect(error).toBeInstanceOf(MultiStatusError)
  expect(error).toMatchObject({
    name: 'MultiStatusError',
    reason: 'limit-exceeded',
    limit,
    message: expect.stringMatching(/./),
    offset: expect.any(Number),
  })
  expect(results.at(0)).toMatchObject({href: '/docs/first'})
}

describe('limits', () => {
  const four = '<x:p a="1" b="2" c="3" d="4"/>'
  const hrefs = multistatus(
    first,
    verdict('/docs/a', 'HTTP/1.1 423', '<D:href>/docs/b</D:href><D:href>/docs/c</D:href>'),
  )

  const manyParts = `<D:propstat/>${propstat('200', '')}<D:error><x:e/></D:error>`
  const end = '</D:response>'.length

  it.each<[limit: keyof Limits, markup: string, size: number]>([
    ['value', body(`<x:p>${long}</x:p>`), 100],
    ['value', body(`<x:p>&amp;${long}é&#x1F600;</x:p>`), 104],
    ['value', body(`<x:p><x:a>${long}</x:a></x:p>`), '<x:a></x:a>'.length + 100],
    ['value', body(`<x:p><x:a>${long}é</x:a></x:p>`), '<x:a></x:a>'.length + 102],
    ['value', body(`<x:p>é漢<x:a>${long}</x:a></x:p>`), '<x:a></x:a>'.length + 105],
    ['value', body(`<x:p><![CDATA[${long}]]></x:p>`), 100],
    ['value', body(`<x:p>${'a<!---->'.repeat(100)}</x:p>`), 100],
    ['elements', body('<x:p><x:a><x:b/></x:a><x:c/></x:p>'), 3],
    ['attributes', body(four), 4],
    ['properties', body('<x:p/><x:q/><D:getetag/>'), 3],
    [
      'properties',
      multistatus(first, `<D:response><D:href>/docs/a</D:href>${manyParts}</D:response>`),
      3,
    ],
    ['hrefs', hrefs, 3],
    ['responses', multistatus(first, response('/docs/a'), response('/docs/b')), 3],
    ['bytes', body(''), body('').length],
    ['depth', body(nested(50)), 'multistatus response propstat prop'.split(' ').length + 50],
    ['name', body(`<x:${long}/>`), 'x:'.length + 100],
    ['name', body(`<x:p ${long}="1"/>`), 100],
    ['name', body(`<x:p xmlns:y="${long}"/>`), 100],
    ['tag', body(`<x:p a="${long}"/>`), 'x:p a=""/'.length + 100],
    ['tag', body(`<?pi ${long}?>`), 'pi '.length + 100],
    ['tag', body(`<x:p></x:p${' '.repeat(100)}>`), 'x:p'.length + 100],
    [
      'response',
      body(`<x:p>${long}</x:p>`),
      response('/docs/a', `<x:p>${long}</x:p>`).length - end,
    ],
  ])('%s: the limit itself is read, one more is not (%#)', (limit, markup, size) => {
    for (const chunks of [
      [bytes(markup)],
      Array.from(bytes(markup), (byte) => Uint8Array.of(byte)),
    ]) {
      expect(read(chunks, {limits: {[limit]: size}}).summary.complete).toBe(true)
      expectBroken(chunks, {[limit]: size - 1}, limit)
      expectBroken(chunks, {[limit]: size - 0.5}, limit)
    }
  })

  it('count the properties of all propstats of one response', () => {
    const parts = propstat('HTTP/1.1 200', '<x:p/><x:q/>') + propstat('HTTP/1.1 404', '<x:r/>')
    const markup = multistatus(first, `<D:response><D:href>/docs/a</D:href>${parts}</D:response>`)
    expectBroken(markup, {properties: 2}, 'properties')
  })

  it('are counted for each response', () => {
    const markup = multistatus(
      ...['a', 'b', 'c'].map((name) => response(`/docs/${name}`, '<x:p/><x:q/>')),
    )
    expect(read(markup, {limits: {properties: 2, hrefs: 1, response: 300}}).results).toHaveLength(3)
  })

  it('of responses delivers as many as it allows', () => {
    const markup = multistatus(first, response('/docs/a'), response('/docs/b'))
    const {results, error} = readToError(markup, {limits: {responses: 2}})
    expect(results).toHaveLength(2)
    expect(error).toMatchObject({message: expect.stringContaining('after 2 complete responses')})
  })

  it.each([1, 7, 40, 1000])(
    'of a value with elements is broken at one byte, in chunks of %s',
    (size) => {
      const markup = body(`<x:p><x:a/>${'a'.repeat(90)}<x:b/>${long}</x:p>`)
      const begin = markup.indexOf('<x:a/>')
      const parser = new MultiStatusParser({limits: {value: 60}})
      for (let at = 0; at < markup.length && parser.error === undefined; at += size)
        parser.write(markup.slice(at, at + size))
      expect(parser.error).toMatchObject({limit: 'value', offset: begin + 60})
    },
  )

  it.each([1, 7, 40, 1000])(
    'of text before the first element of a value is broken at that element, in chunks of %s',
    (size) => {
      const markup = body(`<x:p>${'&amp;é'.repeat(9)}<x:a/></x:p>`)
      const parser = new MultiStatusParser({limits: {value: 20}})
      const all = bytes(markup)
      for (let at = 0; at < all.length && parser.error === undefined; at += size)
        parser.write(all.subarray(at, at + size))
      const offset = bytes(markup.slice(0, markup.indexOf('<x:a/>'))).length
      expect(parser.error).toMatchObject({limit: 'value', offset})
    },
  )

  it('of bytes counts bytes, not characters', () => {
    const markup = multistatus(response('/docs/é漢😀'))
    expect(read(markup, {limits: {bytes: bytes(markup).length}}).results).toHaveLength(1)
    expect(readToError(markup, {limits: {bytes: markup.length}}).error).toMatchObject({
      limit: 'bytes',
    })
  })
})

describe('markup without end', () => {
  const open = `<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">${first}`
  const prop = `${open}<D:response><D:href>/docs/a</D:href><D:propstat><D:prop>`

  it.each<[string, string, string, keyof Limits]>([
    ['a value', `${prop}<x:p>`, 'a', 'value'],
    ['a value of references', `${prop}<x:p>`, '&amp;', 'value'],
    ['a value of elements', `${prop}<x:p>`, '<x:a/>', 'value'],
    ['CDATA', `${prop}<x:p><![CDATA[`, 'a', 'value'],
    ['a start tag', `${prop}<x:p a="`, 'a', 'tag'],
    ['nesting', prop, '<x:p>', 'depth'],
    ['a response', `${open}<D:response>`, '<x:p/>', 'response'],
    ['a list of properties', prop, '<x:p/>', 'properties'],
    ['a list of hrefs', `${open}<D:response>`, '<D:href>/docs/a</D:href>', 'hrefs'],
  ])('is stopped while it comes: %s', (_, head, again, limit) => {
    const parser = new MultiStatusParser({url, limits: {[limit]: 1000}})
    expect(parser.write(bytes(head))).toMatchObject([{href: '/docs/first'}])
    const more = bytes(again.repeat(Math.ceil(100 / again.length)))
    expect(() => {
      for (let times = 0; times < 1000; times++) parser.write(more)
    }).toThrow(expect.objectContaining({reason: 'limit-exceeded', limit}))
  })

  it('is stopped by default', () => {
    const parser = new MultiStatusParser({url})
    parser.write(bytes(`${prop}<x:p>`))
    const megabyte = new Uint8Array(1_000_000).fill(0x61)
    expect(() => {
      for (let times = 0; times < 200; times++) parser.write(megabyte)
    }).toThrow(expect.objectContaining({reason: 'limit-exceeded'}))
  })
})

describe('the defaults', () => {
  it('read 20,000 responses', () => {
    const parser = new MultiStatusParser({url})
    let count = parser.write(bytes('<D:multistatus xmlns:D="DAV:">')).length
    const thousand = bytes(response('/docs/a', '<D:getetag>&quot;1&quot;</D:getetag>').repeat(1000))
    for (let times = 0; times < 20; times++) count += parser.write(thousand).length
    parser.write(bytes('</D:multistatus>'))
    expect([count, parser.end().successes]).toEqual([20_000, 20_000])
  })

  it('read elements nested 200 deep and a hundred properties', () => {
    const many = Array.from({length: 100}, (_, index) => `<x:p${index}/>`).join('')
    expect(read(body(nested(200) + many)).summary.successes).toBe(2)
  })

  it('can be raised to read 10 MB in one value', () => {
    const limits = {value: 11_000_000, response: 12_000_000}
    const text = 'a'.repeat(10_000_000)
    const [, result] = read(body(`<x:p>${text}</x:p>`), {limits}).results
    expect(result?.ok === true && result.properties['{urn:x}p'] === text).toBe(true)
  })
})

describe('an option that makes no sense', () => {
  it.each([-1, Number.NaN])('is a RangeError: a limit of %s', (value) => {
    expect(() => new MultiStatusParser({limits: {value}})).toThrow(RangeError)
  })

  it('is a TypeError: an invalid request URL', () => {
    expect(() => new MultiStatusParser({url: '/docs/'})).toThrow(TypeError)
  })

  it('is a TypeError: another word for malformed', () => {
    const options: object = {malformed: 'ignore'}
    expect(() => new MultiStatusParser(options)).toThrow(TypeError)
  })

  it('is not Infinity, which lifts a limit', () => {
    expect(
      read(body(''), {
        limits: {value: Number.POSITIVE_INFINITY, response: Number.POSITIVE_INFINITY},
      }).results,
    ).toHaveLength(2)
  })
})
