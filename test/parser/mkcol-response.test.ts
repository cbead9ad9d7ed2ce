// States how the answer to an extended MKCOL is read: one response without an href. RFC 5689, sections 3.4 and 5.2.

import {MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'

import {propstat, read, readToError} from '../support/fixtures.ts'

const url = 'https://dav.example/home/special/'

function made(...propstats: readonly string[]): string {
  return `<D:mkcol-response xmlns:D="DAV:">${propstats.join('')}</D:mkcol-response>`
}

const ok = propstat('HTTP/1.1 200 OK', '<D:displayname/>')
const refused = propstat('HTTP/1.1 403 Forbidden', '<D:resourcetype/>')
const self = {href: '/home/special/', url, relation: 'self'}

describe('a mkcol-response', () => {
  it('is one result for the request URL', () => {
    expect(read(made(ok), {url, method: 'MKCOL'})).toEqual({
      results: [{ok: true, ...self, status: 200, properties: {displayname: ''}, missing: []}],
      summary: {complete: true, incomplete: [], successes: 1, failures: 0, requests: 0},
    })
  })

  it('is a Failure if one propstat is not 2xx', () => {
    expect(read(made(ok, refused), {url, method: 'mkcol'}).results).toEqual([
      {
        ok: false,
        ...self,
        status: 403,
        reason: 'propstat',
        conditions: [],
        missing: [{name: 'resourcetype', status: 403, conditions: []}],
      },
    ])
  })

  it('without a propstat cannot be understood', () => {
    expect(read(made(), {url, method: 'MKCOL'}).results).toMatchObject([
      {ok: false, ...self, status: 0, reason: 'malformed'},
    ])
  })

  it('is read whatever its chunks', () => {
    const parser = new MultiStatusParser({url, method: 'MKCOL'})
    const results = Array.from(made(refused), (character) => parser.write(character)).flat()
    expect(parser.isMultiStatus).toBe(true)
    expect(results).toMatchObject([{status: 403, reason: 'propstat'}])
    expect(parser.end().failures).toBe(1)
  })

  it('is truncated without its end tag', () => {
    const {error} = readToError(made(refused).slice(0, -5), {url, method: 'MKCOL'})
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
  })

  it.each(['PROPFIND', 'PROPPATCH', undefined])('is no answer to %s', (method) => {
    const {error} = readToError(made(ok), {url, method})
    expect(error).toMatchObject({name: 'MultiStatusError', reason: 'not-multistatus'})
  })

  it('is no member of a multistatus, and a response no root', () => {
    const inside = `<D:multistatus xmlns:D="DAV:">${made(ok)}</D:multistatus>`
    expect(read(inside, {url, method: 'MKCOL'}).results).toEqual([])
    const root = `<D:response xmlns:D="DAV:"><D:href>/a</D:href>${ok}</D:response>`
    expect(readToError(root, {url, method: 'MKCOL'}).error).toMatchObject({
      reason: 'not-multistatus',
    })
  })
})
