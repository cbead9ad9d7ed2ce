// States the documents that the writer makes: prefixes, declarations, escapes, and the names and characters that it refuses.
// XML 1.0; Namespaces in XML 1.0.

import {describe, expect, it} from 'vitest'

import {type ElementToWrite, formatDocument, qualify} from '../../src/xml/writer.ts'

const DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'

function written(root: ElementToWrite): string {
  const document = formatDocument(root)
  expect(document.startsWith(DECLARATION)).toBe(true)
  return document.slice(DECLARATION.length)
}

describe('formatDocument', () => {
  it('writes an empty element as one tag', () => {
    expect(written({name: 'prop'})).toBe('<D:prop xmlns:D="DAV:"/>')
    expect(written({name: 'prop', children: []})).toBe('<D:prop xmlns:D="DAV:"/>')
  })

  it('declares each namespace once, on the root, in the order of its first name', () => {
    const children = [{name: '{urn:b}x'}, {name: '{urn:a}y'}, {name: '{urn:b}z'}]
    expect(written({name: 'prop', children})).toBe(
      '<D:prop xmlns:D="DAV:" xmlns:n1="urn:b" xmlns:n2="urn:a"><n1:x/><n2:y/><n1:z/></D:prop>',
    )
  })

  it('takes DAV: in Clark notation for the namespace of short names', () => {
    expect(written({name: '{DAV:}prop', children: [{name: 'getetag'}]})).toBe(
      '<D:prop xmlns:D="DAV:"><D:getetag/></D:prop>',
    )
  })

  it('writes a name of no namespace without a prefix', () => {
    expect(written({name: '{}a', attributes: {'{}b': '1'}})).toBe('<a xmlns:D="DAV:" b="1"/>')
  })

  it('writes an attribute with the prefix of its namespace, and one without a namespace plain', () => {
    const attributes = {a: '1', '{urn:x}b': '2', '{DAV:}c': '3'}
    expect(written({name: 'prop', attributes})).toBe(
      '<D:prop xmlns:D="DAV:" xmlns:n1="urn:x" a="1" n1:b="2" D:c="3"/>',
    )
  })

  it('uses the prefix xml without a declaration', () => {
    const attributes = {'{http://www.w3.org/XML/1998/namespace}lang': 'de'}
    expect(written({name: 'owner', attributes, children: ['Ana']})).toBe(
      '<D:owner xmlns:D="DAV:" xml:lang="de">Ana</D:owner>',
    )
  })

  it('escapes text', () => {
    expect(written({name: '{}a', children: ['1 < 2 & "3"\r\n]]>']})).toBe(
      '<a xmlns:D="DAV:">1 &lt; 2 &amp; "3"&#13;\n]]&gt;</a>',
    )
  })

  it('escapes quotation marks and white space of attributes', () => {
    expect(written({name: '{}a', attributes: {b: '"<\t\n\r&'}})).toBe(
      '<a xmlns:D="DAV:" b="&quot;&lt;&#9;&#10;&#13;&amp;"/>',
    )
  })

  it.each<[string, ElementToWrite]>([
    ['an empty name', {name: ''}],
    ['a name with a prefix', {name: 'D:prop'}],
    ['a name with markup', {name: 'prop/><evil'}],
    ['a name that begins with a digit', {name: '{urn:x}1'}],
    ['a namespace without its end', {name: '{urn:x'}],
    ['an attribute with a space', {name: 'prop', attributes: {'a b': '1'}}],
    ['a child without a name', {name: 'prop', children: [{name: '{urn:x}'}]}],
    ['U+0000 in text', {name: 'prop', children: ['\u0000']}],
    ['U+FFFE in an attribute', {name: 'prop', attributes: {a: '\uFFFE'}}],
    ['U+0001 in a namespace', {name: '{urn:\u0001}prop'}],
    ['an element in the namespace of declarations', {name: '{http://www.w3.org/2000/xmlns/}x'}],
    ['an attribute xmlns', {name: 'prop', attributes: {xmlns: 'urn:x'}}],
    ['half of a surrogate pair', {name: 'prop', children: ['\uD83D']}],
  ])('refuses %s by a TypeError', (_, element) => {
    expect(() => formatDocument(element)).toThrow(TypeError)
  })

  it('says how names are written', () => {
    expect(() => formatDocument({name: 'oc:fileid'})).toThrow(
      '"oc:fileid" is not a name: write getetag for a DAV: name, {namespace}local for any other',
    )
  })
})

describe('qualify', () => {
  const tree = {
    name: 'prop',
    attributes: {'{DAV:}a': '1'},
    children: [{name: '{}x', children: [{name: 'href'}]}, {name: '{urn:x}y'}],
  }

  it('gives each element its prefix and the root its declarations', () => {
    expect(qualify(tree)).toEqual({
      tag: 'D:prop',
      attributes: {'xmlns:D': 'DAV:', 'xmlns:n1': 'urn:x', 'D:a': '1'},
      children: [
        {tag: 'x', attributes: {}, children: [{tag: 'D:href', attributes: {}, children: []}]},
        {tag: 'n1:y', attributes: {}, children: []},
      ],
    })
  })

  it('undeclares and declares the default namespace where DAV: has no prefix', () => {
    expect(qualify(tree, '')).toEqual({
      tag: 'prop',
      attributes: {'xmlns:n0': 'DAV:', 'xmlns:n1': 'urn:x', xmlns: 'DAV:', 'n0:a': '1'},
      children: [
        {
          tag: 'x',
          attributes: {xmlns: ''},
          children: [{tag: 'href', attributes: {xmlns: 'DAV:'}, children: []}],
        },
        {tag: 'n1:y', attributes: {}, children: []},
      ],
    })
  })

  it('gives no other namespace the prefix of DAV:', () => {
    expect(qualify({name: 'prop', children: [{name: '{urn:x}y'}]}, 'n1').attributes).toEqual({
      'xmlns:n1': 'DAV:',
      'xmlns:x1': 'urn:x',
    })
  })
})
