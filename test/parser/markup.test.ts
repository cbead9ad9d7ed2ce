// States the refused markup, each with its reason and place, and odd markup that is XML all the same.
// XML 1.0 (fifth edition), sections 2 and 4; RFC 4918, section 17.
import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {bytes, multistatus, one, read, readToError, response} from '../support/fixtures.ts'

const before = response('/docs/é', '<x:p>é漢😀</x:p>')
const after = response('/docs/b')

/** Reads a body in which «…» marks the fault, and returns its bytes and the range of the fault. */
function fault(marked: string): {body: Uint8Array; from: number; to: number} {
  const [head = '', bad = '', tail = ''] = marked.split(/[«»]/)
  const from = bytes(head).length
  return {body: bytes(head + bad + tail), from, to: from + bytes(bad).length}
}

function expectFault(marked: string): void {
  const {body, from, to} = fault(marked)
  const {results, error} = readToError(body)
  expect(results.map((result) => result.href)).toEqual(marked.includes(before) ? ['/docs/é'] : [])
  expect(error).toBeInstanceOf(MultiStatusError)
  expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-well-formed'})
  const offset = error instanceof MultiStatusError ? error.offset : undefined
  expect(offset).toBeGreaterThanOrEqual(from)
  expect(offset).toBeLessThanOrEqual(to)
  const places = Array.from({length: body.length - 1}, (_, index) => {
    const at = index + 1
    const split = readToError([body.subarray(0, at), body.subarray(at)]).error
    return split instanceof MultiStatusError ? split.offset : undefined
  })
  expect(new Set(places)).toEqual(new Set([offset]))
}

describe('a fault inside a property', () => {
  it.each([
    ['a duplicate attribute', '«<x:p a="1" a="2">»</x:p>'],
    ['< in an attribute', '«<x:p a="<">»</x:p>'],
    ['an unquoted attribute', '«<x:p a=1>»</x:p>'],
    ['an attribute without a value', '«<x:p a>»</x:p>'],
    ['an attribute without a name', '«<x:p ="1">»</x:p>'],
    ['no space between attributes', '«<x:p a="1"b="2">»</x:p>'],
    ['an end tag that begins like the start tag', '<x:p>«</x:pq>»'],
    ['an end tag that the start tag begins like', '<x:pq>«</x:p>»'],
    ['an end tag with the name of a start tag and its attribute', '<x:p a="1">«</x:p a="1">»'],
    ['an attribute on an end tag', '<x:p>«</x:p a="1">»'],
    ['a bare & in an attribute', '«<x:p a="&">»</x:p>'],
    ['an undeclared entity in an attribute', '«<x:p a="&copy;">»</x:p>'],
    ['a bare &', '<x:p>a «& b»</x:p>'],
    ['a reference without its end', '<x:p>«&amp b»</x:p>'],
    ['an undeclared entity', '<x:p>«&copy;»</x:p>'],
    ['an entity in another case', '<x:p>«&AMP;»</x:p>'],
    ['an empty reference', '<x:p>«&;»</x:p>'],
    ['an empty numeric reference', '<x:p>«&#;»</x:p>'],
    ['an empty hexadecimal reference', '<x:p>«&#x;»</x:p>'],
    ['a reference in upper case', '<x:p>«&#X41;»</x:p>'],
    ['a reference that is no number', '<x:p>«&#4g;»</x:p>'],
    ['a reference with a space', '<x:p>«& amp;»</x:p>'],
    ['a reference to U+0001', '<x:p>«&#x1;»</x:p>'],
    ['a reference to U+0000', '<x:p>«&#0;»</x:p>'],
    ['a reference to a surrogate', '<x:p>«&#xD83D;»a&#xDE00;</x:p>'],
    ['a reference to the second half of a surrogate pair', '<x:p>«&#xDE00;»&#xD83D;</x:p>'],
    ['a reference to U+FFFE', '<x:p>«&#xFFFE;»</x:p>'],
    ['a reference beyond Unicode', '<x:p>«&#x110000;»</x:p>'],
    ['a raw control character', '<x:p>a«\u0001»b</x:p>'],
    ['a raw NUL', '<x:p>a«\u0000»b</x:p>'],
    ['a raw form feed', '<x:p>a«\u000C»b</x:p>'],
    ['a raw U+FFFE', '<x:p>a«\uFFFE»b</x:p>'],
    ['a control character in an attribute', '«<x:p a="\u0001">»</x:p>'],
    ['a control character in CDATA', '<x:p>«<![CDATA[\u0001»]]></x:p>'],
    ['a control character in a comment', '<x:p>«<!--\u0001»--></x:p>'],
    ['a control character in a processing instruction', '<x:p>«<?a \u0001»?></x:p>'],
    ['a control character in a tag', '«<x:p\u0001>»</x:p>'],
    ['a control character in an element', '<x:p><x:a>a«\u0001»b</x:a></x:p>'],
    [']]> in text', '<x:p>a«]]>»</x:p>'],
    [']]> in the text of an element', '<x:p><x:a/>«]]>»</x:p>'],
    ['a mismatched end tag', '<x:p><x:a>«</x:p>»</x:a>'],
    ['an end tag too many', '<x:p/>«</x:p>»'],
    ['an end tag with another prefix for the same namespace', '<y:p xmlns:y="urn:x">«</x:p>»'],
    ['an end tag in another case', '<x:p>«</x:P>»'],
    ['a space before a name', '<x:p>«< x:a/>»</x:p>'],
    ['a space before the name of an end tag', '<x:p>«</ x:p>»'],
    ['a space inside />', '<x:p>«<x:a/ >»</x:p>'],
    ['an empty tag', '<x:p>«<>»</x:p>'],
    ['an empty end tag', '<x:p>«</>»'],
    ['a name that starts with a digit', '«<1p>»</1p>'],
    ['a name with a forbidden character', '«<x:p$>»</x:p$>'],
    ['a < inside a tag', '«<x:p <x:a/>»</x:p>'],
    ['-- in a comment', '<x:p>«<!-- a -- b -->»</x:p>'],
    ['a comment that ends with --->', '<x:p>«<!-- a --->»</x:p>'],
    ['an XML declaration', '<x:p>«<?xml version="1.0"?>»</x:p>'],
    ['a processing instruction called XML', '<x:p>«<?XML a?>»</x:p>'],
    ['a processing instruction without a name', '<x:p>«<? a?>»</x:p>'],
    ['a DOCTYPE', '<x:p>«<!DOCTYPE x>»</x:p>'],
    ['an element declaration', '<x:p>«<!ELEMENT p ANY>»</x:p>'],
    ['a broken CDATA start', '<x:p>«<![cdata[a]]>»</x:p>'],
  ])('is not well-formed, after the results before it: %s', (_, markup) => {
    expectFault(multistatus(before, response('/docs/a', markup), after))
  })
})

describe('a fault outside the responses', () => {
  const whole = multistatus(before)

  it.each([
    ['a second root', `${whole}«<D:multistatus xmlns:D="DAV:"/>»`],
    ['text after the root', `${whole}\n«x»`],
    ['CDATA after the root', `${whole}«<![CDATA[ ]]>»`],
    ['a reference after the root', `${whole}«&#32;»`],
    ['an end tag after the root', `${whole}«</D:multistatus>»`],
    ['an XML declaration after the root', `${whole}«<?xml version="1.0"?>»`],
    ['the wrong end tag', `<D:multistatus xmlns:D="DAV:">${before}«</D:multi>»`],
    ['a DOCTYPE after the root', `${whole}«<!DOCTYPE x>»`],
    ['a bare & between responses', multistatus(before, '«&»', after)],
    ['a control character between responses', multistatus(before, '«\u0001»', after)],
  ])('is not well-formed: %s', (_, marked) => {
    expectFault(marked)
  })
})

describe('a DOCTYPE', () => {
  const bomb = '<!DOCTYPE multistatus [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'

  it.each([
    ['with entities', `<?xml version="1.0"?>«${bomb}»${multistatus()}`],
    [
      'with an external subset',
      `«<!DOCTYPE multistatus SYSTEM "http://evil.example/x.dtd">»${multistatus()}`,
    ],
  ])('is refused %s', (_, marked) => {
    expectFault(marked)
  })

  it('is refused before anything of it is read', () => {
    expect(readToError('<!DOCTYPE multistatus [<!ENTITY a "').error).toMatchObject({
      reason: 'not-well-formed',
      offset: 0,
    })
  })
})

describe('a body that is something else', () => {
  it.each([
    ['an HTML page', '<!DOCTYPE html>\n<html><body>Sign in</body></html>', /html/i],
    ['an HTML page in lower case', '<!doctype html><html></html>', /html/i],
    ['an HTML page without a DOCTYPE', '<html><head><title>Sign in</title></head></html>', /html/i],
    [
      'an old HTML page',
      '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN"><html></html>',
      /html/i,
    ],
    ['JSON', '{"error":"nope"}', /error\W+nope/],
    ['a text', 'Not Found', /Not Found/],
    [
      'a DAV:error',
      '<D:error xmlns:D="DAV:"><D:propfind-finite-depth/></D:error>',
      /(D:|DAV:|DAV:\}|<|")error/,
    ],
    ['a DAV:prop', '<D:prop xmlns:D="DAV:"/>', /(D:|DAV:|DAV:\}|<|")prop/],
    ['another namespace', '<multistatus xmlns="urn:other"/>', /urn:other/],
    ['no namespace', '<multistatus/>', /multistatus/],
    ['a DAV:multistatus inside another root', `<wrapper>${multistatus()}</wrapper>`, /wrapper/],
  ])('is named: %s', (_, body, got) => {
    const {results, error} = readToError(body)
    expect(results).toEqual([])
    expect(error).toMatchObject({
      name: 'MultiStatusError',
      reason: 'not-multistatus',
      message: expect.stringMatching(got),
    })
  })

  it('tells its conditions and its beginning, as far as it has arrived', () => {
    const body = '<D:error xmlns:D="DAV:"><D:lock-token-submitted/>!<x xmlns="urn:y"/></D:error>'
    const conditions = ['lock-token-submitted', '{urn:y}x']
    expect(readToError(body).error).toMatchObject({conditions, excerpt: body})
    expect(readToError(bytes(body)).error).toMatchObject({conditions, excerpt: body})
    const sogo = '<D:error xmlns:D="DAV"><D:x/></D:error>'
    expect(readToError(sogo).error).toMatchObject({conditions: ['{DAV}x'], excerpt: sogo})
    const parser = new MultiStatusParser()
    parser.write(body.slice(0, 30))
    expect(parser.error).toMatchObject({conditions: [], excerpt: body.slice(0, 30)})
    const page = `<html>Authorization: Basic c2VjcmV0 ${'x'.repeat(2000)}`
    const shown = page.replace('c2VjcmV0', '…').slice(0, 1000 - 7)
    expect(readToError(page).error).toMatchObject({conditions: [], excerpt: shown})
  })

  it.each([
    ['nothing', ''],
    ['white space', ' \r\n\t'],
    ['a declaration alone', '<?xml version="1.0" encoding="utf-8"?>\n'],
    ['a comment alone', '<!-- sorry -->'],
    ['a byte order mark alone', '\uFEFF'],
  ])('is truncated if it is %s', (_, body) => {
    expect(readToError(body)).toMatchObject({results: [], error: {reason: 'truncated'}})
  })
})

describe('odd markup that is XML', () => {
  const noise = '<!-- <D:response> & </D:multistatus> ]]> --><?pi <D:response> & ]]> --?>'
  const cdata = '<![CDATA[<D:response></D:multistatus>]] & -->]]>'

  it('may have comments and processing instructions before, between and after everything', () => {
    const body = `<?xml version='1.0' standalone='yes'?>${noise}${multistatus(noise, before, noise, after, noise)}${noise}\n`
    expect(read(body).results).toEqual(read(multistatus(before, after)).results)
  })

  it('may have them and CDATA in every element', () => {
    const body = multistatus(
      cdata,
      `<D:response>${noise}${cdata}<D:href>/docs/${noise}<![CDATA[a]]></D:href>${noise}<D:propstat>${noise}${cdata}`,
      `<D:prop>${cdata}${noise}<x:p>${cdata}${noise}</x:p>${noise}</D:prop>`,
      `<D:status>${noise}HTTP/1.1 <![CDATA[200 OK]]></D:status></D:propstat></D:response>`,
    )
    expect(one(body)).toMatchObject({
      href: '/docs/a',
      status: 200,
      properties: {'{urn:x}p': '<D:response></D:multistatus>]] & -->'},
    })
  })

  it.each([
    ['white space in tags', '<x:p\n\ta = "1"\r\n b=\'2\' ><x:a /></x:p\n>'],
    ['> in an attribute', '<x:p a=">/>"><x:a b=\'">\'/></x:p>'],
    [']]> in an attribute', '<x:p a="]]>&lt;"><x:a b="]]>&amp;"/></x:p>'],
    ['an empty attribute', '<x:p a="" b=\'\'><x:a/></x:p>'],
    ['an empty comment, CDATA and instruction', '<x:p><!----><![CDATA[]]><?a?><x:a/></x:p>'],
    ['a comment with single dashes', '<x:p><!-- - -> <!- --><x:a/></x:p>'],
    ['> and ]] in text', '<x:p>> ]] ]> a<x:a/></x:p>'],
    ['names with dots, dashes, digits and letters of any script', '<x:p><é.1-2·漢 ñ-1="a"/></x:p>'],
    ['characters that XML 1.0 allows', '<x:p>\u007F\u0085\uD7FF\uE000\uFFFD\u{10FFFF}<x:a/></x:p>'],
    [
      'references to them',
      '<x:p>&#x9;&#xA;&#xD;&#xD7FF;&#xE000;&#xFFFD;&#x10FFFF;&#00000065;<x:a/></x:p>',
    ],
  ])('is read: %s', (_, markup) => {
    expect(read(multistatus(before, response('/docs/a', markup), after)).summary).toMatchObject({
      successes: 3,
    })
  })
})

describe('an error', () => {
  it('has a message and an offset', () => {
    const {error} = readToError(multistatus(before, '<x:a></x:b>'))
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({message: expect.stringMatching(/./), offset: expect.any(Number)})
  })
})
