// States that the option `markup` changes no result. Each recorded answer is read behind others of its server, and alone. Knowledge
// counts for one origin, one kind of limits and decoders, and is bounded.

import {
  KnownMarkup,
  MultiStatusError,
  MultiStatusParser,
  parseMultiStatus,
} from 'multistatus/parser'
import type {ParserOptions} from 'multistatus/parser'
import {describe, expect, it, vi} from 'vitest'

import {read} from '../fuzz/reading.ts'
import {bytes, fixtureNames, bytesOf, multistatus, response} from '../support/fixtures.ts'

const classes = {MultiStatusParser, MultiStatusError}
const recorded = fixtureNames()

/** The outcome of a reading, with properties in any order. */
function outcomeOf(body: Uint8Array, options: ParserOptions): unknown {
  const {results, summary, error} = read(classes, [body], options)
  return {results, summary, error: error && {...error, message: error.message}}
}

describe('results are the same behind other documents', () => {
  it.each([1, 2])('in all recorded answers, in order %s', (order) => {
    const markup = new KnownMarkup()
    const names = order === 1 ? recorded : recorded.toReversed()
    for (const name of names) {
      const body = bytesOf(name)
      const url = 'http://localhost/docs/'
      expect([name, outcomeOf(body, {url, markup})]).toEqual([name, outcomeOf(body, {url})])
    }
  })

  it('while two documents are read in turns', () => {
    const markup = new KnownMarkup()
    const bodies = ['a', 'b'].map((name) =>
      bytes(
        multistatus(...Array.from({length: 30}, (_, index) => response(`/docs/${name}${index}`))),
      ),
    )
    const parsers = bodies.map(() => new MultiStatusParser({markup}))
    const hrefs: string[][] = [[], []]
    for (let at = 0; at < 10_000; at += 50)
      for (const [index, parser] of parsers.entries())
        for (const {href} of parser.write(bodies[index]?.subarray(at, at + 50) ?? ''))
          hrefs[index]?.push(href)
    for (const parser of parsers) expect(parser.end()).toMatchObject({complete: true})
    expect(hrefs).toEqual(
      ['a', 'b'].map((name) => Array.from({length: 30}, (_, index) => `/docs/${name}${index}`)),
    )
  })

  it('with a prefix that means something else', () => {
    const markup = new KnownMarkup()
    const body = (namespace: string): string =>
      multistatus(...[1, 2, 3].map((name) => response(`/docs/${name}`, '<x:p>1</x:p>'))).replace(
        'urn:x',
        namespace,
      )
    for (const namespace of ['urn:x', 'urn:y', 'urn:x']) {
      const results = new MultiStatusParser({markup}).write(body(namespace))
      expect(results).toHaveLength(3)
      for (const result of results)
        expect(result).toMatchObject({properties: {[`{${namespace}}p`]: '1'}})
    }
  })

  it('and a refused root does not become known', () => {
    const markup = new KnownMarkup()
    const made = '<D:mkcol-response xmlns:D="DAV:"><D:propstat/></D:mkcol-response>'
    for (let round = 0; round < 3; round++) {
      const parser = new MultiStatusParser({markup})
      parser.write(made)
      expect(parser.error).toMatchObject({reason: 'not-multistatus'})
      const other = new MultiStatusParser({markup, method: 'MKCOL'})
      other.write(made)
      expect(other.error).toBeUndefined()
    }
  })
})

describe('knowledge', () => {
  const listing = multistatus(
    ...[1, 2, 3, 4].map((name) => response(`/docs/${name}`, '<x:p>1</x:p>')),
  )

  it('does not cross from one server or one object of decoders to another', () => {
    const markup = new KnownMarkup()
    const decoders = {'{urn:x}p': vi.fn<() => string>(() => 'decoded')}
    for (const url of ['http://one.example/', 'http://two.example/']) {
      const plain = new MultiStatusParser({markup, url}).write(listing)
      const decoded = new MultiStatusParser({markup, url, decoders}).write(listing)
      expect(plain.at(-1)).toMatchObject({url: `${url}docs/4`, properties: {'{urn:x}p': '1'}})
      expect(decoded.at(-1)).toMatchObject({
        url: `${url}docs/4`,
        properties: {'{urn:x}p': 'decoded'},
      })
    }
    expect(decoders['{urn:x}p']).toHaveBeenCalledTimes(8)
  })

  it('does not go past the limits of a later document', () => {
    const markup = new KnownMarkup()
    const long = multistatus(...[1, 2, 3].map(() => response('/docs/a', `<x:${'p'.repeat(90)}/>`)))
    expect(new MultiStatusParser({markup}).write(long)).toHaveLength(3)
    const limits = {name: 50}
    const parser = new MultiStatusParser({markup, limits})
    expect(parser.write(long)).toEqual([])
    expect(parser.error).toMatchObject({limit: 'name'})
  })

  it('is given up when a document has filled it, so that the next one has an order again', () => {
    const markup = new KnownMarkup()
    const many = Array.from({length: 200}, (_, index) => `<x:p${index}>1</x:p${index}>`).join('')
    new MultiStatusParser({markup}).write(multistatus(response('/docs/a', many)))
    const [result] = new MultiStatusParser({markup}).write(
      multistatus(response('/docs/b', '<x:q>1</x:q><D:getetag>"1"</D:getetag>')),
    )
    expect(result).toMatchObject({properties: {'{urn:x}q': '1', getetag: '"1"'}})
  })

  it('is a KnownMarkup', async () => {
    const wrong = {markup: {}} as unknown as ParserOptions
    expect(() => new MultiStatusParser(wrong)).toThrow(/markup.*KnownMarkup/)
    const markup = new KnownMarkup()
    expect(await Array.fromAsync(parseMultiStatus(listing, {markup}))).toHaveLength(4)
    expect(await Array.fromAsync(parseMultiStatus(listing, {markup}))).toHaveLength(4)
  })
})
