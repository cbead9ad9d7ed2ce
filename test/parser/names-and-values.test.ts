// States the names of properties and the values of text: rules 8, 9 and 10 of the contract.
// RFC 4918, sections 4.3 and 15; Namespaces in XML 1.0, section 5.
import {describe, expect, it} from 'vitest'
import {
  bytes,
  found,
  multistatus,
  one,
  propstat,
  read,
  readToError,
  response,
} from '../support/fixtures.ts'

const root = (declarations: string, prop: string, prefix = 'D:'): string =>
  `<${prefix}multistatus ${declarations}><${prefix}response><${prefix}href>/docs/a</${prefix}href>` +
  `<${prefix}propstat><${prefix}prop>${prop}</${prefix}prop></${prefix}propstat></${prefix}response></${prefix}multistatus>`

describe('rule 8: property names', () => {
  it.each([
    ['D:', 'xmlns:D="DAV:"'],
    ['d:', "xmlns:d='DAV:'"],
    ['', 'xmlns="DAV:"'],
    ['lp1:', 'xmlns:ns0="DAV:" xmlns:lp1="DAV:"'],
    ['é-1.2:', 'xmlns:é-1.2="DAV:"'],
    ['dd:', 'xmlns:d="urn:other" xmlns:dd="DAV:"'],
    ['d:', 'xmlns:d="DAV:" xmlns:dd="urn:other"'],
  ])('do not depend on the prefix "%s" of %s', (prefix, declarations) => {
    const prop = `<${prefix}getetag>1</${prefix}getetag><y:p xmlns:y="urn:y">2</y:p><z:q xmlns:z="urn:y">3</z:q>`
    expect(one(root(declarations, prop, prefix))).toMatchObject({
      properties: {getetag: '1', '{urn:y}p': '2', '{urn:y}q': '3'},
    })
  })

  it('follow a prefix that means two things in one document', () => {
    const prop =
      '<n:p xmlns:n="urn:1">1</n:p><n:p xmlns:n="urn:2">2</n:p><n:getetag xmlns:n="DAV:">3</n:getetag>'
    expect(found(prop).properties).toEqual({'{urn:1}p': '1', '{urn:2}p': '2', getetag: '3'})
  })

  it('follow a prefix redeclared inside and restored outside', () => {
    const prop = '<D:getetag xmlns:D="urn:1">1</D:getetag><D:getetag>2</D:getetag>'
    expect(found(prop).properties).toEqual({'{urn:1}getetag': '1', getetag: '2'})
  })

  it('are the same one by two prefixes, each of which only its own end tag ends', () => {
    const again = '<y:p xmlns:y="urn:x"><y:a/></y:p>'
    const three = ['/docs/a', '/docs/b', '/docs/c'].map((href) => response(href, again))
    const mixed = response('/docs/d', '<x:p xmlns:y="urn:x"><y:a/></y:p>')
    expect(read(multistatus(...three)).results).toMatchObject(three.map(() => ({ok: true})))
    const {results, error} = readToError(multistatus(...three, mixed))
    expect(results).toHaveLength(3)
    expect(error).toMatchObject({reason: 'not-well-formed'})
  })

  it('are one property each, also if there are more of them than are remembered', () => {
    const names = Array.from({length: 20_000}, (_, number) => `p${number}`)
    const prop = (value: string): string =>
      names.map((name) => `<x:${name}>${value}</x:${name}>`).join('')
    const limits = {properties: 100_000, response: 10_000_000}
    const {properties} = found(prop('first') + prop('second'), {limits})
    expect(Object.keys(properties)).toHaveLength(names.length)
    expect(new Set(Object.values(properties))).toEqual(new Set(['first']))
  })

  it('are one property also after too many names to remember this one', () => {
    const names = Array.from({length: 16_000}, (_, number) => `<y${number}/>`).join('')
    const text = '<D:displayname>val</D:displayname><D:getlastmodified>junk</D:getlastmodified>'
    const again =
      '<D:displayname /><D:getlastmodified >Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>'
    const propstats = [text, again].map((prop) => propstat('HTTP/1.1 200 OK', prop)).join('')
    const body = `<D:response><D:href>/docs/a</D:href>${propstats}</D:response>`
    expect(one(multistatus(names, body))).toMatchObject({
      properties: {displayname: 'val', getlastmodified: new Date('1994-11-06T08:49:37Z')},
      missing: [],
    })
  })

  it('follow a default namespace, and its undoing by xmlns=""', () => {
    const prop = '<p xmlns="urn:1">1</p><p xmlns="">2</p><getetag xmlns="DAV:">3</getetag><p>4</p>'
    expect(one(root('xmlns:D="DAV:" xmlns="urn:0"', prop))).toMatchObject({
      properties: {'{urn:1}p': '1', '{}p': '2', getetag: '3', '{urn:0}p': '4'},
    })
  })

  it('decode references in a namespace', () => {
    expect(found('<y:p xmlns:y="urn:a&amp;&#98;">1</y:p>').properties).toEqual({'{urn:a&b}p': '1'})
  })

  it('may be the words of the grammar', () => {
    const prop =
      '<D:prop>1</D:prop><D:status>2</D:status><D:href>3</D:href><D:response>4</D:response>'
    expect(found(prop).properties).toEqual({prop: '1', status: '2', href: '3', response: '4'})
  })

  it.each([
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'isPrototypeOf',
    '__defineGetter__',
  ])('keep DAV:%s off the prototype', (name) => {
    const {properties} = found(
      `<D:${name}>mine</D:${name}><x:${name}>other</x:${name}><${name}>none</${name}>`,
    )
    expect(Object.entries(properties)).toEqual([
      [`{DAV:}${name}`, 'mine'],
      [`{urn:x}${name}`, 'other'],
      [`{}${name}`, 'none'],
    ])
  })

  it('keep DAV:__proto__ with child elements off the prototype', () => {
    const {properties} = found('<D:__proto__><D:ok/></D:__proto__>')
    expect(Object.keys(properties)).toEqual(['{DAV:}__proto__'])
    expect(Object.getPrototypeOf(properties)).toBe(Object.getPrototypeOf(found('').properties))
  })

  it('are written the same way in missing', () => {
    const body = multistatus(
      '<D:response><D:href>/docs/a</D:href>',
      propstat('HTTP/1.1 404', '<D:__proto__/><D:getetag/><x:p/><p/>'),
      '</D:response>',
    )
    const names = read(body).results.flatMap((result) =>
      result.missing.map((property) => property.name),
    )
    expect(names).toEqual(['{DAV:}__proto__', 'getetag', '{urn:x}p', '{}p'])
  })
})

describe('a DAV: property by its name in Clark notation', () => {
  const decoders = {'{DAV:}getetag': () => 'mine'}

  it('has the decoder that is given for it', () => {
    const prop = '<D:getetag>"1"</D:getetag><D:constructor>2</D:constructor>'
    expect(found(prop, {decoders}).properties).toEqual({
      getetag: 'mine',
      '{DAV:}constructor': '2',
    })
    const odd = {constructor: () => 'first', '{DAV:}valueOf': () => 'second'}
    const inherited = '<D:constructor/><D:valueOf/>'
    expect(found(inherited, {decoders: odd}).properties).toEqual({
      '{DAV:}constructor': 'first',
      '{DAV:}valueOf': 'second',
    })
  })

  it('has the decoder of its key if both are given', () => {
    const both = {getetag: () => 'key', ...decoders}
    expect(found('<D:getetag>"1"</D:getetag>', {decoders: both}).properties).toEqual({
      getetag: 'key',
    })
  })
})

describe('rule 10: a namespace error is never fatal', () => {
  it.each([
    ['an undeclared prefix', '<y:name>1</y:name>', '{}y:name'],
    ['a prefix without a name', '<x: >1</x: >', '{}x:'],
    ['a name without a prefix', '<:name>1</:name>', '{}:name'],
    ['two colons', '<x:a:b>1</x:a:b>', '{}x:a:b'],
    ['a prefix declared empty', '<y:name xmlns:y="">1</y:name>', '{}name'],
  ])('keeps %s', (_, prop, name) => {
    expect(found(prop).properties).toEqual({[name]: '1'})
  })

  it('keeps an empty element named <x: />', () => {
    expect(found('<x: /><D:getetag>1</D:getetag>').properties).toEqual({'{}x:': '', getetag: '1'})
  })

  it('takes the undeclared prefix DAV for DAV:, as lighttpd 1.4 writes it', () => {
    expect(found('<DAV:getetag>1</DAV:getetag>').properties).toEqual({getetag: '1'})
    expect(one(root('', '<DAV:getetag>1</DAV:getetag>', 'DAV:'))).toMatchObject({
      properties: {getetag: '1'},
    })
  })

  it('takes a declared prefix DAV for the declared namespace', () => {
    expect(found('<DAV:getetag xmlns:DAV="urn:1">1</DAV:getetag>').properties).toEqual({
      '{urn:1}getetag': '1',
    })
  })

  it('reads the properties beside it', () => {
    const prop = '<y:name/><D:getetag>1</D:getetag><x:p>2</x:p>'
    expect(found(prop).properties).toEqual({'{}y:name': '', getetag: '1', '{urn:x}p': '2'})
  })
})

describe('rule 9: text values', () => {
  it.each([
    '1e3',
    '00123',
    '2024.10',
    'true',
    'null',
    '0x10',
    '-0',
    ' spaced ',
    '\n\tlines\n',
    '',
    ' ',
    '9007199254740993',
  ])('stay as written: "%s"', (text) => {
    expect(found(`<x:p>${text}</x:p><D:unknown>${text}</D:unknown>`).properties).toEqual({
      '{urn:x}p': text,
      unknown: text,
    })
  })

  it.each([
    [
      'text, CDATA, comments and references',
      'a<![CDATA[<b>&amp;]]><!-- no --><?no no?>&lt;c&gt;',
      'a<b>&amp;<c>',
    ],
    ['the five predefined entities', '&lt;&gt;&amp;&apos;&quot;', '<>&\'"'],
    ['decimal and hexadecimal references', '&#233;&#xe9;&#x1F600;&#128512;', 'éé😀😀'],
    ['no reference twice', '&amp;#65;&amp;lt;', '&#65;&lt;'],
    ['the references of a surrogate pair, as SOGo 5.8 writes them', '&#55357;&#56832;', '😀'],
    ['such ones in hexadecimal, and mixed', 'a&#xD83D;&#xde00;&#xd83d;&#56832;b', 'a😀😀b'],
    ['two pairs, beside one reference', '&#55357;&#56832;&#55357;&#56833;&#65;', '😀😁A'],
    ['pairs with leading zeros', '&#0055357;&#x000DE00;', '😀'],
    ['a carriage return only as a reference', 'a\r\nb\rc&#13;d', 'a\nb\nc\rd'],
    ['all of Unicode', 'é漢\u{1F600}\u{10FFFD}\u0085\u2028', 'é漢\u{1F600}\u{10FFFD}\u0085\u2028'],
  ])('take %s together', (_, markup, text) => {
    expect(found(`<x:p>${markup}</x:p>`).properties).toEqual({'{urn:x}p': text})
  })

  it('take a surrogate pair together however it is cut, in text, in markup and in attributes', () => {
    const pair = '&#55357;&#xDE00;'
    const body = multistatus(
      response(
        '/docs/a',
        `<x:p>a${pair}</x:p><x:q><x:r s="${pair}&amp;">é${pair}${pair}</x:r></x:q>`,
      ),
    ).replace('/docs/a<', `/docs/${pair}<`)
    const children = [{name: '{urn:x}r', attributes: {s: '😀&'}, children: ['é😀😀']}]
    const properties = {'{urn:x}p': 'a😀', '{urn:x}q': {name: '{urn:x}q', attributes: {}, children}}
    const whole = readToError(body)
    expect(whole.results).toMatchObject([{href: '/docs/😀', properties}])
    const all = bytes(body)
    for (let cut = 0; cut < all.length; cut++)
      expect(readToError([all.subarray(0, cut), all.subarray(cut)])).toEqual(whole)
    expect(readToError(Array.from(all, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  })

  it.each([
    ['the first half', '&#55357;'],
    ['the second half', '&#56832;'],
    ['the halves in the wrong order', '&#56832;&#55357;'],
    ['two first halves', '&#xD83D;&#xD83D;&#xDE00;'],
    ['a third half', '&#55357;&#56832;&#56832;'],
    ['halves with a blank between them', '&#55357; &#56832;'],
    ['halves with a comment between them', '&#55357;<!-- -->&#56832;'],
    ['halves with an element between them', '&#55357;<x:e/>&#56832;'],
    ['halves of which one is in CDATA', '&#55357;<![CDATA[&#56832;]]>'],
  ])('are not well-formed with %s of a surrogate pair alone', (_, markup) => {
    for (const prop of [`<x:p>${markup}</x:p>`, `<x:p><x:q>${markup}</x:q></x:p>`]) {
      const body = bytes(multistatus(response('/docs/a', prop)))
      const whole = readToError(body)
      expect(whole).toMatchObject({results: [], error: {reason: 'not-well-formed'}})
      expect(readToError(Array.from(body, (byte) => Uint8Array.of(byte)))).toEqual(whole)
    }
    if (markup.includes('<')) return
    const attribute = multistatus(response('/docs/a', `<x:p a="${markup}"/>`))
    expect(readToError(attribute)).toMatchObject({error: {reason: 'not-well-formed'}})
  })

  it('stay strings in an element with attributes', () => {
    expect(found('<x:p xml:lang="en" x:type="int">12</x:p>').properties).toEqual({'{urn:x}p': '12'})
  })

  it('may hold 6,000 references', () => {
    const text = 'x&quot;'.repeat(6000)
    expect(found(`<x:p>${text}</x:p>`).properties).toEqual({'{urn:x}p': 'x"'.repeat(6000)})
  })
})

it('structured values of the same markup are those of their own start tags', () => {
  const markup = multistatus(
    response('/docs/a', '<x:p a="1"><y/></x:p>'),
    response('/docs/b', '<x:p a="2"><y/></x:p>'),
    response('/docs/c', '<D:resourcetype xmlns:p="u1"><p:y/></D:resourcetype>'),
    response('/docs/d', '<D:resourcetype xmlns:p="u2"><p:y/></D:resourcetype>'),
  )
  expect(read(markup).results).toMatchObject([
    {properties: {'{urn:x}p': {attributes: {a: '1'}}}},
    {properties: {'{urn:x}p': {attributes: {a: '2'}}}},
    {properties: {resourcetype: ['{u1}y']}},
    {properties: {resourcetype: ['{u2}y']}},
  ])
})
