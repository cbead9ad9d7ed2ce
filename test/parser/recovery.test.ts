// States that `malformed: 'skip'` loses no good response on either side of a broken one and invents none, wherever the
// broken one is cut. What tells a response inside a value from the next one is the end of the root. Not in RFC 4918.

import {MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {bytes, multistatus, propstat, read, readToError, response} from '../support/fixtures.ts'

const skip = {malformed: 'skip'} as const
const first = response('/docs/a', '<D:getetag>"1"</D:getetag>')
const last = response('/docs/c', '<D:getetag>"3"</D:getetag>')
const middle =
  '<D:response xmlns:y="urn:y"><D:href>/docs/b</D:href><D:propstat><D:prop><D:getetag>"2"</D:getetag>' +
  `<x:p a="1" b='2'>text<y:q>&lt;</y:q></x:p><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`

/** What was read of each response: its name where it is a Success, what is wrong where it is none. */
function outline(body: string, limits = {}): string {
  const {results, summary} = read(body, {...skip, limits})
  const names = results.map((result) =>
    result.ok ? result.href.replace('/docs/', '') : `(${result.href.replace('/docs/', '')})`,
  )
  return `${names.join(' ')}${summary.complete ? '' : ' …'}`
}

describe('a response that lost a part', () => {
  const cuts: string[] = []
  for (let from = 0; from < middle.length; from++) {
    for (let to = from + 1; to <= middle.length; to += to < from + 20 ? 1 : 7) {
      cuts.push(middle.slice(0, from) + middle.slice(to))
    }
    cuts.push(middle.slice(0, from))
  }

  it('costs no response on either side, and makes none', () => {
    const wrong = cuts.filter((cut) => {
      const results = read(multistatus(first, cut, last, last), skip).results
      const [begin, ...others] = results
      const ends = others.splice(-2)
      return !(
        begin?.href === '/docs/a' &&
        begin.ok &&
        ends.length === 2 &&
        ends.every((end) => end.ok && end.href === '/docs/c') &&
        others.length <= cut.split('<D:response').length - 1
      )
    })
    expect(cuts.length).toBeGreaterThan(5000)
    expect(wrong).toEqual([])
  })

  it('is read alike however the body is cut into chunks', () => {
    const sample = cuts.filter((_, index) => index % 97 === 0)
    const wrong = sample.filter((cut) => {
      const body = bytes(multistatus(first, cut, last))
      const whole = readToError(body, skip)
      const singly = readToError(
        Array.from(body, (byte) => Uint8Array.of(byte)),
        skip,
      )
      return JSON.stringify(whole) !== JSON.stringify(singly)
    })
    expect(wrong).toEqual([])
  })
})

describe('a response without its end', () => {
  const begin = '<D:response><D:href>/docs/b</D:href><D:propstat><D:prop>'
  it.each<[string, string, string]>([
    ['in the response', '<D:response><D:href>/docs/b</D:href>', 'a (b) c c …'],
    ['in a propstat', '<D:response><D:href>/docs/b</D:href><D:propstat>', 'a (b) c c …'],
    ['in DAV:prop', begin, 'a (b) c c …'],
    ['in a property', `${begin}<x:p>`, 'a (b) c c …'],
    ['in the text of a property', `${begin}<x:p>text`, 'a (b) c c …'],
    ['deep in a property', `${begin}<x:p><x:q><x:r>`, 'a (b) c c …'],
    ['in a condition', '<D:response><D:href>/docs/b</D:href><D:error><x:e>', 'a (b) c c …'],
    ['in an href', '<D:response><D:href>/docs/b', 'a (b) c c …'],
    ['in its start tag', '<D:resp', 'a c c …'],
    ['in an attribute of it', '<D:response x:a="', 'a () c c …'],
    ['in an element that is unknown', '<x:other><x:inner>', 'a c c …'],
  ])('ends where the next one begins: cut %s', (_, cut, expected) => {
    expect(outline(multistatus(first, cut, last, last))).toBe(expected)
  })

  it('may come before other faults', () => {
    expect(outline(multistatus(first, `${begin}<x:p>`, last, '& < </x>', last))).toBe('a (b) c c …')
    const twice = '<D:response><D:href>/docs/b</D:href>'
    expect(outline(multistatus(first, twice, last, '&', twice, '&', last))).toBe('a (b) c (b) c …')
  })

  it('may come again and again', () => {
    const cut = `${begin}<x:p>text`
    expect(outline(multistatus(first, cut, last, cut, cut, last, cut))).toBe(
      'a (b) c (b) (b) c (b) …',
    )
  })

  it('may come more often than elements may be nested, in a time in proportion', () => {
    const many = 5000
    const body = multistatus(...Array.from({length: many}, () => `${begin}<x:p>text${last}`))
    const {results} = read(body, {...skip, limits: {depth: 40}})
    expect(results.filter(({ok}) => ok)).toHaveLength(many)
    expect(results.filter(({ok}) => !ok)).toHaveLength(many)
  })

  it('may come with one more unknown element around each than before', () => {
    const body = multistatus(...Array.from({length: 500}, () => `<x:o>${last}`))
    const {results} = read(body, {...skip, limits: {depth: 40}})
    expect(results.map(({ok}) => ok)).toEqual(Array.from({length: 500}, () => true))
  })

  it('is told by a limit on all bytes too', () => {
    const good = Array.from({length: 20}, () => last)
    const body = multistatus(first, `${begin}<x:p>`, ...good, '<x:o>')
    const limits = {bytes: body.length - '</D:multistatus>'.length}
    const whole = readToError(body, {...skip, limits})
    expect(whole.results.map(({ok}) => ok)).toEqual([true, false, ...good.map(() => true)])
    expect(whole.error).toMatchObject({limit: 'bytes', offset: limits.bytes})
    const singly = Array.from(bytes(body), (byte) => Uint8Array.of(byte))
    expect(readToError(singly, {...skip, limits})).toEqual(whole)
    expect(readToError(body, {limits}).results).toHaveLength(1)
  })

  it('in an href takes no more of them than there may be', () => {
    const cut = '<D:response><D:href>/docs/b</D:href><D:href>/docs/c'
    for (const body of [multistatus(cut, last), multistatus('&', cut, '&', last)]) {
      expect(readToError(body, {...skip, limits: {hrefs: 2}}).error).toBeUndefined()
      expect(readToError(body, {...skip, limits: {hrefs: 1}})).toMatchObject({
        results: [],
        error: {limit: 'hrefs'},
      })
    }
  })

  it.each([{value: 300}, {elements: 20}, {response: 600}, {depth: 8}])(
    'is told by a limit too, because no value ends: %o',
    (limits) => {
      const good = Array.from({length: 20}, () => last)
      const expected = `a (b)${' c'.repeat(20)} …`
      const body = multistatus(first, `${begin}<x:p>`, ...good)
      expect(outline(body, limits)).toBe(expected)
      const parser = new MultiStatusParser({...skip, limits})
      const results = body.match(/[^]{1,50}/g)?.flatMap((chunk) => parser.write(chunk))
      expect(results?.filter(({ok}) => ok)).toHaveLength(21)
    },
  )
})

describe('a response inside a response', () => {
  const inner = response('/docs/inner', '<D:getetag>"9"</D:getetag>')
  it.each<[string, string]>([
    ['in a value', response('/docs/b', `<x:p>${inner}</x:p>`)],
    ['deep in a value', response('/docs/b', `<x:p><x:q>${inner}${inner}</x:q><x:r/></x:p>`)],
    ['as a property', response('/docs/b', inner)],
    [
      'in a propstat',
      `<D:response><D:href>/docs/b</D:href>${inner}${propstat('200', '')}</D:response>`,
    ],
    [
      'in an unknown element',
      `<D:response><D:href>/docs/b</D:href><x:o>${inner}</x:o>${propstat('200', '')}</D:response>`,
    ],
  ])('is part of it where it ends in it: %s', (_, markup) => {
    const body = multistatus(first, markup, last)
    expect(read(body, skip)).toEqual(read(body))
    expect(outline(body)).toBe('a b c')
  })

  it('is part of it where both end, whatever else is wrong in a value', () => {
    const markup = response('/docs/b', `<x:p>${inner}</x:zzz>&bad;${inner}</x:p>`)
    expect(outline(multistatus(first, markup, last))).toBe('a (b) c …')
  })

  const begin = '<D:response><D:href>/docs/b</D:href><D:propstat><D:prop>'
  const end = '</D:prop><D:status>200</D:status></D:propstat></D:response>'
  const unended = inner.replace('</D:response>', '')
  it.each<[string, string]>([
    ['an end tag behind it', `${begin}<x:p>${inner}</x:p>${end.replace('</D:propstat>', '')}`],
    ['an end tag around it', `${begin}<x:p>${inner}<x:q></x:p>${end}`],
    ['its end tag', `${begin}<x:p>${inner}</x:p>${end.replace('</D:response>', '')}`],
    ['the start tag of another property', `${begin}<x:p>${inner}</x:p>1</x:q>${end}`],
    ['a reference', `${begin}<x:p>${inner}</x:p><x:q>&</x:q>${end}`],
    ['its status, and what ends the root is', `${begin}<x:p>${inner}</x:p></D:multistatus>`],
    [
      'a reference before an unknown element',
      `<D:response>&<x:o>${inner}</x:o>${begin.slice(12)}${end}`,
    ],
    [
      'end tags of two in one another',
      `${begin}<x:p>${inner}</x:p><D:response><x:q></D:response>${end}`,
    ],
    ['its own end tag, in a value', `${begin}<x:p>${unended}</x:p>${end}`],
    ['its own end tag, as a property', begin + unended + end],
    ['its own end tag, in an unknown element', `${begin}<x:p><x:o>${unended}</x:o></x:p>${end}`],
    [
      'the start tag of what ends in it',
      `${begin}<x:p>${unended}</D:prop></D:response></x:p>${end}`,
    ],
  ])('is part of it where what is around it ends, whatever else is lost: %s', (_, markup) => {
    const {results, summary} = read(multistatus(first, markup, last, last), skip)
    expect(results.map(({href}) => href)).toEqual(['/docs/a', '/docs/b', '/docs/c', '/docs/c'])
    expect(results.map(({ok}) => ok)).toEqual([true, false, true, true])
    expect(summary.complete).toBe(false)
  })

  it('is the next one where only a second start tag of the root is around it', () => {
    const broken = '<D:response><D:href>/docs/b</D:href>&<D:multistatus>'
    expect(outline(multistatus(first, broken, last, last))).toBe('a (b) c c …')
  })

  it('is the next one where it is good and a later one holds the end tag of what it is in', () => {
    const other = `<D:response><D:href>/docs/z</D:href><D:propstat></D:prop></D:propstat></D:response>`
    expect(outline(multistatus(first, begin, last, other, last))).toBe('a (b) c (z) c …')
  })

  it('is part of it where that is read again because one before it lost its end', () => {
    const holder = response('/docs/b', `<x:p>${inner}</x:p>`)
    const cut = '<D:response><D:href>/docs/z</D:href><D:propstat><D:prop><x:p>'
    const body = multistatus(cut, ...Array.from({length: 200}, () => holder), cut, holder)
    expect(outline(body)).toBe(`(z)${' b'.repeat(200)} (z) b …`)
  })

  it('is part of it where a limit is broken behind it', () => {
    const value = response('/docs/b', `<x:p>${inner}</x:p><x:r>${'a'.repeat(500)}</x:r>`)
    const depth = `<x:o>${inner}</x:o>${'<x:o>'.repeat(20)}`
    for (const [markup, limits] of [
      [value, {value: 200}],
      [depth, {depth: 12}],
    ] as const) {
      const body = multistatus(first, markup, last)
      const strict = readToError(body, {limits})
      expect(strict.error).toMatchObject({limit: Object.keys(limits)[0]})
      expect(readToError(body, {...skip, limits})).toEqual(strict)
    }
  })

  it.each([
    ['and another one is not ended', `<x:o>${inner}</x:o><x:b>`, 'a …'],
    ['or with one in it that is not ended', `<x:o>${inner}<x:q></x:o>${last}`, 'a c …'],
  ])('in an unknown element of the root is nobody’s, where that ends %s', (_, markup, expected) => {
    expect(outline(multistatus(first, markup))).toBe(expected)
  })

  it('is the next one where it loses its end in an unknown element of the root: nobody else tells of it', () => {
    expect(outline(multistatus(first, `<x:o>${unended}</x:o>`, last))).toBe('a (inner) c …')
  })

  it('in an unknown element of the root is nobody’s', () => {
    const body = multistatus(first, `<x:o>${inner}</x:o>`, last)
    expect(outline(body)).toBe('a c')
  })
})

describe('what is wrong stays where it is', () => {
  const cut = '<D:response><D:href>/docs/b</D:href><D:propstat><D:prop><x:p>'

  it('in a byte that is no text, where it is read again', () => {
    const name = response('/docs/d', '<D:displayname>ab\u0001cd</D:displayname>')
    const href = response('/docs/e\u0001', '')
    for (const bad of [name, href]) {
      const body = bytes(multistatus(first, cut, bad, last))
      body.set([0xff], body.indexOf(1))
      const {results} = read(body, skip)
      expect(results.map(({ok}) => ok)).toEqual([true, false, false, true])
    }
  })

  it('in the start tag of a response', () => {
    const begin =
      '<e:response xmlns:e="DAV:" a=1><e:href>/docs/b</e:href><e:status>200</e:status></e:response>'
    expect(outline(multistatus(first, begin, last))).toBe('a (b) c …')
    const plain = response('/docs/b').replace('<D:response>', '<D:response a=1>')
    expect(outline(multistatus(first, plain, last))).toBe('a (b) c …')
  })

  it('in an end tag too many, which is not the one of the response before', () => {
    expect(outline(multistatus(first, cut, last, '</D:response>', last))).toBe('a (b) c c …')
    const twice = last.replace('</D:propstat>', '</D:propstat></D:propstat>')
    expect(outline(multistatus(first, cut, last, twice, last))).toBe('a (b) c (c) c …')
  })

  it('where a lost end tag hides the namespace of what follows', () => {
    const plain = last.replaceAll('D:', '')
    const lost = '<response><href>/docs/b</href><propstat><prop><x xmlns="urn:x">'
    expect(outline(`<multistatus xmlns="DAV:">${lost}${plain}${plain}</multistatus>`)).toBe(
      '(b) c c …',
    )
  })

  it('of a response with many hrefs', () => {
    const hrefs = '<D:href>/docs/b</D:href>'.repeat(200_000)
    const body = multistatus(
      `<D:response>${hrefs}<x:p><D:response/></x:p><D:status>423</D:status></D:response>`,
    )
    const parser = new MultiStatusParser({...skip, limits: {hrefs: 200_000}})
    expect(parser.write(body)).toHaveLength(200_000)
  })
})

describe('a root that ends too early', () => {
  it.each<[string, string, string]>([
    ['between responses', `${first}</D:multistatus>${last}</D:multistatus>`, 'a c …'],
    [
      'inside one',
      `${first}<D:response><D:href>/docs/b</D:href></D:multistatus>${last}</D:multistatus>`,
      'a (b) c …',
    ],
    ['and does not end again', `${first}</D:multistatus>${last}`, 'a c …'],
    ['and is followed by another one', `${first}</D:multistatus>${multistatus(last)}`, 'a c …'],
    ['and is followed by another element', `${first}</D:multistatus><x:y/>`, 'a …'],
    ['and is followed by a DOCTYPE', `${first}</D:multistatus><!DOCTYPE html>${last}`, 'a c …'],
  ])('goes on: %s', (_, markup, expected) => {
    expect(outline(`<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">${markup}`)).toBe(expected)
  })
})

describe('an answer with an HTML page in the middle', () => {
  it('goes on behind it', () => {
    const page = '<!DOCTYPE html><html><p>Warning: <b>out of memory</b><br></html>'
    expect(outline(multistatus(first, page, last))).toBe('a c …')
    expect(outline(multistatus(first, response('/docs/b', page), last))).toBe('a (b) c …')
  })
})
