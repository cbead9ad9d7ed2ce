// States that a hostile body costs work in proportion to its length and memory within the limits, in both modes. Four times the
// length takes about four times the work, which is counted and not timed. It takes no more memory. RFC 4918, section 20.6.

import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it, vi} from 'vitest'

import {loadInstrumented} from '../fuzz/instrument.ts'
import type {ParserClasses} from '../fuzz/reading.ts'
import {bytes, response, verdict} from '../support/fixtures.ts'
import {collectGarbage} from '../support/garbage.ts'
import {countWork} from '../support/work.ts'

const HEAD = '<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">'
const RESPONSE = '<D:response><D:href>/docs/a</D:href><D:propstat><D:prop>'
const CUT = `${RESPONSE}<x:p>`
const VALUE = HEAD + CUT

interface Attack {
  readonly name: string
  readonly head?: string
  /** The piece with this number. */
  readonly piece: (number: number) => string
  readonly tail?: string
  /** Bytes after which memory is looked at, where the usual ones show nothing. */
  readonly length?: number
}

const attacks: readonly Attack[] = [
  {name: 'no > ever', head: `${HEAD}<a`, piece: () => 'aaaaaaaaaa'},
  {name: 'a start tag without end', head: `${HEAD}<a b="`, piece: () => 'aaaaaaaaaa'},
  {name: 'an end tag without end', head: `${HEAD}</D:multistatus`, piece: () => '          '},
  {name: 'an instruction without end', head: `${HEAD}<?a `, piece: () => 'aaaa?aaaaa'},
  {name: 'attributes without end', head: `${HEAD}<a`, piece: (number) => ` a${number}=""`},
  {name: 'nesting without end', head: HEAD, piece: () => '<x:p>'},
  {name: 'a value without end', head: VALUE, piece: () => 'aaaaaaaaaa'},
  {name: 'a value of references', head: VALUE, piece: () => '&#x1F600;'},
  {name: 'a value of elements', head: VALUE, piece: () => '<x:a>a</x:a>'},
  {name: 'a value of carriage returns', head: VALUE, piece: () => '\r\r\n'},
  {name: 'a value of brackets', head: VALUE, piece: () => ']]]]'},
  {name: 'a value that is not ASCII', head: VALUE, piece: () => '漢é😀'},
  {name: 'a comment without end', head: `${HEAD}<!--`, piece: () => 'aaaaaa-aaa'},
  {name: 'a CDATA section without end', head: `${VALUE}<![CDATA[`, piece: () => 'aaaaaaa]]a'},
  {name: 'a CDATA section of tags', head: `${VALUE}<![CDATA[`, piece: () => '<p>é</p>>'},
  {name: 'ampersands and ends of tags', head: VALUE, piece: () => '&>&>é'},
  {name: 'many comments', head: HEAD, piece: () => '<!--a-->'},
  {name: 'many CDATA sections', head: VALUE, piece: () => '<![CDATA[]]>'},
  {name: 'many instructions', head: HEAD, piece: () => '<?a b?>'},
  {name: 'many hrefs', head: `${HEAD}<D:response>`, piece: () => '<D:href>/docs/a</D:href>'},
  {name: 'many properties', head: HEAD + RESPONSE, piece: (number) => `<x:p${number}/>`},
  {name: 'many conditions', head: `${HEAD}<D:response><D:error>`, piece: (n) => `<x:p${n}/>`},
  {name: 'unknown elements', head: HEAD, piece: (number) => `<x:p${number}></x:p${number}>`},
  {
    name: 'namespaces',
    head: HEAD,
    piece: (number) =>
      response('/docs/a', `<y:p xmlns:y="urn:${number}" xmlns:z${number}="urn:z"/>`),
  },
  {
    name: 'names',
    head: HEAD,
    piece: (number) => response('/docs/a', `<x:p${number}>1</x:p${number}>`),
  },
  {
    name: 'shapes of markup',
    head: HEAD,
    piece: (number) => response('/docs/a', `<x:p><x:a${number}/><x:b b="${number}"/></x:p>`),
  },
  {
    name: 'start tags of responses',
    head: HEAD,
    piece: (number) =>
      `<D:response a="${number}"><D:href>/docs/a</D:href><D:status>200</D:status></D:response>`,
  },
  {
    name: 'responses that are not ASCII',
    head: HEAD,
    piece: (number) => response(`/docs/漢${number}`, '<x:p>é</x:p>'),
  },
  {
    name: 'hrefs full of dots',
    head: HEAD,
    piece: () => verdict('/docs/a/../.././%2e/%zz//b c', '423'),
  },
  {name: 'bare ampersands', head: VALUE, piece: () => '& &a &a;'},
  {name: 'control characters', head: VALUE, piece: () => 'a\u0001b'},
  {name: 'tags that never close', head: VALUE, piece: () => '<a <b c="<'},
  {name: 'bare less-than signs', head: VALUE, piece: () => '<<<< <1'},
  {name: 'end tags that match nothing', head: VALUE, piece: (number) => `</x:n${number}>`},
  {
    name: 'end tags that match something else',
    head: HEAD + RESPONSE,
    piece: () => '<x:p><x:q></x:p></x:q>',
  },
  {name: 'tags before <!', head: `${HEAD}<D:response>`, piece: () => '<a<!'},
  {
    name: 'roots that end in responses',
    head: HEAD,
    piece: () => '<D:response><x:p><D:response></D:multistatus>',
  },
  {name: '<! that begins nothing', head: VALUE, piece: () => '<!a'},
  {name: 'responses without end', head: HEAD, piece: () => `${CUT}a`},
  {name: 'good responses in one without end', head: VALUE, piece: () => response('/docs/b')},
  {
    name: 'an unknown element of the root with a response in it',
    head: `${HEAD}<x:o><D:response/>`,
    piece: () => '<x:a>0123456789</x:a>',
    length: 24_000_000,
  },
  {
    name: 'an unknown element of the root with a response in it that ends',
    head: HEAD,
    piece: (number) => `${number === 0 ? '<x:o><D:response/></x:o>' : ''}<x:a>0123456789</x:a>`,
    length: 24_000_000,
  },
  {
    name: 'hrefs and values with responses in them',
    head: `${HEAD}<D:response>`,
    piece: () => '<D:href>/docs/a</D:href><x:p><D:response/></x:p>',
  },
  {
    name: 'an href with responses in it',
    head: `${HEAD}<D:response><D:href>`,
    piece: () => 'aaaa<x:p><D:response/></x:p>',
  },
  {
    name: 'responses without end, each with one that holds another one',
    head: HEAD,
    piece: () =>
      `<D:response><x:a/><x:a/><x:a/><D:response><x:p><E:response xmlns:E="DAV:"></E:response></D:response>`,
  },
  {
    name: 'responses in one another that all end too early',
    head: HEAD,
    piece: () => '<D:response><x:p>'.repeat(60) + '</D:response>'.repeat(60),
  },
  {
    name: 'responses in one another, which the ends of what they are in end',
    head: HEAD,
    piece: () =>
      Array.from({length: 40}, (_, level) => `<D:response><x:p${level}>`).join('') +
      Array.from({length: 40}, (_, level) => `</x:p${level}>`).join(''),
  },
  {
    name: 'unknown elements without end, each with a response before it',
    head: HEAD,
    piece: () => '<D:response><x:p><x:e></x:p></D:response><x:e>',
  },
  {
    name: 'responses that end too early, in one that ends',
    head: HEAD,
    piece: () => '<D:response><D:response><D:response/><x></D:response></D:response>',
    length: 36_000_000,
  },
  {
    name: 'responses that values end',
    head: HEAD,
    piece: () => '<D:response><x:a><D:response></x:a>',
  },
  {
    name: 'responses that end too early beside one another, in a root that ends',
    head: HEAD,
    piece: () => '<D:response><D:response/><x:a></D:response>',
    tail: '</D:multistatus>',
  },
  {
    name: 'responses without end, each with one in its propstat',
    head: HEAD,
    piece: () => '<D:response><D:propstat><D:response/></D:propstat>',
  },
  {
    name: 'roots in roots that end together',
    head: HEAD,
    piece: () =>
      '</D:multistatus><D:multistatus><D:error><x:a><D:response/><D:propstat><x:b>&<x:b>',
    tail: '<D:response><x:b></D:propstat></D:multistatus>',
  },
  {name: 'roots that end', head: HEAD, piece: () => `${response('/docs/a')}</D:multistatus>`},
]

function* chunksOf(
  {head = '', piece, tail = ''}: Attack,
  length: number,
  size = 2000,
): Generator<Uint8Array> {
  yield bytes(head)
  let text = ''
  let made = 0
  for (let number = 0; made < length; number++) {
    text += piece(number)
    if (text.length < size) continue
    made += text.length
    yield bytes(text)
    text = ''
  }
  yield bytes(tail)
}

/** Reads to the end, or to the error, which is one of ours. */
function parse(
  chunks: Iterable<Uint8Array>,
  malformed: 'throw' | 'skip',
  {MultiStatusParser: Parser, MultiStatusError: OurError}: ParserClasses,
): void {
  const parser = new Parser({malformed})
  for (const chunk of chunks) {
    parser.write(chunk)
    if (parser.error === undefined) continue
    expect(parser.error).toBeInstanceOf(OurError)
    break
  }
}

/** Bytes in use before the first attack. Before a later one they are hardly more, and a collection takes long. */
let least: number | undefined

/** Loaded after the tests of memory, because it holds much itself. */
let instrumented: ReturnType<typeof loadInstrumented> | undefined

/** Counts the bytes in use. */
function memoryHeld(): number {
  collectGarbage()
  const {heapUsed, arrayBuffers} = process.memoryUsage()
  return heapUsed + arrayBuffers
}

describe.each(['throw', 'skip'] as const)('malformed: %s', (malformed) => {
  const limits = {response: 400_000, value: 200_000}
  const MOST = 12_000_000

  it.each(attacks)('$name: no more is held than the limits allow', (attack) => {
    const read = (length: number): MultiStatusParser => {
      const parser = new MultiStatusParser({malformed, limits})
      for (const chunk of chunksOf(attack, length)) {
        parser.write(chunk)
        if (parser.error !== undefined) break
      }
      return parser
    }
    read(50_000)
    const before = least ?? memoryHeld()
    least = before
    const parser = read(attack.length ?? 3_000_000)
    let held = memoryHeld() - before
    // The first collection may leave the buffers of chunks to be freed by the next one.
    if (held >= MOST) held = memoryHeld() - before
    // The parser is used behind the count, so that it is held till then.
    expect(held + Number(parser.isMultiStatus)).toBeLessThan(MOST)
  })
})

describe.each(['throw', 'skip'] as const)('malformed: %s', (malformed) => {
  it.each(attacks)('$name: the work is in proportion to the length', async (attack) => {
    const {classes, counters} = await (instrumented ??= loadInstrumented())
    const work = (length: number): number => {
      const chunks = [...chunksOf(attack, length)]
      return countWork(counters, () => parse(chunks, malformed, classes))
    }
    const once = work(15_000)
    const fourTimes = work(60_000)
    expect(once).toBeGreaterThan(1000)
    expect(fourTimes / once).toBeLessThan(5)
  })

  // The second of two chunks begins inside of something that is held.
  it.each([
    {name: 'a CDATA section', head: `${VALUE}<![CDATA[`, piece: () => '<p>é</p>>'},
    {name: 'ampersands', head: VALUE, piece: () => '&>&>é'},
    {name: 'tags', head: VALUE, piece: () => '<">é'},
  ])('$name with many ends of tags: a chunk is in a few pieces at most', (attack) => {
    const typedArray: Pick<Uint8Array, 'subarray'> = Object.getPrototypeOf(Uint8Array.prototype)
    const subarray = vi.spyOn(typedArray, 'subarray')
    parse(chunksOf(attack, 60_000, 30_000), malformed, {MultiStatusParser, MultiStatusError})
    const pieces = subarray.mock.calls.length
    subarray.mockRestore()
    expect(pieces).toBeGreaterThan(0)
    expect(pieces).toBeLessThan(50)
  })
})
