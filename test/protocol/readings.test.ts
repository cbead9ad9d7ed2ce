// States the ways in which servers read a path. A guard holds for all of them. The paths are only compared here; nothing is sent.
// RFC 3986, sections 3.3 and 5.2.4.

import fc from 'fast-check'
import {describe, expect, it} from 'vitest'

import {
  hasControlCharacter,
  isBelowInEachReading,
  standings,
  type Standing,
} from '../../src/protocol/readings.ts'

const base = '/files/ana/'

describe('a path that all servers read alike', () => {
  it.each<[string, Standing]>([
    ['/files/ana/a.txt', 'below'],
    ['/files/ana/b/c/', 'below'],
    ['/files/%61na/a', 'below'],
    ['/files/ana', 'same'],
    ['/files/ana/', 'same'],
    ['/files', 'around'],
    ['/', 'around'],
    ['/files/anabel/a', 'elsewhere'],
    ['/files/bob', 'elsewhere'],
  ])('%s is %s', (path, standing) => {
    expect([...standings(path, base)]).toEqual([standing])
  })
})

describe('a path with several readings', () => {
  it.each<[string, string, readonly Standing[]]>([
    ['parameters are cut off, and nothing is left', '/files/ana/;v', ['below', 'same']],
    ['parameters are cut off, and a name is left', '/files/ana/a;v', ['below']],
    ['parameters are escaped', '/files/ana/%3Bv', ['below', 'same']],
    ['slashes are decoded', '/files/ana/a%2Fb', ['below']],
    ['slashes are decoded, and there is nothing else', '/files/ana/%2F', ['below', 'same']],
    ['backslashes are slashes', '/files/ana/a%5Cb', ['below']],
    ['backslashes are slashes, and there is nothing else', '/files/ana/%5C', ['below', 'same']],
    ['slashes are folded', '/files//ana/a', ['below']],
    ['a name ends at NUL', '/files/ana/a%00b', ['below']],
    ['there is nothing but NUL', '/files/ana/%00', ['below', 'same']],
    ['a slash in a longer form', '/files/ana/%C0%AF', ['below', 'same']],
  ])('%s', (_, path, expected) => {
    expect([...standings(path, base)].toSorted()).toEqual(expected)
  })

  // Each step alone leaves it below: only some orders of several lead to the base.
  it.each([
    ['decode, then cut', '/files/ana/%3Bv'],
    ['decode, backslash, cut', '/files/ana/%5C%3Bv'],
    ['decode a longer form, backslash, cut', '/files/ana/%C1%9C%3Bv'],
    ['cut, then decode a slash', '/files/ana/%2F;v'],
    ['cut at NUL, then parameters', '/files/ana/%3B%00v'],
    ['decode a still longer form', '/files/ana/%E0%80%AF'],
    ['decode the longest form', '/files/ana/%FC%80%80%80%80%AF'],
  ])('holds for each order: %s', (_, path) => {
    expect([...standings(path, base)].toSorted()).toEqual(['below', 'same'])
    expect(isBelowInEachReading(path, base)).toBe(false)
  })

  it('holds if the parameters of one segment only are cut off', () => {
    expect(standings('/f/a;x/b;y', '/f/a;x/b/').has('same')).toBe(true)
    expect(standings('/f/a;x/b;y', '/f/a/b/').has('same')).toBe(true)
  })

  it.each(['a.txt;v=2', 'a;b;c', ';a/b', 'x%3By', '%E0%A4%85', '%F0%9F%98%80', 'a%2Fb', 'a%252Fb'])(
    'leaves a name that each server finds below: %s',
    (name) => {
      expect(isBelowInEachReading(base + name, base)).toBe(true)
    },
  )

  it('reads the base as it reads the path', () => {
    expect(isBelowInEachReading('/a%2Fb/x%20y', '/a%2Fb/')).toBe(true)
    expect(isBelowInEachReading('/a;v=1/x', '/a;v=1/')).toBe(true)
    expect(isBelowInEachReading('/a/b/x', '/a%2Fb/')).toBe(false)
    expect(isBelowInEachReading('/a//b/x', '/a//b/')).toBe(true)
  })

  it('is below with parameters in each of many segments', () => {
    const path = base + Array.from({length: 24}, (_, number) => `a;${number}`).join('/')
    expect(isBelowInEachReading(path, base)).toBe(true)
  })

  it('with too many readings may be anywhere', () => {
    const path = base + Array.from({length: 3000}, (_, number) => `a;${number}`).join('/')
    expect(standings(path, base).has('elsewhere')).toBe(true)
  })

  it('includes the reading of every server', () => {
    const piece = fc.constantFrom('a', '.', '..', ';', '/', '%2F', '%5C', '%2e', '%3B', 'x')
    const steps: readonly ((path: string) => string)[] = [
      (path) => path.replaceAll(/;[^/]*/g, ''),
      (path) => decodeURIComponent(path),
      (path) => path.replaceAll('\\', '/'),
      (path) => new URL(`http://h${path.replaceAll('%', '%25')}`).pathname.replaceAll('%25', '%'),
    ]
    /** Tells if the guard covers a server that reads a path in this order. */
    const holds = (pieces: readonly string[], order: readonly number[]): boolean => {
      const {pathname} = new URL(`http://h${base}${pieces.join('')}`)
      const read = order.reduce((path, index) => steps[index]?.(path) ?? path, pathname)
      const segments = read.split('/').filter((segment) => segment !== '')
      const isBelow = segments.length > 2 && segments[0] === 'files' && segments[1] === 'ana'
      const isRead = !segments.includes('..') && !segments.includes('.') && !read.includes('%')
      return !isRead || isBelow || !isBelowInEachReading(pathname, base)
    }
    const check = fc.property(
      fc.array(piece, {maxLength: 8}),
      fc.shuffledSubarray([0, 1, 2, 3]),
      holds,
    )
    expect(fc.check(check, {numRuns: 5000})).toMatchObject({failed: false, counterexample: null})
  })
})

describe('an escaped control character', () => {
  it.each(['%00', '%01', '%1F', '%1f', '%7F', '%0A', 'a%0db'])('is seen: %s', (path) => {
    expect(hasControlCharacter(`/files/${path}`)).toBe(true)
  })

  it.each(['%20', '%25', '%2501', '%C2%80', '%80', '%E0%A4%85', 'a'])('is none: %s', (path) => {
    expect(hasControlCharacter(`/files/${path}`)).toBe(false)
  })
})
