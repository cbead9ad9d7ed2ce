// States the whole results of bodies of other servers. The oddities of each are listed in fixtures.ts.
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

describe('nginx 1.22.1', () => {
  it('PROPFIND: unknown properties are neither values nor missing', () => {
    expect(readFixture('nginx-1.22.1-propfind').results).toEqual([
      {
        ...self,
        properties: {displayname: 'docs', getlastmodified: modified, resourcetype: ['collection']},
        missing: [],
      },
      {
        ...member('100%25%20%231%20%C3%A9.txt'),
        properties: {
          displayname: '100% #1 é.txt',
          getcontentlength: 1,
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: [],
      },
      {
        ...member('a%20&%20b.txt'),
        properties: {
          displayname: 'a & b.txt',
          getcontentlength: 6,
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: [],
      },
    ])
  })
})

describe('lighttpd 1.4.69', () => {
  it('PROPFIND: 4096 for a collection, an attribute on a date', () => {
    expect(readFixture('lighttpd-1.4.69-propfind').results).toEqual([
      {
        ...self,
        properties: {
          getcontentlength: 4096,
          getetag: '"1480870112"',
          getlastmodified: modified,
          resourcetype: ['collection'],
        },
        missing: absent('displayname', fileid),
      },
      {
        ...member('100%25%20%231%20%C3%A9.txt'),
        properties: {
          getcontentlength: 1,
          getetag: '"2018003168"',
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: absent('displayname', fileid),
      },
      {
        ...member('a%20%26%20b.txt'),
        properties: {
          getcontentlength: 6,
          getetag: '"1886406880"',
          getlastmodified: modified,
          resourcetype: [],
        },
        missing: absent('displayname', fileid),
      },
    ])
  })

  it('PROPFIND: propname answers with names of no namespace', () => {
    const names = [
      'getcontentlength',
      'getcontenttype',
      'getetag',
      'getlastmodified',
      'resourcetype',
      'supportedlock',
      'lockdiscovery',
    ]
    expect(readFixture('lighttpd-1.4.69-propname').results).toEqual([
      {
        ...self,
        properties: Object.fromEntries(names.map((name) => [`{}${name}`, ''])),
        missing: [],
      },
    ])
  })

  it('PROPPATCH: the prefix DAV: without its declaration', () => {
    expect(readFixture('lighttpd-1.4.69-proppatch').results).toMatchObject([
      {
        ...member('a%20%26%20b.txt'),
        ok: false,
        status: 403,
        reason: 'propstat',
        missing: [{name: 'getetag', status: 403, conditions: ['cannot-modify-protected-property']}],
      },
    ])
  })
})

describe('rclone 1.60.1', () => {
  it('PROPFIND: another order of properties in each response', () => {
    const collection = (displayname: string): object => ({
      properties: {displayname, getlastmodified: modified, resourcetype: ['collection']},
      missing: absent('getcontentlength', 'getetag', fileid),
    })
    const file = (displayname: string, getcontentlength: number, getetag: string): object => ({
      properties: {
        displayname,
        getcontentlength,
        getetag,
        getlastmodified: modified,
        resourcetype: [],
      },
      missing: absent(fileid),
    })
    expect(readFixture('rclone-1.60.1-propfind').results).toEqual([
      {...self, ...collection('docs')},
      {...member('100%25%20%231%20%C3%A9.txt'), ...file('100% #1 é.txt', 1, '"18ea5e8117950c001"')},
      {...member('a%20&%20b.txt'), ...file('a & b.txt', 6, '"18ea5e8117950c006"')},
      {...member('sub/'), ...collection('sub')},
    ])
  })
})

describe('nephele 1.0.0-alpha.67', () => {
  const inner = 'http://127.0.0.1:39185'

  it('PROPFIND: full URLs are brought back to the request’s origin', () => {
    const description = 'The displayname, http://owncloud.org/nsfileid properties were not found.'
    const missing = ['displayname', fileid].map((name) => ({
      name,
      status: 404,
      conditions: [],
      description,
    }))
    const properties = (
      getcontentlength: number,
      getetag: string,
      ...resourcetype: readonly string[]
    ): object => ({
      properties: {getcontentlength, getetag, getlastmodified: modified, resourcetype},
      missing,
    })
    const [first, second] = ['100%25%20%231%20%C3%A9.txt', 'a%20%26%20b.txt'] as const
    expect(readFixture('nephele-1.0.0-alpha.67-propfind').results).toEqual([
      {...self, href: `${inner}/docs/`, ...properties(0, '4774f24c', 'collection')},
      {...member(first), href: `${inner}/docs/${first}`, ...properties(1, '-498adc36')},
      {...member(second), href: `${inner}/docs/${second}`, ...properties(6, '-668db9d2')},
    ])
  })

  it('DELETE: one member is locked, one is forbidden', () => {
    const failed = {ok: false, relation: 'member', reason: 'status', missing: []} as const
    expect(readFixture('nephele-1.0.0-alpha.67-delete').results).toEqual([
      {
        ...failed,
        href: `${inner}/folder/file1.txt`,
        url: `${origin}/folder/file1.txt`,
        status: 423,
        conditions: ['lock-token-submitted'],
        description: 'This resource is locked.',
      },
      {
        ...failed,
        href: `${inner}/folder/locked/`,
        url: `${origin}/folder/locked/`,
        status: 403,
        conditions: [],
        description: 'This resource cannot be deleted.',
      },
    ])
  })
})

describe('Nextcloud', () => {
  it('PROPFIND: four namespaces, and negative quota as a number', () => {
    const oc = (name: string): string => `{http://owncloud.org/ns}${name}`
    const root = '/remote.php/dav/files/ana/'
    expect(readFixture('nextcloud-propfind').results).toEqual([
      {
        ok: true,
        href: root,
        url: `https://cloud.example${root}`,
        relation: 'self',
        status: 200,
        properties: {
          getlastmodified: modified,
          getetag: '"64b8f3c0d1e2f"',
          resourcetype: ['collection'],
          'quota-used-bytes': 4096,
          'quota-available-bytes': -3,
          [oc('fileid')]: '00000042',
          [oc('permissions')]: 'RGDNVCK',
          [oc('size')]: '4096',
        },
        missing: absent(
          'getcontentlength',
          'getcontenttype',
          '{http://nextcloud.org/ns}has-preview',
        ),
      },
      {
        ok: true,
        href: `${root}Caf%c3%a9.md`,
        url: `https://cloud.example${root}Caf%c3%a9.md`,
        relation: 'member',
        status: 200,
        properties: {
          getlastmodified: modified,
          getcontentlength: 12,
          getetag: '"9f86d081884c7"',
          resourcetype: [],
          getcontenttype: 'text/markdown',
          [oc('fileid')]: '00000043',
          [oc('permissions')]: 'RGDNVW',
          [oc('size')]: '12',
          [oc('share-types')]: {
            name: oc('share-types'),
            attributes: {},
            children: [{name: oc('share-type'), attributes: {}, children: ['3']}],
          },
          '{http://nextcloud.org/ns}has-preview': 'false',
        },
        missing: absent('quota-used-bytes', 'quota-available-bytes'),
      },
    ])
  })
})

describe('Zope', () => {
  it('PROPFIND: one prefix for two namespaces', () => {
    expect(readFixture('zope-propfind').results).toMatchObject([
      {
        ok: true,
        href: '/folder/',
        url: 'http://zope.example/folder/',
        relation: 'self',
        status: 200,
        properties: {
          '{http://www.zope.org/propsets/default}title': 'A folder',
          creationdate: new Date('1970-01-01T12:00:00Z'),
          displayname: 'folder',
          resourcetype: ['collection'],
          getcontenttype: '',
          getlastmodified: modified,
          lockdiscovery: '\n  ',
        },
        missing: [],
      },
    ])
  })
})
