// States that under `malformed: 'skip'` a broken response is a Failure in its place, and the others arrive.
// Not in RFC 4918, which asks to stop: real servers send one odd name in a good listing.
import {MultiStatusError} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {
  bytes,
  bytesOf,
  fixtures,
  multistatus,
  read,
  readToError,
  response,
  verdict,
} from '../support/fixtures.ts'

const skip = {malformed: 'skip'} as const
const first = response('/docs/a', '<D:getetag>"1"</D:getetag>')
const last = response('/docs/c', '<D:getetag>"3"</D:getetag>')
const broken = {
  ok: false,
  href: '/docs/b',
  url: 'https://dav.example/docs/b',
  relation: 'member',
  status: 0,
  reason: 'malformed',
  conditions: [],
  missing: [],
  description: expect.stringMatching(/./),
}
const ok = (name: string, etag: string): object => ({
  ok: true,
  href: `/docs/${name}`,
  url: `https://dav.example/docs/${name}`,
  relation: 'member',
  status: 200,
  properties: {getetag: etag},
  missing: [],
})

/** The bytes of a text in which ÿ stands for a byte that is not UTF-8. */
function latin1(text: string): Uint8Array {
  return new Uint8Array(
    [...text].flatMap((character) => (character === 'ÿ' ? [0xe9] : [...bytes(character)])),
  )
}

const faults: readonly (readonly [string, string])[] = [
  ['a raw control character', '<D:displayname>b\u0001</D:displayname>'],
  ['a reference to a control character', '<D:displayname>b&#x1;</D:displayname>'],
  ['U+FFFE', '<D:displayname>b\uFFFE</D:displayname>'],
  ['a Latin-1 byte', '<D:displayname>caf\u00FF</D:displayname>'],
  ['a bare &', '<D:displayname>a & b</D:displayname>'],
  ['an undeclared entity', '<D:displayname>&copy;</D:displayname>'],
  ['one of 64 bytes', `<D:displayname>&${'é'.repeat(31)};</D:displayname>`],
  ['one of 66 bytes', `<D:displayname>&${'é'.repeat(32)};</D:displayname>`],
  [']]>', '<D:displayname>]]></D:displayname>'],
  ['an unescaped <', '<D:displayname>a < b</D:displayname>'],
  ['an unclosed element', '<D:displayname>b'],
  ['a mismatched end tag', '<x:p><x:q></x:p></x:q>'],
  ['an unquoted attribute', '<x:p a=1/>'],
  ['a duplicate attribute', '<x:p a="1" a="2"/>'],
  ['a control character in a value with elements', '<x:p><x:q>\u0001</x:q></x:p>'],
  ['an unclosed element in a value', '<x:p><x:q><x:r></x:p>'],
]

describe('malformed: skip', () => {
  it.each(faults)('yields the response with %s as a Failure and goes on', (_, markup) => {
    const {results, summary} = read(
      latin1(multistatus(first, response('/docs/b', markup), last)),
      skip,
    )
    expect(results).toEqual([ok('a', '"1"'), broken, ok('c', '"3"')])
    expect(summary).toEqual({
      complete: false,
      incomplete: [{href: 'https://dav.example/docs/', reason: 'malformed'}],
      successes: 2,
      failures: 1,
      requests: 0,
    })
  })

  it.each(faults)('goes to the end if the last response has %s', (_, markup) => {
    const {results, summary} = read(latin1(multistatus(first, response('/docs/b', markup))), skip)
    expect(results).toEqual([ok('a', '"1"'), broken])
    expect(summary.complete).toBe(false)
  })

  it.each(faults)('gives the same under every two-way split, with %s', (_, markup) => {
    const body = latin1(multistatus(first, response('/docs/b', markup), last))
    const whole = readToError(body, skip)
    expect(whole.results).toEqual([ok('a', '"1"'), broken, ok('c', '"3"')])
    for (let cut = 1; cut < body.length; cut++) {
      const split = readToError([body.subarray(0, cut), body.subarray(cut)], skip)
      expect({cut, ...split}).toEqual({cut, ...whole})
    }
  })

  it('shows the readable part of an href with a fault, and names no resource by it', () => {
    const {results} = read(multistatus(first, response('/docs/b\u0001d'), last), skip)
    expect(results).toHaveLength(3)
    expect(results.at(1)).toMatchObject({
      ok: false,
      reason: 'malformed',
      href: '/docs/bd',
      url: 'https://dav.example/docs/',
      relation: 'outside',
    })
    expect(results.at(2)).toEqual(ok('c', '"3"'))
  })

  it('has no href if it can read none', () => {
    const {results} = read(multistatus(first, '<D:response>&</D:response>', last), skip)
    expect(results).toEqual([
      ok('a', '"1"'),
      {...broken, href: '', url: 'https://dav.example/docs/', relation: 'outside'},
      ok('c', '"3"'),
    ])
  })

  it('has the href that stands after the fault', () => {
    const markup =
      '<D:response>&<D:href>/docs/b</D:href><D:status>HTTP/1.1 200</D:status></D:response>'
    expect(read(multistatus(first, markup, last), skip).results).toEqual([
      ok('a', '"1"'),
      broken,
      ok('c', '"3"'),
    ])
  })

  it('yields each of several broken responses', () => {
    const bad = response('/docs/b', '&')
    const {results, summary} = read(multistatus(bad, bad, first, bad, last, bad), skip)
    expect(results).toEqual([broken, broken, ok('a', '"1"'), broken, ok('c', '"3"'), broken])
    expect(summary).toMatchObject({complete: false, successes: 2, failures: 4})
  })

  it('finds the next response whatever its prefix and attributes', () => {
    const other =
      '<lp1:response xmlns:lp1="DAV:"\n><lp1:href>/docs/d</lp1:href><lp1:status>HTTP/1.1 200</lp1:status></lp1:response>'
    const third = last.replace('<D:response>', '<D:response xmlns:y="urn:y" a=">">')
    const {results} = read(
      multistatus(response('/docs/b', '&'), other, response('/docs/b', '&'), third),
      skip,
    )
    expect(results.map((result) => [result.ok, result.href])).toEqual([
      [false, '/docs/b'],
      [true, '/docs/d'],
      [false, '/docs/b'],
      [true, '/docs/c'],
    ])
  })

  it('takes no response for one that is inside a comment or CDATA of a broken one', () => {
    const hidden = `<!--${last}--><x:p><![CDATA[${last}]]></x:p>`
    const {results} = read(multistatus(response('/docs/b', `<x:q a=1/>${hidden}`), first), skip)
    expect(results).toEqual([broken, ok('a', '"1"')])
  })

  it('goes on with the namespaces of the multistatus', () => {
    const bad =
      '<D:response xmlns:x="urn:bad" xmlns:D="DAV:"><D:href>/docs/b</D:href><x:p>&</x:p></D:response>'
    const {results} = read(multistatus(bad, response('/docs/c', '<x:p>1</x:p>')), skip)
    expect(results.at(1)).toMatchObject({ok: true, properties: {'{urn:x}p': '1'}})
  })

  it.each(fixtures)('reads a well-formed body as before: $name', ({name, url}) => {
    expect(read(bytesOf(name), {url, ...skip})).toEqual(read(bytesOf(name), {url}))
  })
})

describe('malformed: skip still throws', () => {
  const bad = response('/docs/b', '&')

  it('if the body ends early', () => {
    const whole = bytes(multistatus(first, bad, last))
    const {results, error} = readToError(whole.subarray(0, whole.length - 3), skip)
    expect(results).toEqual([ok('a', '"1"'), broken, ok('c', '"3"')])
    expect(error).toMatchObject({reason: 'truncated'})
  })

  it('if it ends inside the broken response', () => {
    const whole = `<D:multistatus xmlns:D="DAV:">${first}${bad}`
    const {results, error} = readToError(whole.slice(0, -'</D:response>'.length), skip)
    expect(results.at(0)).toEqual(ok('a', '"1"'))
    expect(error).toMatchObject({reason: 'truncated'})
  })

  it.each([
    [
      'a limit breaks',
      multistatus(first, response('/docs/b', `<x:p>${'a'.repeat(500)}</x:p>`), last),
      'limit-exceeded',
    ],
    ['the root is another', '<html>&</html>', 'not-multistatus'],
    ['there is a DOCTYPE', `<!DOCTYPE x>${multistatus(first)}`, 'not-well-formed'],
  ])('if %s', (_, body, reason) => {
    const {error} = readToError(body, {...skip, limits: {value: 100}})
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(error).toMatchObject({reason})
  })
})

describe('malformed: throw', () => {
  it.each(faults)('is the default and ends at %s, after the finished results', (_, markup) => {
    const body = latin1(multistatus(first, response('/docs/b', markup), last))
    for (const options of [{}, {malformed: 'throw'} as const]) {
      const {results, error} = readToError(body, options)
      expect(results).toEqual([ok('a', '"1"')])
      expect(error).toBeInstanceOf(MultiStatusError)
    }
  })

  it('leaves well-formed nonsense to rule 5 in both modes', () => {
    const body = multistatus(
      first,
      '<D:response><D:href>/docs/b</D:href></D:response>',
      verdict('/docs/d', 'HTTP/1.1 200'),
    )
    expect(read(body, skip).results).toEqual(read(body).results)
    expect(read(body).results.at(1)).toMatchObject({
      ok: false,
      href: '/docs/b',
      reason: 'malformed',
    })
  })
})
