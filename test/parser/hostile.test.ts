// States that a hostile body costs time in proportion to its length. In quadratic time each of these would run for minutes to hours.
// RFC 4918, section 20.6.

import {MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {multistatus, response} from '../support/fixtures.ts'

const MEGABYTE = 1_048_576

function parse(body: string, options: ConstructorParameters<typeof MultiStatusParser>[0] = {}) {
  const parser = new MultiStatusParser(options)
  const results = parser.write(body)
  return {results, error: parser.error}
}

describe('a megabyte of white space', () => {
  const blanks = ' '.repeat(MEGABYTE)

  it('inside an href is part of it', () => {
    const {results} = parse(
      multistatus(
        `<D:response><D:href> /a${blanks}b </D:href><D:status>HTTP/1.1 200</D:status></D:response>`,
      ),
    )
    expect(results[0]?.href).toHaveLength(MEGABYTE + 3)
  })

  it('inside a date makes it no date', () => {
    const date = `<D:getlastmodified>Sun, 06 Nov 1994 08:49:37${blanks}x</D:getlastmodified>`
    const {results} = parse(multistatus(response('/docs/a', date)))
    expect(results[0]?.missing).toMatchObject([{name: 'getlastmodified', status: 0}])
  })

  it('inside an end tag is over the limit of a tag', () => {
    const {error} = parse(multistatus(`<D:response></D:response${blanks}x>`))
    expect(error).toMatchObject({reason: 'limit-exceeded', limit: 'tag'})
  })

  it('just within the limit of a tag, in each of a hundred end tags, is read past in recovery', () => {
    const tags = `</D:x${' '.repeat(60_000)}y>`.repeat(100)
    const {results, error} = parse(multistatus(response('/docs/a', tags)), {malformed: 'skip'})
    expect(results).toMatchObject([{ok: false, reason: 'malformed'}])
    expect(error).toBeUndefined()
  })
})

it('the name of a namespace is held to the limit of names', () => {
  const long = 'n'.repeat(60_000)
  const {error} = parse(`<D:multistatus xmlns:D="DAV:" xmlns:x="${long}"></D:multistatus>`)
  expect(error).toMatchObject({reason: 'limit-exceeded', limit: 'name'})
})

it('the elements of one value have a limit', () => {
  const value = (count: number): string =>
    multistatus(response('/docs/a', `<x:p xmlns:x="urn:x">${'<x:a/>'.repeat(count)}</x:p>`))
  expect(parse(value(3), {limits: {elements: 3}}).error).toBeUndefined()
  expect(parse(value(4), {limits: {elements: 3}}).error).toMatchObject({
    reason: 'limit-exceeded',
    limit: 'elements',
  })
})

it('empty propstats are bounded as properties are', () => {
  const {error} = parse(
    multistatus(`<D:response><D:href>/docs/a</D:href>${'<D:propstat/>'.repeat(6)}</D:response>`),
    {
      limits: {properties: 5},
    },
  )
  expect(error).toMatchObject({reason: 'limit-exceeded', limit: 'properties'})
})

describe('a processing instruction with a quote', () => {
  it.each([`<b/><?x '?><a>it</a><?z '?>`, `<b/><?x it's?><a>it</a>`])(
    'takes nothing out of a value: %s',
    (markup) => {
      const {results} = parse(multistatus(response('/docs/a', `<p xmlns="urn:x">${markup}</p>`)))
      expect(results[0]).toMatchObject({
        ok: true,
        properties: {
          '{urn:x}p': {children: [{name: '{urn:x}b'}, {name: '{urn:x}a', children: ['it']}]},
        },
      })
    },
  )
})

describe('the same fault in the same value of three responses', () => {
  it.each(['<a b=1/>', '<a>&bad;</a>', '<a>]]></a>', '<a></b></a>'])(
    'is found in each, however it is cut: %s',
    (markup) => {
      const one = (name: string): string =>
        response(`/docs/${name}`, `<D:owner>${markup}</D:owner>`)
      const body = multistatus(one('1'), one('2'), one('3'))
      const broken: number[] = []
      for (let cut = 0; cut < body.length; cut++) {
        const parser = new MultiStatusParser({malformed: 'skip'})
        const results = [...parser.write(body.slice(0, cut)), ...parser.write(body.slice(cut))]
        const isRight =
          results.length === 3 &&
          results.every((result) => !result.ok && result.reason === 'malformed')
        if (!isRight) broken.push(cut)
      }
      expect(broken).toEqual([])
    },
  )
})
