// States when the scanner takes a layout instead of reading an element: from the third one with the same markup on, as long as that
// pays.

import {describe, expect, it, vi} from 'vitest'

import {RESPONSE} from '../../src/multistatus/grammar.ts'
import {resolveLimits} from '../../src/multistatus/limits.ts'
import {MultiStatusReader} from '../../src/multistatus/reader.ts'
import {PropertyNames} from '../../src/properties/values.ts'
import type {PathNode} from '../../src/xml/path.ts'
import {Scanner} from '../../src/xml/scanner.ts'
import {Source} from '../../src/xml/source.ts'

const limits = {tag: 1000, name: 100, attributes: 10, depth: 10, value: 1000, elements: 10}

/** Counts the elements of a root that were read, and those that were made from a layout. */
function count(elements: readonly string[]): {read: number; replayed: number} {
  const counts = {read: 0, replayed: 0}
  const scanner = new Scanner(
    {
      classify(node: PathNode): void {
        node.role = node.depth
        node.repeats = node.depth === 2
        node.varies = node.depth === 3
        if (node.varies) node.collects = 'text'
      },
      open: () => {},
      close(node: PathNode): void {
        if (node.depth === 2) counts.read++
      },
      learn: () => () => {
        counts.replayed++
        return true
      },
      fault: () => {},
      mayBeNext: () => false,
      fed: () => {},
    },
    limits,
    false,
  )
  scanner.feed(new Source(`<r>${elements.join('')}</r>`))
  scanner.end()
  return counts
}

const element = (index: number, name = 'v'): string => `<e><${name}>${index}</${name}></e>`

describe('an element', () => {
  it('is made from a layout once its markup has come twice', () => {
    const alike = Array.from({length: 100}, (_, index) => element(index))
    expect(count(alike)).toEqual({read: 2, replayed: 98})
  })

  it('is made from one of two layouts', () => {
    const turns = Array.from({length: 100}, (_, index) =>
      element(index, index % 2 === 0 ? 'v' : 'w'),
    )
    expect(count(turns)).toEqual({read: 3, replayed: 97})
  })

  it('is read if too many had other layouts', () => {
    const different = Array.from({length: 100}, (_, index) => element(index, `v${index}`))
    const alike = Array.from({length: 100}, (_, index) => element(index))
    expect(count([...different, ...alike])).toEqual({read: 200, replayed: 0})
  })

  it('is read if its layout is too long', () => {
    const long = Array.from({length: 10}, (_, index) => `<e>${'<x></x>'.repeat(3000)}${index}</e>`)
    expect(count(long)).toEqual({read: 10, replayed: 0})
  })
})

describe('the reader reads the markup of two responses, and makes all others from it', () => {
  const found = (name: number): string =>
    `<D:response><D:href>/docs/${name}</D:href><D:propstat><D:prop><D:getetag>"${name}"</D:getetag></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
  const locked = (name: number): string =>
    `<D:response><D:href>/docs/${name}</D:href><D:status>HTTP/1.1 423 Locked</D:status></D:response>`

  it.each([
    ['successes', 'PROPFIND', found],
    ['failures', 'DELETE', locked],
  ] as const)('%s', (_, method, response) => {
    const all = resolveLimits()
    const url = new URL('http://localhost/docs/')
    const names = new PropertyNames(undefined)
    const reader = new MultiStatusReader(url, method, all, names, () => scanner.position)
    const scanner = new Scanner(reader, all, false)
    const close = vi.spyOn(reader, 'close')
    const responses = Array.from({length: 100}, (__, index) => response(index)).join('')
    scanner.feed(new Source(`<D:multistatus xmlns:D="DAV:">${responses}</D:multistatus>`))
    expect(reader.take()).toHaveLength(100)
    expect(close.mock.calls.filter(([{role}]) => role === RESPONSE)).toHaveLength(2)
  })
})
