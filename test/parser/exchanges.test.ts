// States the whole results of the two exchanges that this package began with: a 207 is no success.
// RFC 4918, sections 9.1 and 9.6.
import {describe, expect, it} from 'vitest'
import {readFixture} from '../support/fixtures.ts'

const complete = {complete: true, incomplete: [], requests: 0} as const

describe('the two exchanges this package began with', () => {
  it('PROPFIND: file1.txt has properties, file2.txt lacks them all', () => {
    const missing = {status: 404, conditions: []} as const
    expect(readFixture('propfind-documents')).toEqual({
      results: [
        {
          ok: true,
          href: '/webdav/documents/file1.txt',
          url: 'https://dav.example/webdav/documents/file1.txt',
          relation: 'member',
          status: 200,
          properties: {getcontentlength: 1024, getlastmodified: new Date('2026-11-22T12:41:50Z')},
          missing: [],
        },
        {
          ok: true,
          href: '/webdav/documents/file2.txt',
          url: 'https://dav.example/webdav/documents/file2.txt',
          relation: 'member',
          status: 200,
          properties: {},
          missing: [
            {name: 'getcontentlength', ...missing},
            {name: 'getlastmodified', ...missing},
          ],
        },
      ],
      summary: {...complete, successes: 2, failures: 0},
    })
  })

  it('DELETE: file1.txt is gone, file2.txt is locked', () => {
    expect(readFixture('delete-folder')).toEqual({
      results: [
        {
          ok: true,
          href: '/webdav/folder/file1.txt',
          url: 'https://dav.example/webdav/folder/file1.txt',
          relation: 'member',
          status: 204,
          properties: {},
          missing: [],
        },
        {
          ok: false,
          href: '/webdav/folder/file2.txt',
          url: 'https://dav.example/webdav/folder/file2.txt',
          relation: 'member',
          status: 423,
          reason: 'status',
          conditions: [],
          missing: [],
        },
      ],
      summary: {...complete, successes: 1, failures: 1},
    })
  })
})
