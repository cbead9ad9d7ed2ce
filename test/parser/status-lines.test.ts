// States the reading of a DAV:status: rule 6 of the contract.
// RFC 4918, section 14.28; RFC 9112, section 4.
import {describe, expect, it} from 'vitest'
import {multistatus, one, verdict} from '../support/fixtures.ts'

const a = {href: '/docs/a', url: 'https://dav.example/docs/a', relation: 'member'} as const

describe('rule 6: status lines', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.1 200', 200],
    ['HTTP/1.1 200 ', 200],
    ['HTTP/2 404 Not Found', 404],
    ['HTTP/1.0 404 Not Found', 404],
    ['404 Not Found', 404],
    ['200', 200],
    ['  HTTP/1.1   423   Locked  ', 423],
    ['\n  HTTP/1.1 423 Locked\n  ', 423],
    ['HTTP/1.1 409 (status)', 409],
    ['HTTP/1.1 423 Resource Locked', 423],
    ['HTTP/1.1 404 200 OK', 404],
    ['HTTP/1.1 599 Whatever', 599],
    ["HTTP/1.1 418 I'm a teapot", 418],
  ])('reads "%s" as %i', (line, status) => {
    expect(one(multistatus(verdict('/docs/a', line)))).toMatchObject({ok: status < 300, status})
  })

  it.each(['ABC OK', 'HTTP/1.1 -100', 'HTTP/1.1', 'OK', 'HTTP/1.1 2000 OK', 'HTTP/1.1 20 OK', ''])(
    'reads "%s" as status 0',
    (line) => {
      expect(one(multistatus(verdict('/docs/a', line)))).toEqual({
        ok: false,
        ...a,
        status: 0,
        reason: 'status',
        conditions: [],
        missing: [],
      })
    },
  )
})
