// States rule 13 of the contract: a kept result costs its own size, not the chunk of the body around it. Few results are kept, and
// the memory that they hold is counted.
import {type DavResult, KnownMarkup, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {bytes, propstat, response, type Options} from '../support/fixtures.ts'
import {collectGarbage} from '../support/garbage.ts'

const TAIL = '</D:multistatus>'
const HEAD = '<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">'
const RESPONSES = 8000
// Several of a chunk: memory that they hold together counts once.
const OF = 20
const MOST = 1024

// Long enough for V8 to cut it out as a window, and another one each time.
const word = (number: number): string => `${number}-some-longer-text-${number}`
const words = (text: string): string => `<D:responsedescription>${text}</D:responsedescription>`

interface Kind {
  readonly name: string
  readonly make: (text: string, number: number) => string
  readonly options?: Options
  /** A piece of a result that somebody keeps alone. */
  readonly pick?: (result: DavResult) => unknown
}

const live = (text: string, number: number): string =>
  response(
    `/docs/folder/${text}.txt`,
    `<D:displayname>${text}</D:displayname><D:getetag>"${text}"</D:getetag><D:resourcetype/>` +
      `<D:getcontenttype>text/${text}</D:getcontenttype><D:getcontentlength>${number}</D:getcontentlength>` +
      `<D:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</D:getlastmodified>`,
  )
const failed = (text: string, inside: string): string =>
  `<D:response><D:href>/docs/${text}</D:href>${inside}</D:response>`

const said = (status: string, prop: string, text: string): string =>
  propstat(status, prop).replace('</D:propstat>', `${words(text)}</D:propstat>`)

const kinds: readonly Kind[] = [
  {name: 'live properties', make: live},
  {name: 'its href alone', make: live, pick: ({href}) => href},
  {name: 'its URL alone', make: live, pick: ({url}) => url},
  {name: 'one value alone', make: live, pick: (result) => result.ok && result.properties.getetag},
  {
    name: 'a long value alone',
    make: (text) => response(`/${text}`, `<x:p>${text.repeat(20)}</x:p>`),
    pick: (result) => result.ok && result.properties['{urn:x}p'],
  },
  {
    name: 'dead properties',
    make: (text) => response(`/${text}`, `<x:p>${text}</x:p><x:q>a ${text} &amp; &#233;</x:q>`),
  },
  {
    name: 'text beyond ASCII',
    make: (text) =>
      response(`/é ${text}`, `<x:p>漢 ${text}</x:p><D:displayname>é ${text}</D:displayname>`),
  },
  {
    name: 'white space around values',
    make: (text) => response(`\n /${text}\n `, `<D:getetag> "${text}" </D:getetag>`),
  },
  {
    name: 'CDATA and comments in values',
    make: (text) =>
      response(`/<!-- a -->${text}`, `<x:p><![CDATA[<${text}>]]><!-- b --> ${text}</x:p>`),
  },
  {
    name: 'structured values',
    make: (text) => response(`/${text}`, `<x:p><x:q a="${text}">1</x:q> ${text}</x:p>`),
  },
  {
    name: 'a live property with an element in it',
    make: (text) => response(`/${text}`, `<D:getetag><x:a/>"${text}"</D:getetag>`),
  },
  {
    name: 'missing properties',
    make: (text) =>
      failed(text, propstat('HTTP/1.1 200', '<D:getetag/>') + said('HTTP/1.1 404', '<x:p/>', text)),
  },
  {
    name: 'names that are not remembered',
    make: (text) => response(`/${text}`, `<x:p${text}>1</x:p${text}>`),
  },
  {
    name: 'an invalid value',
    make: (text) => response(`/${text}`, `<D:getcontentlength>${text}</D:getcontentlength>`),
  },
  {
    name: 'a failure with its words, its condition and its location',
    make: (text) =>
      failed(
        text,
        `<D:status>HTTP/1.1 302</D:status><D:error><D:lock-token-submitted/></D:error>${words(text)}<D:location><D:href>/b/${text}</D:href></D:location>`,
      ),
  },
  {
    name: 'a refused propstat',
    make: (text) => failed(text, said('HTTP/1.1 403', '', text)),
  },
  {name: 'a response that makes no sense', make: (text) => failed(text, words(text))},
  {
    name: 'a response that is not well-formed',
    make: (text) => failed(text, `&${text};`),
    options: {malformed: 'skip'},
  },
  {
    name: 'pieces that a decoder cut out',
    make: (text) => response(`/${text}`, `<x:p>${text},${text}</x:p><x:q>${text}</x:q>`),
    options: {
      decoders: {
        '{urn:x}p': (value) => (typeof value === 'string' ? value.split(',') : undefined),
        '{urn:x}q': (value) => {
          throw new Error(typeof value === 'string' ? value : '')
        },
      },
    },
  },
]

function* chunksOf(make: Kind['make']): Generator<Uint8Array> {
  let text = HEAD
  for (let number = 0; number < RESPONSES; number++) {
    text += make(word(number), number)
    if (text.length < 60_000) continue
    yield bytes(text)
    text = ''
  }
  yield bytes(text + TAIL)
}

/** Reads a body, and returns the kept parts of it. */
function keep({make, options, pick = (result) => result}: Kind): unknown[] {
  const parser = new MultiStatusParser({url: 'https://dav.example/docs/', ...options})
  const kept: unknown[] = []
  let number = 0
  for (const chunk of chunksOf(make))
    for (const result of parser.write(chunk)) if (number++ % OF === 0) kept.push(pick(result))
  parser.end()
  return kept
}

function held(): number {
  collectGarbage()
  collectGarbage()
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}

// Code that is compiled meanwhile is held too, but not each time.
const ATTEMPTS = 4

/** Bytes that are held for each thing that is kept. */
function costOf(read: () => readonly unknown[]): number {
  read()
  const costs: number[] = []
  do costs.push(costOnce(read))
  while (costs.length < ATTEMPTS && costs.every((cost) => cost >= MOST))
  return Math.min(...costs)
}

function costOnce(read: () => readonly unknown[]): number {
  const before = held()
  const kept = read()
  const after = held()
  expect(kept.length).toBeGreaterThan(100)
  return (after - before) / kept.length
}

describe('a kept part of a body', () => {
  it.each(kinds)('costs less than 1 KB for each: $name', (kind) => {
    expect(costOf(() => keep(kind))).toBeLessThan(MOST)
  })

  it('is the summary, with its words and its token', () => {
    const padding = `<!--${'a'.repeat(60_000)}-->`
    const summary = (_: unknown, number: number): unknown => {
      const parser = new MultiStatusParser()
      const token = `<D:sync-token>urn:${word(number)}</D:sync-token>`
      parser.write(bytes(HEAD + padding + words(word(number)) + token + TAIL))
      return parser.end()
    }
    expect(costOf(() => Array.from({length: 200}, summary))).toBeLessThan(MOST)
  })
})

it('knowledge of markup holds no chunk of the documents that it was learnt from', () => {
  const padding = `<!--${'a'.repeat(60_000)}-->`
  const numbers = Array.from({length: 20}, (_, number) => number)
  const learn = (_: unknown, round: number): KnownMarkup => {
    const markup = new KnownMarkup()
    const responses = numbers.map((number) => live(word(number), number * round))
    new MultiStatusParser({markup}).write(bytes(HEAD + padding + responses.join('') + TAIL))
    return markup
  }
  expect(costOf(() => Array.from({length: 200}, learn))).toBeLessThan(40 * MOST)
})

it('knowledge of markup holds a bounded part of hostile documents', () => {
  const markup = new KnownMarkup()
  const document = (round: number): string =>
    HEAD +
    Array.from({length: 300}, (_, index) => {
      const name = `x:p${round}-${index}`
      const value = `<${name}>${'v'.repeat(200)}</${name}>`
      return `<D:response><D:href>/docs/${index}</D:href><D:propstat><D:prop>${value}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
    }).join('') +
    TAIL
  const read = (from: number, to: number): void => {
    for (let round = from; round < to; round++) {
      const parser = new MultiStatusParser({markup})
      expect(parser.write(document(round))).toHaveLength(300)
    }
  }
  read(0, 20)
  const before = held()
  read(20, 100)
  // The knowledge is used behind the count, so that it is held till then.
  expect(held() - before).toBeLessThan(4e6)
  read(100, 101)
})
