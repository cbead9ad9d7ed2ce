// States that a value with child elements becomes an XmlElement with its content in order. Rule 9.
// RFC 4918, sections 4.3, 14.17, 15.8 and 15.10.
import {describe, expect, it} from 'vitest'
import {found, multistatus, one, read, response} from '../support/fixtures.ts'

const leaf = (name: string): object => ({name, attributes: {}, children: []})

describe('an XmlElement', () => {
  it('is the property element itself with its children', () => {
    expect(found('<x:tags><x:tag>1e3</x:tag><D:tag/><tag/></x:tags>').properties).toEqual({
      '{urn:x}tags': {
        name: '{urn:x}tags',
        attributes: {},
        children: [
          {name: '{urn:x}tag', attributes: {}, children: ['1e3']},
          leaf('tag'),
          leaf('{}tag'),
        ],
      },
    })
  })

  it('keeps mixed content in order, white space included', () => {
    expect(found('<x:p> way <x:em>too</x:em>  long\n</x:p>').properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {},
        children: [' way ', {name: '{urn:x}em', attributes: {}, children: ['too']}, '  long\n'],
      },
    })
  })

  it('keeps white space that stands alone between elements', () => {
    expect(found('<x:p>\n <x:a/> <x:b/>\n</x:p>').properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {},
        children: ['\n ', leaf('{urn:x}a'), ' ', leaf('{urn:x}b'), '\n'],
      },
    })
  })

  it('decodes text, CDATA and references once, into one string', () => {
    const markup =
      '<x:p><x:a>a<![CDATA[<b>&amp;]]>&amp;lt;<!-- no -->&#x1F600;<?no no?>c</x:a></x:p>'
    expect(found(markup).properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {},
        children: [{name: '{urn:x}a', attributes: {}, children: ['a<b>&amp;&lt;😀c']}],
      },
    })
  })

  it('names attributes by their namespace and leaves declarations out', () => {
    const markup =
      '<x:p xmlns:y="urn:y" plain="1" y:a="2" D:b="3" xml:lang="en"><x:c one=\'&quot;&amp;&#10;"\' two="a\n\tb"/></x:p>'
    expect(found(markup).properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {
          plain: '1',
          '{urn:y}a': '2',
          '{DAV:}b': '3',
          '{http://www.w3.org/XML/1998/namespace}lang': 'en',
        },
        children: [{name: '{urn:x}c', attributes: {one: '"&\n"', two: 'a  b'}, children: []}],
      },
    })
  })

  it('resolves prefixes by the declarations in scope', () => {
    const markup =
      '<x:p><n:a xmlns:n="urn:1"><n:b xmlns:n="urn:2"/><n:c/></n:a><n:d/><e xmlns="DAV:"><f xmlns=""/></e><DAV:g/></x:p>'
    expect(found(markup).properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {},
        children: [
          {name: '{urn:1}a', attributes: {}, children: [leaf('{urn:2}b'), leaf('{urn:1}c')]},
          leaf('{}n:d'),
          {name: 'e', attributes: {}, children: [leaf('{}f')]},
          leaf('g'),
        ],
      },
    })
  })

  it('follows a prefix that an outer element of the next response declares again', () => {
    const prop = '<n:p><n:a/></n:p>'
    const body = multistatus(
      response('/docs/a', prop).replace('<D:prop>', '<D:prop xmlns:n="urn:1">'),
      response('/docs/b', prop).replace('<D:prop>', '<D:prop xmlns:n="urn:2">'),
    )
    expect(read(body).results).toMatchObject([
      {properties: {'{urn:1}p': {name: '{urn:1}p', children: [leaf('{urn:1}a')]}}},
      {properties: {'{urn:2}p': {name: '{urn:2}p', children: [leaf('{urn:2}a')]}}},
    ])
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'may be named %s, as may an attribute',
    (name) => {
      const {properties} = found(`<x:p><x:${name}/><${name}/><x:a ${name}="mine"/></x:p>`)
      expect(properties['{urn:x}p']).toMatchObject({
        children: [
          leaf(`{urn:x}${name}`),
          leaf(`{}${name}`),
          {name: '{urn:x}a', attributes: Object.fromEntries([[name, 'mine']])},
        ],
      })
      expect(JSON.stringify(properties)).toContain(`"${name}":"mine"`)
    },
  )

  it.each(['constructor', '__proto__'])('is called by its local name in DAV:, %s too', (name) => {
    expect(found(`<x:p><D:${name}/></x:p>`).properties).toEqual({
      '{urn:x}p': {name: '{urn:x}p', attributes: {}, children: [leaf(name)]},
    })
  })

  it('reads equal markup under different scopes apart', () => {
    const prop = '<x:p><x:a>1</x:a></x:p>'
    const other = response('/docs/b', prop).replace(
      '<D:response>',
      '<D:response xmlns:x="urn:other">',
    )
    expect(read(multistatus(response('/docs/a', prop), other)).results).toMatchObject([
      {properties: {'{urn:x}p': {name: '{urn:x}p'}}},
      {properties: {'{urn:other}p': {name: '{urn:other}p'}}},
    ])
  })

  it('is one object for equal markup in a row, from its second time on', () => {
    const lock = '<D:supportedlock><D:lockentry/></D:supportedlock>'
    const hrefs = ['/docs/a', '/docs/b', '/docs/c', '/docs/d']
    const {results} = read(multistatus(...hrefs.map((href) => response(href, lock))))
    const locks = results.map((result) => result.ok && result.properties['supportedlock'])
    expect(locks[0]).toEqual({name: 'supportedlock', attributes: {}, children: [leaf('lockentry')]})
    expect(locks.map((each) => each === locks[1])).toEqual([false, true, true, true])
  })

  it('has its own content behind a hundred others, and where an older one comes again', () => {
    const words = [...Array.from({length: 100}, (_, index) => `n${index}`), 'n99', 'n15', 'n99']
    const responses = words.map((word) => response(`/docs/${word}`, `<x:p><x:${word}/></x:p>`))
    const {results} = read(multistatus(...responses))
    expect(results.map((result) => result.ok && result.properties['{urn:x}p'])).toEqual(
      words.map((word) => ({name: '{urn:x}p', attributes: {}, children: [leaf(`{urn:x}${word}`)]})),
    )
  })

  it('may be nested 200 deep', () => {
    const markup = `${'<x:p>'.repeat(200)}end${'</x:p>'.repeat(200)}`
    const depth = JSON.stringify(found(markup).properties).split('"name":"{urn:x}p"').length - 1
    expect(depth).toBe(200)
  })

  it('may hold 6,000 references', () => {
    expect(found(`<x:p><x:a>${'x&quot;'.repeat(6000)}</x:a></x:p>`).properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {},
        children: [{name: '{urn:x}a', attributes: {}, children: ['x"'.repeat(6000)]}],
      },
    })
  })
})

describe.each(['lockdiscovery', 'supportedlock', 'owner'])('DAV:%s', (name) => {
  it('is an empty text without child elements', () => {
    expect(found(`<D:${name}/>`)).toMatchObject({properties: {[name]: ''}, missing: []})
  })

  it('keeps hrefs as they are written', () => {
    expect(
      found(`<D:${name}><D:href>http://inner:8080/a b</D:href></D:${name}>`).properties,
    ).toEqual({
      [name]: {
        name,
        attributes: {},
        children: [{name: 'href', attributes: {}, children: ['http://inner:8080/a b']}],
      },
    })
  })
})

describe('a property whose text hides no element', () => {
  it('is a string if the elements are CDATA, comments or escaped', () => {
    const markup = '<x:p><![CDATA[<x:a/>]]><!--<x:b/>-->&lt;x:c/></x:p>'
    expect(one(multistatus(response('/docs/a', markup)))).toMatchObject({
      properties: {'{urn:x}p': '<x:a/><x:c/>'},
    })
  })
})
