// States the whole results of bodies recorded from Apache. The oddities of each are listed in fixtures.ts.
// RFC 4918, sections 9.1, 9.2 and 9.6.
import {describe, expect, it} from 'vitest'
import {readFixture} from '../support/fixtures.ts'

const origin = 'http://127.0.0.1:39180'
const modified = new Date('2026-11-22T12:41:50Z')
const fileid = '{http://owncloud.org/ns}fileid'
const self = {
  ok: true,
  href: '/docs/',
  url: `${origin}/docs/`,
  relation: 'self',
  status: 200,
} as const
const member = (name: string): object => ({
  ok: true,
  href: `/docs/${name}`,
  url: `${origin}/docs/${name}`,
  relation: 'member',
  status: 200,
})
const absent = (...names: readonly string[]): readonly object[] =>
  names.map((name) => ({name, status: 404, conditions: []}))

describe('Apache 2.4.71', () => {
  it('PROPFIND: named properties, some of them unknown', () => {
    expect(readFixture('apache-2.4.71-propfind').results).toEqual([
      {
        ...self,
        properties: {
          getetag: '"1000-660dccd145f80"',
          getlastmodified: modified,
          resourcetype: ['collection'],
        },
        missing: absent('getcontentlength', 'displayname', fileid),
      },
      {
        ...member('100%25%20%231%20%c3%a9.txt'),
        properties: {
          getcontentlength: 1,
          getetag: '"1-660dccd145f80"',
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: absent('displayname', fileid),
      },
      {
        ...member('a%20&%20b.txt'),
        properties: {
          getcontentlength: 6,
          getetag: '"6-660dccd145f80"',
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: absent('displayname', fileid),
      },
    ])
  })

  it('PROPFIND: allprop', () => {
    const results = readFixture('apache-2.4.71-allprop').results
    expect(results).toMatchObject([
      {
        ...self,
        properties: {
          resourcetype: ['collection'],
          getlastmodified: modified,
          getetag: '"1000-660dccd145f80"',
          getcontenttype: 'httpd/unix-directory',
          lockdiscovery: '',
        },
        missing: [],
      },
      {
        ...member('100%25%20%231%20%c3%a9.txt'),
        properties: {
          resourcetype: [],
          creationdate: new Date('2026-11-22T13:39:33Z'),
          getcontentlength: 1,
          '{http://apache.org/dav/props/}executable': 'F',
        },
        missing: [],
      },
      {
        ...member('a%20&%20b.txt'),
        properties: {getcontentlength: 6, getcontenttype: 'text/plain'},
        missing: [],
      },
    ])
    const locked = results.map((result) =>
      JSON.stringify(result.ok && result.properties['lockdiscovery']),
    )
    expect(
      locked.map((text) => text.includes('opaquelocktoken:f502dc75-47e8-4d14-9f73-0112c4a4e96a')),
    ).toEqual([false, false, true])
    expect(locked.at(2)).toContain('{"name":"owner","attributes":{},"children":["ana"]}')
  })

  it('PROPPATCH: one read-only property fails the other', () => {
    expect(readFixture('apache-2.4.71-proppatch').results).toEqual([
      {
        ...member('100%25%20%231%20%c3%a9.txt'),
        ok: false,
        status: 409,
        reason: 'propstat',
        conditions: [],
        missing: [
          {name: 'getetag', status: 409, conditions: [], description: 'Property is read-only.'},
          {
            name: '{http://example.com/ns}color',
            status: 424,
            conditions: [],
            description: 'Attempted DAV:set operation could not be completed due to other errors.',
          },
        ],
      },
    ])
  })

  it('DELETE: the target and every ancestor of a member that was not deleted', () => {
    const results = readFixture('apache-2.4.71-delete-207').results
    expect(results.map(({ok, href, relation, status}) => ({ok, href, relation, status}))).toEqual([
      {ok: false, href: '/folder', relation: 'self', status: 403},
      {ok: false, href: '/folder/locked', relation: 'member', status: 403},
      {ok: false, href: '/folder/locked/file2.txt', relation: 'descendant', status: 403},
    ])
  })

  it('DELETE: a locked member, in the body of a 424', () => {
    expect(readFixture('apache-2.4.71-delete-424').results).toEqual([
      {
        ...member('a%20&%20b.txt'),
        ok: false,
        status: 423,
        reason: 'status',
        conditions: [],
        missing: [],
      },
    ])
  })
})
