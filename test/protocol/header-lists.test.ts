// States the reading of the lists in DAV and Allow. RFC 4918, section 10.1; RFC 9110, sections 5.6.1 and 10.2.1.

import {describe, expect, it} from 'vitest'

import {findNextPage} from '../../src/call/link.ts'
import {decodeList} from '../../src/protocol/header-list.ts'

describe('a list in a header', () => {
  it.each<[string | null, readonly string[]]>([
    ['1,2,3', ['1', '2', '3']],
    ['1, 2', ['1', '2']],
    ['2,1', ['2', '1']],
    ['2', ['2']],
    ['\t1 ,\t2 ', ['1', '2']],
    [',,1, ,2,', ['1', '2']],
    ['1 2', ['1 2']],
    ['1,1,2', ['1', '2']],
    ['1,2,<http://example.com/foo,bar>', ['1', '2', '<http://example.com/foo,bar>']],
    ['<http://a/,>,<http://b/,>', ['<http://a/,>', '<http://b/,>']],
    ['1, <http://apache.org/dav/propset/fs/1>', ['1', '<http://apache.org/dav/propset/fs/1>']],
    ['<http://no.end,1', ['<http://no.end', '1']],
    ['<,<http://a/,b>', ['<', '<http://a/,b>']],
    ['a>,b', ['a>', 'b']],
    ['1, access-control, extended-mkcol', ['1', 'access-control', 'extended-mkcol']],
    ['', []],
    [' , ', []],
    [null, []],
  ])('%j has its elements', (header, elements) => {
    expect(decodeList(header)).toEqual(elements)
  })

  it('is read in one pass, however many Coded-URLs never end', () => {
    expect(decodeList('<'.repeat(200_000))).toEqual(['<'.repeat(200_000)])
  })
})

describe('findNextPage', () => {
  it('reads a long header of commas once', () => {
    const header = `${','.repeat(400_000)}</b>; rel="next"`
    expect(findNextPage(header, 'https://dav.example/a')).toBe('/b')
  })
})
