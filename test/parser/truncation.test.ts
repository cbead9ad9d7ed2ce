// States that the cuts between chunks make no difference. A body that is cut short is never a shorter success.
// RFC 4918, section 13; XML 1.0, section 2.1.
import {type DavResult, MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {
  bytes,
  bytesOf,
  fixtures,
  multistatus,
  read,
  readToError,
  response,
  url,
  verdict,
} from '../support/fixtures.ts'

const single = (body: Uint8Array): readonly Uint8Array[] =>
  [...body].map((byte) => Uint8Array.of(byte))

/** Bodies in which a reader can lose its state at every character. */
const hard: readonly {readonly name: string; readonly url: string; readonly body: Uint8Array}[] = [
  {
    name: 'characters of two, three and four bytes',
    body: multistatus(response('/docs/é', '<x:漢>é漢😀</x:漢>')),
  },
  {
    name: 'references',
    body: multistatus(
      response('/docs/&amp;&#xe9;', '<x:p a="&quot;">&lt;&#x1F600;&#65;<x:a/>&gt;</x:p>'),
    ),
  },
  {
    name: 'CDATA',
    body: multistatus(
      response('/docs/a', '<x:p><![CDATA[]]]]><![CDATA[>]]</x:p>]]></x:p><x:q>]]</x:q>'),
    ),
  },
  {
    name: 'comments and instructions',
    body: `<?xml version="1.0"?><!-- - -> --><?p ?? > ?>${multistatus('<!----><?p?>')}<!-- -->\n`,
  },
  {
    name: 'line ends',
    body: multistatus(
      response('/docs/a', '<x:p\r\na="\r\n">\r\r\n\n\r<x:a/>\r\n</x:p><x:q>\r\n\r</x:q>'),
    ),
  },
  {
    name: 'several hrefs and descriptions',
    body: multistatus(verdict('/docs/a', 'HTTP/1.1 423', '<D:href>/docs/b</D:href>')),
  },
].map(({name, body}) => ({name, url, body: bytes(body)}))

const all = [...fixtures.map((fixture) => ({...fixture, body: bytesOf(fixture.name)})), ...hard]

describe.each(all)('$name', (fixture) => {
  const {body} = fixture
  const options = {url: fixture.url}
  const whole = JSON.stringify(read(body, options))

  it('gives the same results under every two-way split', () => {
    const different: number[] = []
    for (let cut = 1; cut < body.length; cut++) {
      const split = read([body.subarray(0, cut), body.subarray(cut)], options)
      if (JSON.stringify(split) !== whole) different.push(cut)
    }
    expect(different).toEqual([])
  })

  it('gives the same results byte by byte', () => {
    expect(read(single(body), options)).toEqual(read(body, options))
  })

  it('gives the same results with empty chunks between', () => {
    const empty = new Uint8Array(0)
    const chunks = [empty, body.subarray(0, 20), empty, empty, body.subarray(20), empty]
    expect(read(chunks, options)).toEqual(read(body, options))
  })

  it('throws after any cut before the end of the root, after the first results of the whole body', () => {
    const text = new TextDecoder().decode(body)
    const end = bytes(text.slice(0, text.indexOf('>', text.lastIndexOf('</')) + 1)).length
    const prefixes = read(body, options).results.map((_, index, results) =>
      JSON.stringify(results.slice(0, index)),
    )
    const wrong: unknown[] = []
    for (let cut = 0; cut < end; cut++) {
      const {results, error} = readToError(body.subarray(0, cut), options)
      const reason = error instanceof MultiStatusError ? error.reason : error
      const expected = prefixes[results.length] ?? whole.slice('{"results":'.length)
      if (reason !== 'truncated' || !expected.startsWith(JSON.stringify(results))) {
        wrong.push({cut, reason, results})
      }
    }
    expect(wrong).toEqual([])
    expect(readToError(body.subarray(0, end), options).error).toBeUndefined()
  })
})

describe('fixtures', () => {
  it.each(fixtures)('$name has $results results: $odd', ({name, url: request, results}) => {
    const reading = read(bytesOf(name), {url: request})
    expect(reading.results).toHaveLength(results)
    expect(reading.summary.successes + reading.summary.failures).toBe(results)
    expect(reading.results.map((result) => result.relation)).not.toContain('outside')
  })
})

describe('a body of three responses', () => {
  const members = [
    verdict('/docs/a', 'HTTP/1.1 204 No Content'),
    verdict('/docs/b', 'HTTP/1.1 423 Locked'),
    response('/docs/c', '<x:p>é</x:p>'),
  ]
  const body = bytes(multistatus(...members))
  const ends = members.map((_, index) => {
    const rest = bytes(`${members.slice(index + 1).join('')}</D:multistatus>`)
    return body.length - rest.length
  })
  const whole = read(body).results

  it('cut after any byte gives the finished results, then throws', () => {
    for (let cut = 0; cut < body.length; cut++) {
      const {results, error} = readToError(body.subarray(0, cut))
      expect({cut, results}).toEqual({
        cut,
        results: whole.slice(0, ends.filter((end) => end <= cut).length),
      })
      expect(error).toBeInstanceOf(MultiStatusError)
      expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated', offset: cut})
    }
  })

  it('gives each result with the chunk that completed it', () => {
    const parser = new MultiStatusParser({url})
    const delivered: DavResult[][] = []
    for (const byte of single(body)) delivered.push([...parser.write(byte)])
    expect(delivered.flatMap((results, index) => (results.length > 0 ? [index + 1] : []))).toEqual(
      ends,
    )
    expect(parser.end()).toMatchObject({successes: 2, failures: 1})
  })
})

describe('an error', () => {
  const good = bytes(`<D:multistatus xmlns:D="DAV:">${response('/docs/a')}`)
  const bad = bytes(
    `<D:multistatus xmlns:D="DAV:">${response('/docs/a')}<D:oops></D:multistatus>${response('/docs/b')}`,
  )

  function caught(act: () => unknown): unknown {
    try {
      return {returned: act()}
    } catch (error) {
      return error
    }
  }

  it('is not thrown by the write that brought it, and is the same ever after', () => {
    const parser = new MultiStatusParser({url})
    expect(parser.write(bad)).toMatchObject([{href: '/docs/a'}])
    const error = caught(() => parser.write(good))
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-well-formed'})
    expect(caught(() => parser.write(good))).toBe(error)
    expect(caught(() => parser.end())).toBe(error)
    expect(caught(() => parser.end())).toBe(error)
  })

  it('is thrown by end if no write follows', () => {
    const parser = new MultiStatusParser({url})
    expect(parser.write(bytes('<D:oops'))).toEqual([])
    expect(caught(() => parser.end())).toMatchObject({name: 'MultiStatusError'})
  })

  it('of a truncated body is the same ever after', () => {
    const parser = new MultiStatusParser({url})
    expect(parser.write(good)).toMatchObject([{href: '/docs/a'}])
    const error = caught(() => parser.end())
    expect(error).toMatchObject({reason: 'truncated', offset: good.length})
    expect(caught(() => parser.end())).toBe(error)
    expect(caught(() => parser.write(good))).toBe(error)
  })
})
