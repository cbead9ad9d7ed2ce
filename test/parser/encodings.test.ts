// States the supported encodings and the choice among them. Broken bytes are never repaired.
// XML 1.0, section 4.3.3 and appendix F; RFC 7303, section 3; RFC 4918, section 8.2.
import {MultiStatusError} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {
  bytes,
  multistatus,
  type Options,
  read,
  readToError,
  response,
  verdict,
} from '../support/fixtures.ts'

const text = 'é漢😀'
const utf8 = multistatus(response('/docs/a', `<x:p>${text}</x:p>`))
const bom = Uint8Array.of(0xef, 0xbb, 0xbf)

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]))
}

function utf16(body: string, littleEndian: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(body.length * 2))
  for (let index = 0; index < body.length; index++)
    view.setUint16(index * 2, body.charCodeAt(index), littleEndian)
  return new Uint8Array(view.buffer)
}

/** Tests if the platform knows the label of an encoding. */
function isLabel(label: string): boolean {
  try {
    return new TextDecoder(label).encoding === label
  } catch {
    return false
  }
}

/** One byte for each character, all of them below U+0100. */
function latin1(body: string): Uint8Array {
  return Uint8Array.from(body, (character) => character.charCodeAt(0))
}

/** The value of x:p, read at once and byte by byte. */
function value(body: Uint8Array, options?: Options): unknown {
  const [whole, single] = [[body], [...body].map((byte) => Uint8Array.of(byte))].map((chunks) => {
    const result = read(chunks, options).results.at(0)
    return result?.ok ? result.properties['{urn:x}p'] : result
  })
  expect(single).toEqual(whole)
  return whole
}

describe('UTF-8', () => {
  it.each([
    ['no declaration', ''],
    ['a declaration without an encoding', '<?xml version="1.0"?>'],
    ['a declaration', '<?xml version="1.0" encoding="utf-8"?>'],
    [
      'a declaration in upper case and single quotes',
      "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>",
    ],
  ])('is read with %s, with and without a byte order mark', (_, declaration) => {
    expect(value(bytes(declaration + utf8))).toBe(text)
    expect(value(join(bom, bytes(declaration + utf8)))).toBe(text)
  })

  it('keeps U+FEFF inside the document', () => {
    expect(value(bytes(multistatus(response('/docs/a', '<x:p>\uFEFFa\uFEFF</x:p>'))))).toBe(
      '\uFEFFa\uFEFF',
    )
  })
})

describe('UTF-16', () => {
  it.each([
    ['little-endian', true],
    ['big-endian', false],
  ])('is read %s after its byte order mark', (_, littleEndian) => {
    expect(value(utf16(`\uFEFF${utf8}`, littleEndian))).toBe(text)
    expect(value(utf16(`\uFEFF<?xml version="1.0" encoding="utf-16"?>${utf8}`, littleEndian))).toBe(
      text,
    )
  })

  it.each([
    ['utf-16le', true],
    ['utf-16be', false],
  ])('is read without a mark if the charset is %s', (encoding, littleEndian) => {
    expect(value(utf16(utf8, littleEndian), {encoding})).toBe(text)
  })

  it('is refused with half a surrogate pair', () => {
    const body = utf16(
      `\uFEFF${multistatus(response('/docs/a'), response('/docs/b', '<x:p>a\uD83Db</x:p>'))}`,
      true,
    )
    expect(readToError(body)).toMatchObject({
      results: [{href: '/docs/a'}],
      error: {reason: 'encoding'},
    })
  })
})

describe('single-byte encodings', () => {
  const body = (declaration: string, letter: string): Uint8Array =>
    latin1(declaration + multistatus(response('/docs/a', `<x:p>caf${letter}</x:p>`)))

  it.each(['iso-8859-1', 'ISO-8859-1', 'windows-1252'])('are read if %s is declared', (name) => {
    expect(value(body(`<?xml version="1.0" encoding="${name}"?>`, '\u00E9'))).toBe('café')
  })

  it.each(['iso-8859-1', 'ISO-8859-1', 'windows-1252'])(
    'are read if the charset is %s',
    (encoding) => {
      expect(value(body('', '\u00E9'), {encoding})).toBe('café')
    },
  )

  it('tell the euro sign of windows-1252', () => {
    expect(value(body('<?xml version="1.0" encoding="windows-1252"?>', '\u0080'))).toBe('caf€')
  })
})

describe('the choice of an encoding', () => {
  it('is the byte order mark before the charset and the declaration', () => {
    const declared = bytes(`<?xml version="1.0" encoding="iso-8859-1"?>${utf8}`)
    expect(value(join(bom, declared), {encoding: 'iso-8859-1'})).toBe(text)
    expect(value(utf16(`\uFEFF${utf8}`, false), {encoding: 'utf-8'})).toBe(text)
  })

  it('is the charset before the declaration', () => {
    expect(
      value(bytes(`<?xml version="1.0" encoding="iso-8859-1"?>${utf8}`), {encoding: 'utf-8'}),
    ).toBe(text)
  })
})

describe('an unknown label', () => {
  const labels = ['x-klingon', 'utf8mb4', 'utf-8,', 'none', '"utf-8', 'utf 8', '', ' ', '\u202Eutf']
  const declared = (label: string): string => `<?xml version="1.0" encoding="${label}"?>`
  const body = bytes(multistatus(response('/docs/a', '<x:p>é漢</x:p>')))

  it.each(labels)('counts as none if it is the charset: "%s"', (encoding) => {
    expect(value(body, {encoding})).toBe('é漢')
    const western = multistatus(response('/docs/a', '<x:p>\u00E9</x:p>'))
    expect(value(latin1(declared('iso-8859-1') + western), {encoding})).toBe('é')
    expect(value(utf16(new TextDecoder().decode(body), true), {encoding})).toBe('é漢')
  })

  it.each(['x-klingon', 'utf8mb4', 'x'])('counts as none if it is declared: "%s"', (label) => {
    expect(value(join(bytes(declared(label)), body))).toBe('é漢')
    expect(value(join(bytes(declared(label)), body), {encoding: 'utf8mb4'})).toBe('é漢')
    expect(
      value(
        join(bytes(declared(label)), latin1(multistatus(response('/docs/a', '<x:p>\u00E9</x:p>')))),
        {encoding: 'latin1'},
      ),
    ).toBe('é')
  })

  it.each(labels)('leaves bytes that are no UTF-8 an error, never U+FFFD: "%s"', (encoding) => {
    const broken = latin1(multistatus(response('/docs/a', '<x:p>\u00E9</x:p>')))
    expect(readToError(broken, {encoding})).toMatchObject({
      results: [],
      error: {
        name: 'MultiStatusError',
        reason: 'encoding',
        message: expect.stringContaining('utf-8'),
      },
    })
  })

  it('hides no verdict', () => {
    const locked = multistatus(verdict('/docs/a', 'HTTP/1.1 423 Locked'))
    expect(readToError(locked, {encoding: 'utf8mb4', method: 'DELETE'}).results).toMatchObject([
      {ok: false, status: 423},
    ])
  })
})

it('x-user-defined is not read, or a label that the platform does not know, as on Node 22', () => {
  const isKnown = isLabel('x-user-defined')
  const {results, error} = readToError(bytes(multistatus(response('/docs/a'))), {
    encoding: 'x-user-defined',
  })
  expect([results.length, error instanceof Error]).toEqual(isKnown ? [0, true] : [1, false])
})

// Read as UTF-8, bytes of these might be other text, and nobody would know.
describe.each(['shift_jis', 'gbk', 'big5', 'euc-kr', 'iso-2022-jp'])(
  'the encoding %s, which is known and not read',
  (label) => {
    it('is an error that names it', () => {
      const body = multistatus(response('/docs/a'))
      const error = {
        name: 'MultiStatusError',
        reason: 'encoding',
        message: expect.stringContaining(label),
      }
      const declared = bytes(`<?xml version="1.0" encoding="${label}"?>${body}`)
      expect(readToError(declared)).toMatchObject({results: [], error})
      expect(readToError(bytes(body), {encoding: label})).toMatchObject({results: [], error})
    })
  },
)

describe('broken UTF-8', () => {
  const [head = '', tail = ''] = multistatus(
    response('/docs/a', '<x:p>é漢</x:p>'),
    response('/docs/b', '<x:p>a|b</x:p>'),
  ).split('|')

  it.each([
    ['a Latin-1 byte', [0xe9]],
    ['a lone continuation byte', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong NUL', [0xc0, 0x80]],
    ['an overlong slash in three bytes', [0xe0, 0x80, 0xaf]],
    ['an overlong slash in four bytes', [0xf0, 0x80, 0x80, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0xbd]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
    ['a byte that never occurs', [0xff]],
    ['a sequence that is cut short', [0xe6, 0xbc]],
  ])('is an error with its place and never U+FFFD: %s', (_, broken) => {
    const body = join(bytes(head), Uint8Array.from(broken), bytes(tail))
    const from = bytes(head).length
    for (const chunks of [[body], [...body].map((byte) => Uint8Array.of(byte))]) {
      const {results, error} = readToError(chunks)
      expect(results).toMatchObject([{href: '/docs/a', properties: {'{urn:x}p': 'é漢'}}])
      expect(error).toMatchObject({
        name: 'MultiStatusError',
        reason: 'encoding',
        offset: expect.any(Number),
      })
      const offset = error instanceof MultiStatusError ? error.offset : undefined
      expect(offset).toBeGreaterThanOrEqual(from)
      expect(offset).toBeLessThanOrEqual(from + broken.length)
    }
  })

  it('is an error in a name, an attribute, a comment and an href too', () => {
    for (const markup of ['<x:|/>', '<x:p a="|"/>', '<!--|-->']) {
      const [start = '', end = ''] = multistatus(response('/docs/a', markup)).split('|')
      expect(readToError(join(bytes(start), Uint8Array.of(0xe9), bytes(end))).error).toMatchObject({
        reason: 'encoding',
      })
    }
    const [start = '', end = ''] = multistatus(response('/docs/|')).split('|')
    expect(readToError(join(bytes(start), Uint8Array.of(0xe9), bytes(end))).error).toMatchObject({
      reason: 'encoding',
    })
  })
})
