// The first bodies of the fuzzer: the recorded ones of test/fixtures, and small ones written by hand. These have markup that
// servers seldom send, such as other encodings and markup that is cut.

import {readdirSync, readFileSync} from 'node:fs'

import {type FuzzCase, plainCase} from './cases.ts'

// Vite takes a literal inside of `new URL` for the name of a file.
const FOLDER = '../fixtures/'
const FIXTURES = new URL(FOLDER, import.meta.url)

/** The first cases. */
export function seeds(): FuzzCase[] {
  const recorded = readdirSync(FIXTURES)
    .filter((file) => file.endsWith('.xml'))
    .toSorted()
    .map((file) => plainCase(new Uint8Array(readFileSync(new URL(file, FIXTURES)))))
  return [...recorded, ...encoded(), ...WRITTEN.map((body) => plainCase(body))].flatMap((input) => [
    {...input, cuts: [input.body.length >> 1], step: 7},
    {
      ...input,
      options: {...input.options, malformed: 'skip', hasDecoders: true},
      cuts: [3, 50, 51],
      step: 1,
    },
  ])
}

const OK = '<D:status>HTTP/1.1 200 OK</D:status>'

function listing(inside: string): string {
  return `<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">${inside}</D:multistatus>`
}

function response(prop: string, href = '/docs/a'): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${prop}</D:prop>${OK}</D:propstat></D:response>`
}

const ACCENTED = listing(response('<D:displayname>caf\u00E9</D:displayname>', '/docs/\u00E9'))
const LONG = listing(response('<x:p>\u{1F600}\u20AC</x:p>'))

/** Responses with one layout, and a last one that is for a change to make another. */
function alike(prop: (index: number) => string, rest = ''): string {
  return listing(
    Array.from({length: 7}, (_, index) => response(prop(index), `/docs/${index}`) + rest).join(''),
  )
}

function encoded(): FuzzCase[] {
  const declared = (encoding: string): string =>
    `<?xml version="1.0" encoding="${encoding}"?>${ACCENTED}`
  const marked = `\uFEFF${LONG}`
  return [
    plainCase(utf16(marked, 'little')),
    plainCase(utf16(marked, 'big')),
    plainCase(utf16(LONG, 'little'), {encoding: 'utf-16'}),
    plainCase(utf16(LONG, 'big')),
    plainCase(marked, {encoding: 'windows-1252'}),
    plainCase(latin1(declared('windows-1252'))),
    plainCase(latin1(declared('iso-8859-7'))),
    plainCase(latin1(ACCENTED), {encoding: 'iso-8859-1'}),
    plainCase(latin1(ACCENTED)),
    plainCase(declared('utf-16')),
    plainCase(LONG, {encoding: 'x-nonsense'}),
  ]
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function utf16(text: string, endian: 'little' | 'big'): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * text.length))
  for (let index = 0; index < text.length; index++)
    view.setUint16(2 * index, text.charCodeAt(index), endian === 'little')
  return new Uint8Array(view.buffer)
}

const WRITTEN: readonly string[] = [
  listing(response('<x:p><![CDATA[a<b]]]]><![CDATA[>&amp;]]></x:p><!-- - -->')),
  listing(response('<x:p>a<?pi "?>b<!--"--><x:q c=\'"\' d="&#10;&lt;">&#x41;</x:q>]] ></x:p>')),
  listing(response('<x:p>1&amp;2&#13;\r\n3\r4</x:p><x:p>5</x:p><D:toString>6</D:toString>')),
  listing(
    response(
      '<x:p><x:q D:a="1" x:b="2" xml:c="3" DAV:d="4" y:e="5" xmlns="urn:y"><y/></x:q></x:p>',
    ),
  ),
  alike((index) => `<D:getetag>"${index}"</D:getetag><D:resourcetype/><x:p>${index}</x:p>`, '\n'),
  alike(
    (index) => `<x:p a="1">&amp;${index}</x:p><D:getcontentlength>${index}</D:getcontentlength>`,
  ),
  alike(
    (index) =>
      `<x:p${index % 2}>${index}</x:p${index % 2}><D:displayname>\u{1F600}</D:displayname>`,
  ),
  listing(
    Array.from(
      {length: 7},
      (_, index) => `<D:response><D:href>/docs/${index}</D:href>${OK}</D:response>`,
    ).join(''),
  ),
  listing(response('<x:p><x:q/></x:p>').repeat(3) + response('<x:p><x:q/>t</x:p>')),
  listing(`<D:response><D:href>/docs/a</D:href><D:href>/docs/b</D:href>
    <D:status>HTTP/1.1 423 Locked</D:status><D:error><D:lock-token-submitted/></D:error>
    <D:responsedescription> locked </D:responsedescription>
    <D:location><D:href>/docs/c</D:href></D:location></D:response>
    <D:responsedescription>some</D:responsedescription><D:sync-token>urn:1</D:sync-token>`),
  listing(`<D:response><D:href>/docs/</D:href><D:status>HTTP/1.1 507</D:status></D:response>`),
  listing(`<D:response><D:href>/docs/a</D:href><D:propstat><D:prop><D:getetag/><x:p/></D:prop>
    <D:status>HTTP/1.1 404 Not Found</D:status><D:error><x:why/></D:error>
    <D:responsedescription>no</D:responsedescription></D:propstat></D:response>`),
  listing(`${response('<x:p>a</x:p>')}<D:response><D:href>/docs/&bad</D:response>${response('')}`),
  listing(`${response('<x:p>a</x:q>')}${response('')}<D:response><D:href>/a${response('')}`),
  listing(`<D:response><D:href>/docs/\u0001</D:href>${OK}</D:response></D:x>${response('')}`),
  '<multistatus xmlns="DAV:"><response><href>http://other.example/docs/%e9//./../b c</href><status>200</status></response></multistatus>',
  '<!DOCTYPE html><html><body>no</body></html>',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>',
  '{"error": 1}',
  '<D:multistatus xmlns:D="DAV:"/>',
  '',
]
