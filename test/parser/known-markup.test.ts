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

  it('does not cross from one server to another, or to documents with decoders', () => {
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

  it('does not make a success of a PROPPATCH that failed in part', () => {
    const markup = new KnownMarkup()
    const parts = multistatus(
      ...[1, 2, 3].map((name) =>
        response(`/docs/${name}`, '<x:p/>').replace(
          '</D:response>',
          '<D:propstat><D:prop><x:q/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>',
        ),
      ),
    )
    for (let round = 0; round < 3; round++)
      for (const result of new MultiStatusParser({markup}).write(parts))
        expect(result).toMatchObject({ok: true, status: 200})
    for (const result of new MultiStatusParser({markup, method: 'PROPPATCH'}).write(parts))
      expect(result).toMatchObject({ok: false, status: 404, reason: 'propstat'})
  })

  it('does not carry values from one document to another that a caller has decoded', () => {
    const markup = new KnownMarkup()
    const decoders = {'{urn:x}p': () => ['v']}
    const one = multistatus(response('/docs/1', '<x:p><x:s/></x:p>'))
    for (let round = 0; round < 4; round++) {
      const [result] = new MultiStatusParser({markup, decoders}).write(one)
      if (result?.ok !== true) throw new TypeError('it is a success')
      const value = result.properties['{urn:x}p']
      expect(value).toEqual(['v'])
      if (Array.isArray(value)) value.push('changed')
    }
  })

  it('goes by the values of limits, not by their object', () => {
    const markup = new KnownMarkup()
    const limits = {value: 100}
    const long = multistatus(
      ...[1, 2, 3].map((name) => response(`/docs/${name}`, `<x:p>${'v'.repeat(50)}</x:p>`)),
    )
    expect(new MultiStatusParser({markup, limits}).write(long)).toHaveLength(3)
    limits.value = 20
    const parser = new MultiStatusParser({markup, limits})
    expect(parser.write(long)).toEqual([])
    expect(parser.error).toMatchObject({limit: 'value'})
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
