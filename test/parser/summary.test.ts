// States the conditions of a complete summary: a sync job deletes locally if it is complete.
// RFC 4918, section 11.5; RFC 6578, section 3.6.
import {describe, expect, it} from 'vitest'
import {multistatus, propstat, read, response, verdict} from '../support/fixtures.ts'

const member = response('/docs/a')
const collection = 'https://dav.example/docs/'

describe('complete', () => {
  it('is true if members failed: they were reported', () => {
    const failed = `<D:response><D:href>/docs/c</D:href>${propstat('HTTP/1.1 403', '<x:p/>')}</D:response>`
    expect(read(multistatus(member, verdict('/docs/b', 'HTTP/1.1 423'), failed)).summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 2,
      requests: 0,
    })
  })

  it('is false if a response names no resource: it could be any', () => {
    expect(read(multistatus(member, '<D:response/>')).summary).toEqual({
      complete: false,
      incomplete: [{href: collection, reason: 'malformed'}],
      successes: 1,
      failures: 1,
      requests: 0,
    })
  })

  it('is false if the server says 507 for the request URL: there is more than it lists', () => {
    const more = verdict('/docs/', 'HTTP/1.1 507 Insufficient Storage')
    expect(read(multistatus(member, more)).summary).toEqual({
      complete: false,
      incomplete: [{href: collection, reason: 'storage', status: 507}],
      successes: 1,
      failures: 1,
      requests: 0,
    })
    expect(read(multistatus(more, member)).summary.complete).toBe(false)
  })

  it('is false if the request URL itself failed', () => {
    expect(read(multistatus(verdict('/docs/', 'HTTP/1.1 403'), member)).summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'self', status: 403}],
    })
  })

  it('is false if the request URL alone answered, and refused its properties', () => {
    const refused = (status: string): string =>
      `<D:response><D:href>/docs/</D:href>${propstat(status, '<D:getetag/>')}</D:response>`
    const alone = read(multistatus(refused('HTTP/1.1 403 Forbidden'))).summary
    expect(alone.incomplete).toEqual([{href: collection, reason: 'self', status: 403}])
    expect(read(multistatus(refused('HTTP/1.1 403 Forbidden'), member)).summary.complete).toBe(true)
    expect(read(multistatus(refused('HTTP/1.1 404 Not Found'))).summary.complete).toBe(true)
  })

  it('is false if a response is misnamed: it may have been meant as one', () => {
    for (const odd of ['<response/>', '<D:Response/>', '<response xmlns="dav:"/>', '<y:response/>'])
      expect(read(multistatus(member, odd)).summary.incomplete).toEqual([
        {href: collection, reason: 'malformed'},
      ])
    expect(read(multistatus(member, '<x:response/>', '<D:other/>')).summary.complete).toBe(true)
  })
  it('is false after REPORT and SEARCH if any resource is a 507, or cannot be understood', () => {
    const full = multistatus(member, verdict('/other/', 'HTTP/1.1 507 Insufficient Storage'))
    const bare = multistatus(member, '<D:response><D:href>/docs/b</D:href></D:response>')
    for (const method of ['REPORT', 'SEARCH']) {
      expect(read(full, {method}).summary.incomplete).toEqual([
        {href: 'https://dav.example/other/', reason: 'storage', status: 507},
      ])
      expect(read(bare, {method}).summary.incomplete).toEqual([
        {href: collection, reason: 'malformed'},
      ])
    }
    for (const body of [full, bare]) expect(read(body).summary.complete).toBe(true)
  })
})
