// States that `visible` makes one line of a server's text, in its reading order, without a character that a terminal obeys.
// Every message of an error is such a line. Unicode 16, chapters 3, 5 and 23; UAX #9.

import fc from 'fast-check'
import {
  DavError,
  DavHttpError,
  DavNetworkError,
  DavTimeoutError,
  encodePath,
  fromLocalPath,
  MultiStatusError,
  toLocalPath,
  visible,
} from 'multistatus'
import {visible as visibleOfParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {quoted} from '../../src/protocol/errors.ts'

// Written down here, and not by the classes of Unicode that the code uses.
const HARMFUL = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0xd800, 0xdfff],
  [0xfeff, 0xfeff],
  [0xfff9, 0xfffb],
  [0xe0001, 0xe0001],
  [0xe0020, 0xe007f],
] as const

function isHarmful(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return HARMFUL.some(([first, last]) => code >= first && code <= last)
}

const harmful = HARMFUL.flatMap(([first, last]) =>
  Array.from({length: last - first + 1}, (_, index) => String.fromCodePoint(first + index)),
)

describe('visible', () => {
  it.each([
    ['a plain text', 'a plain text'],
    ['a\r\nb\tc', 'a  b c'],
    ['ok\ndeleted https://dav.example/a', 'ok deleted https://dav.example/a'],
    ['\u001B[31mred\u001B]0;title\u0007', String.raw`\u001b[31mred\u001b]0;title\u0007`],
    ['\u009B2J\u0085\u007F', String.raw`\u009b2J\u0085\u007f`],
    ['a\u2028b\u2029c', String.raw`a\u2028b\u2029c`],
    ['\u202Egpj.exe', String.raw`\u202egpj.exe`],
    ['\u2066a\u2067b\u2068c\u2069', String.raw`\u2066a\u2067b\u2068c\u2069`],
    ['a\u200Eb\u200Fc\u061Cd', String.raw`a\u200eb\u200fc\u061cd`],
    ['\uFEFFa\u200Bb\u2060c\u00ADd', String.raw`\ufeffa\u200bb\u2060c\u00add`],
    ['a\uD83D', String.raw`a\ud83d`],
    ['\uDE00b', String.raw`\ude00b`],
    ['a\u{E0041}b', String.raw`a\u{e0041}b`],
    ['pay\u200Dpal', String.raw`pay\u200dpal`],
    ['pay\u200Cpal', String.raw`pay\u200cpal`],
    ['\u200D\u200D', String.raw`\u200d\u200d`],
  ])('of %j is %j', (text, line) => {
    expect(visible(text)).toBe(line)
    expect(visibleOfParser(text)).toBe(line)
  })

  it.each([
    'caf\u00E9 cafe\u0301',
    '\u05E9\u05DC\u05D5\u05DD',
    '\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645',
    '\u0915\u094D\u200D\u0937',
    '\u{1F468}\u200D\u{1F469}\u200D\u{1F467}',
    '\u2764\uFE0F\u200D\u{1F525}',
    '\u2615\uFE0F',
    '\u{1F600}',
    '\uFFFD',
    String.raw`back\slash \u001b`,
  ])('leaves %j as people write it', (text) => {
    expect(visible(text)).toBe(text)
  })

  it('leaves no character as it is that a terminal may obey or hide', () => {
    for (const character of harmful) {
      expect(visible(`a${character}b`)).not.toContain(character)
      expect(visible(character)).not.toContain(character)
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...harmful, 'a', ' ', '\u05D0')), (characters) => {
        expect(Array.from(visible(characters.join(''))).filter(isHarmful)).toEqual([])
      }),
    )
  })

  it('is the same when it is taken twice', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (text) => {
        expect(visible(visible(text))).toBe(visible(text))
      }),
    )
  })

  it('cuts a longer text, and no character in two', () => {
    expect(visible('x'.repeat(30), 10)).toBe(`${'x'.repeat(10)}…`)
    expect(visible('x'.repeat(10), 10)).toBe('x'.repeat(10))
    expect(visible('ab\u{1F600}cd', 3)).toBe('ab…')
    expect(visible('ab\u{1F600}cd', 4)).toBe('ab\u{1F600}…')
    expect(visible('x'.repeat(100_000))).toHaveLength(100_000)
    expect(visible('', 0)).toBe('')
  })
})

describe('the message of an error', () => {
  const text = `a${harmful.join('')}b`
  const facts = {status: 403, method: text, url: text, location: text, depth: text}
  const errors: readonly (readonly [string, Error])[] = [
    ['DavError', new DavError(text)],
    ['DavNetworkError', new DavNetworkError(text)],
    ['DavTimeoutError', new DavTimeoutError(text, 'idle')],
    ['MultiStatusError', new MultiStatusError(text, 'encoding', 0)],
    ['DavHttpError', new DavHttpError({...facts, conditions: [text]})],
    [
      'DavHttpError 401',
      new DavHttpError({
        ...facts,
        status: 401,
        conditions: [],
        sent: 'none',
        challenges: [{scheme: 'Basic', realm: text}],
      }),
    ],
    ...[
      () => encodePath(`${text}/..`),
      () => encodePath('..'),
      () => encodePath('x\uD83D\u202E'),
      () => fromLocalPath(`/${text}`),
      () => fromLocalPath('a\0b\u202E'),
      () => toLocalPath({url: 'https://dav.example/', relation: 'outside', href: text}, {}),
      () => toLocalPath({url: text, relation: 'self'}, {}),
    ].map((call) => ['TypeError', thrownBy(call)] as const),
  ]

  it.each(errors)(
    'of %s is one line that a terminal shows as it is',
    (_, {message, stack = ''}) => {
      expect(Array.from(message).filter(isHarmful)).toEqual([])
      expect(stack.split('\n', 1)[0]).toContain(message)
    },
  )

  function thrownBy(call: () => unknown): Error {
    try {
      call()
    } catch (error) {
      if (error instanceof TypeError) return error
    }
    throw new Error('no TypeError')
  }
})

describe('a reference in a message', () => {
  it.each([
    ['https://ana:hidden-secret@dav.example/a', '"https://dav.example/a"'],
    ['https://ana:hidden@secret@dav.example/a', '"https://dav.example/a"'],
    ['//ana:hidden-secret@dav.example/a', '"//dav.example/a"'],
    ['https:ana:hidden-secret@dav.example/a', '"https:dav.example/a"'],
    ['https:\\\\ana:hidden-secret@dav.example', String.raw`"https:\\\\dav.example"`],
    ['https:///ana:hidden-secret@dav.example/', '"https:///dav.example/"'],
    [' https://ana:hidden-secret@dav.example/', '" https://dav.example/"'],
    ['https://ana:hidden/secret@dav.example/', '"dav.example/"'],
    ['https://ana:hidden/se@cret@dav.example/', '"dav.example/"'],
    ['http://[ana:hidden-secret@x', '"http://x"'],
    ['http://ana:hidden-secret@[x', '"[x"'],
    ['ana@dav.example', '"ana@dav.example"'],
    ['a/b@c', '"a/b@c"'],
    ['a\n"b"', String.raw`"a\n\"b\""`],
  ])('has no credentials: %s', (text, words) => {
    expect(quoted(text)).toBe(words)
  })

  it('has none in the Location of a redirect either', () => {
    const location = 'https://ana:hidden-secret@dav.example/b'
    const facts = {status: 302, method: 'PROPFIND', url: 'https://dav.example/a', conditions: []}
    const error = new DavHttpError({...facts, location})
    expect(error.message).toBe(
      'PROPFIND https://dav.example/a answered 302 (Location: https://dav.example/b)',
    )
    expect(error.location).toBe(location)
  })

  it('is not longer than a message may be', () => {
    expect(quoted('x'.repeat(5000))).toBe(`"${'x'.repeat(999)}…`)
  })
})
