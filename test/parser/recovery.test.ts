// States that `malformed: 'skip'` goes on at the next start tag of a response behind a fault. All good responses before the fault
// and behind that tag arrive, and nothing is read twice. Not in RFC 4918.

import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {bytes, multistatus, propstat, read, readToError, response} from '../support/fixtures.ts'

const skip = {malformed: 'skip'} as const
const first = response('/docs/a', '<D:getetag>"1"</D:getetag>')
const last = response('/docs/c', '<D:getetag>"3"</D:getetag>')
const middle =
  '<D:response xmlns:y="urn:y"><D:href>/docs/b</D:href><D:propstat><D:prop><D:getetag>"2"</D:getetag>' +
  `<x:p a="1" b='2'>text<y:q>&lt;</y:q></x:p><D:resourcetype/></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`

function offsetOf(error: unknown): number {
  return error instanceof MultiStatusError ? error.offset : 0
}

/** Names the responses that were read: Failures in parentheses, and an ellipsis for an incomplete body. */
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

  it('costs no response before or behind the fault, and invents none', () => {
    const wrong = cuts.filter((cut) => {
      const body = multistatus(first, cut, last, last)
      const {results} = read(body, skip)
      const fault = offsetOf(readToError(body).error)
      const behind = Array.from(body.matchAll(/<D:response>/g), ({index}) => index)
        .slice(-2)
        .filter((index) => index >= fault)
      const [begin, ...others] = results
      const ends = others.splice(others.length - behind.length)
      return !(
        begin?.href === '/docs/a' &&
        begin.ok &&
        ends.length === behind.length &&
        ends.every((end) => end.ok && end.href === '/docs/c') &&
        others.length <= cut.split('<D:response').length - 1 + 2 - behind.length
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
  it.each<[string, string]>([
    ['in the response', '<D:response><D:href>/docs/b</D:href>'],
    ['in a propstat', '<D:response><D:href>/docs/b</D:href><D:propstat>'],
    ['in DAV:prop', begin],
    ['in a property', `${begin}<x:p>`],
    ['in the text of a property', `${begin}<x:p>text`],
    ['deep in a property', `${begin}<x:p><x:q><x:r>`],
    ['in a condition', '<D:response><D:href>/docs/b</D:href><D:error><x:e>'],
    ['in an href', '<D:response><D:href>/docs/b'],
  ])('has a fault only if another end tag shows it: cut %s', (_, cut) => {
    // The root's end tag shows it here.
    expect(outline(multistatus(first, cut, last))).toBe('a (b) …')
    expect(outline(multistatus(first, cut, last, '</x:z>', last))).toBe('a (b) c …')
    expect(outline(multistatus(first, cut, '</x:z>', last, last))).toBe('a (b) c c …')
  })

  it.each<[string, string, string]>([
    ['in its start tag', '<D:resp', 'a c c …'],
    ['in an attribute of it', '<D:response x:a="', 'a () c c …'],
    ['in an end tag of it', `${begin}</D:pr`, 'a (b) c c …'],
    ['behind an end tag that is lost', `${begin}<x:p></D:prop>`, 'a (b) c c …'],
  ])('ends where the next one begins: cut %s', (_, cut, expected) => {
    expect(outline(multistatus(first, cut, last, last))).toBe(expected)
  })

  it('is the next one if the one around it has no href yet, behind a fault', () => {
    expect(
      outline(multistatus(`${last.slice(0, -'D:response>'.length)}<D:response>`, last, last)),
    ).toBe('(c) () c c …')
    expect(outline(multistatus('&', '<D:response>', last, last))).toBe('() c c …')
  })

  it('has the href as far as it was read, and no resource without its end', () => {
    const whole = read(multistatus(first, `${begin}<x:p>&`, last), skip).results
    expect(whole.at(1)).toMatchObject({href: '/docs/b', relation: 'member', reason: 'malformed'})
    const open = read(multistatus(first, '<D:response><D:href>/docs/b&', last), skip).results
    expect(open.at(1)).toMatchObject({href: '/docs/b&', relation: 'outside', reason: 'malformed'})
    expect(open.at(2)).toMatchObject({href: '/docs/c', ok: true})
  })

  it('may be an unknown element of the root', () => {
    expect(outline(multistatus(first, '<x:other><x:inner>', last, last))).toBe('a …')
    expect(outline(multistatus(first, '<x:other><x:inner>&', last, last))).toBe('a c c …')
  })

  it('may come before other faults', () => {
    expect(outline(multistatus(first, `${begin}<x:p>`, '& < </x>', last, last))).toBe('a (b) c c …')
    const twice = '<D:response><D:href>/docs/b</D:href>'
    expect(outline(multistatus(first, twice, '&', last, twice, '&', last))).toBe('a (b) c (b) c …')
  })

  it('may come more often than the limit of nesting', () => {
    const many = 5000
    const body = multistatus(...Array.from({length: many}, () => `${begin}<x:p>&${last}`))
    const {results} = read(body, {...skip, limits: {depth: 40}})
    expect(results.filter(({ok}) => ok)).toHaveLength(many)
    expect(results.filter(({ok}) => !ok)).toHaveLength(many)
  })

  it('in an href obeys the limit of hrefs', () => {
    const cut = '<D:response><D:href>/docs/b</D:href><D:href>/docs/c'
    for (const body of [multistatus(cut, '&', last), multistatus('&', cut, '&', last)]) {
      expect(readToError(body, {...skip, limits: {hrefs: 2}}).error).toBeUndefined()
      expect(readToError(body, {...skip, limits: {hrefs: 1}})).toMatchObject({
        results: [],
        error: {limit: 'hrefs'},
      })
    }
  })

  it.each([{value: 300}, {elements: 20}, {response: 600}, {depth: 8}, {bytes: 3000}])(
    'ends the reading where a limit is broken before the fault shows: %o',
    (limits) => {
      const body = multistatus(first, `${begin}<x:p>${'<x:o>'.repeat(4)}`, ...Array(20).fill(last))
      const whole = readToError(body, {...skip, limits})
      expect(whole.results).toMatchObject([{href: '/docs/a', ok: true}])
      expect(whole.error).toMatchObject({reason: 'limit-exceeded', limit: Object.keys(limits)[0]})
      const chunks = Array.from(bytes(body), (byte) => Uint8Array.of(byte))
      expect(readToError(chunks, {...skip, limits}).results).toEqual(whole.results)
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
  ])('is part of it without a fault: %s', (_, markup) => {
    const body = multistatus(first, markup, last)
    expect(read(body, skip)).toEqual(read(body))
    expect(outline(body)).toBe('a b c')
  })

  it('is part of it before a fault, and the next response behind one', () => {
    const before = response('/docs/b', `<x:p>${inner}</x:p><x:q>&</x:q>`)
    expect(outline(multistatus(first, before, last))).toBe('a (b) c …')
    const behind = response('/docs/b', `<x:p>&${inner}</x:p>`)
    expect(outline(multistatus(first, behind, last))).toBe('a (b) inner c …')
  })

  it('is the next response if only a second start tag of the root is around it', () => {
    const broken = '<D:response><D:href>/docs/b</D:href>&<D:multistatus>'
    expect(outline(multistatus(first, broken, last, last))).toBe('a (b) c c …')
  })

  it('in another namespace is an extension, also behind a fault', () => {
    const other = inner.replaceAll('D:response', 'x:response')
    expect(outline(multistatus(first, response('/docs/b', `<x:p>&${other}</x:p>`), last))).toBe(
      'a (b) c …',
    )
    const bound = '<D:response xmlns:D="urn:other"><D:href>/docs/z</D:href></D:response>'
    expect(outline(multistatus(first, response('/docs/b', `<x:p>&${bound}</x:p>`), last))).toBe(
      'a (b) c …',
    )
  })

  it('breaks the same limits as without recovery', () => {
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

  it('in an unknown element of the root is ignored, even behind a broken response that has ended', () => {
    const unknown = `<x:o>${inner}</x:o>`
    expect(outline(multistatus(first, unknown, last))).toBe('a c')
    expect(outline(multistatus(response('/docs/b', '&'), unknown, last))).toBe('(b) c …')
  })
})

describe('a fault stays in its response', () => {
  const cut = '<D:response><D:href>/docs/b</D:href><D:propstat><D:prop><x:p>&'

  it('in a byte that is no text', () => {
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
    expect(outline(multistatus(first, cut, plain, last))).toBe('a (b) (b) c …')
  })

  it('in an extra end tag, which does not belong to the response before', () => {
    expect(outline(multistatus(first, cut, last, '</D:response>', last))).toBe('a (b) c c …')
    const twice = last.replace('</D:propstat>', '</D:propstat></D:propstat>')
    expect(outline(multistatus(first, cut, last, twice, last))).toBe('a (b) c (c) c …')
  })

  it('if a lost end tag hides the namespace of the next one', () => {
    const plain = last.replaceAll('D:', '')
    const lost = '<response><href>/docs/b</href><propstat><prop><x xmlns="urn:x">&'
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
