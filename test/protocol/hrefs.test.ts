// States the comparison of paths without a document around them: `isWithin`, and the canonical form of a path. An href from a server
// always resolves to a URL of the request's own origin. RFC 3986, sections 3.3 and 6.2.2.

import fc from 'fast-check'
import {describe, expect, it} from 'vitest'

import {canonicalPath, HrefResolver, isWithin} from '../../src/protocol/href.ts'

describe('isWithin', () => {
  it.each([
    ['/docs/', '/docs/'],
    ['/docs', '/docs/'],
    ['/docs/', '/docs'],
    ['/docs/a', '/docs/'],
    ['/docs/a/b', '/docs'],
    ['/d%6Fcs/a', '/docs/'],
    ['/d%C3%B6cs/a', '/döcs/'],
    ['/d%c3%b6cs/a', '/d%C3%B6cs/'],
    ['//docs//a', '/docs/'],
    ['/docs/a%2F..', '/docs/'],
    ['/anything', '/'],
    ['/', '/'],
  ])('%s is within %s', (path, base) => {
    expect(isWithin(path, base)).toBe(true)
  })

  it.each([
    ['/docsx', '/docs/'],
    ['/doc', '/docs/'],
    ['/', '/docs/'],
    ['/Docs/a', '/docs/'],
    ['/docs%2Fa', '/docs/'],
    ['/x/docs/a', '/docs/'],
    ['/caf%E9/a', '/café/'],
  ])('%s is not within %s', (path, base) => {
    expect(isWithin(path, base)).toBe(false)
  })
})

describe('canonicalPath', () => {
  it('is the same for every escaping of a path', () => {
    const bytes = fc.uint8Array({minLength: 1, maxLength: 20})
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.boolean(), {minLength: 20, maxLength: 20}),
        (name, choices) => {
          const escapes = Array.from(name, (byte) => byte.toString(16).padStart(2, '0'))
          const upper = escapes.map((hex) => `%${hex.toUpperCase()}`).join('')
          const mixed = escapes.map(
            (hex, at) => `%${choices[at] === true ? hex : hex.toUpperCase()}`,
          )
          expect(canonicalPath(`/a/${mixed.join('')}/`)).toBe(canonicalPath(`/a/${upper}`))
        },
      ),
    )
  })

  it('of itself is itself', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (path) => {
        const canonical = canonicalPath(`/${path}`)
        expect(canonicalPath(canonical)).toBe(canonical)
      }),
    )
  })
})

describe('HrefResolver', () => {
  const resolver = new HrefResolver(new URL('https://dav.example:8443/docs/'))
  const markup = fc.oneof(
    fc.string({unit: 'binary'}),
    fc.webUrl({withQueryParameters: true, withFragments: true}),
    fc
      .array(
        fc.constantFrom(
          '/',
          '//',
          '..',
          '.',
          '%2e',
          '%',
          '\\',
          ':',
          '@',
          '?',
          '#',
          'http:',
          'docs',
          '[',
        ),
      )
      .map((parts) => parts.join('')),
  )

  it('gives a URL of the request’s own origin for whatever a server writes', () => {
    fc.assert(
      fc.property(markup, (href) => {
        const url = new URL(resolver.resolve(href.trim()).url)
        expect([url.origin, url.username, url.search, url.hash]).toEqual([
          'https://dav.example:8443',
          '',
          '',
          '',
        ])
      }),
      {numRuns: 1000},
    )
  })

  it('gives a URL that the platform leaves as it is', () => {
    fc.assert(
      fc.property(markup, (href) => {
        const {url} = resolver.resolve(href.trim())
        expect(new URL(url).href).toBe(url)
      }),
      {numRuns: 1000},
    )
  })

  it.each([
    ['\u017F', '%C5%BF'],
    ['\u212A', '%E2%84%AA'],
  ])('escapes %s, which becomes a letter of ASCII when case is ignored', (letter, escaped) => {
    expect(resolver.resolve(`/docs/${letter}`).url).toBe(`https://dav.example:8443/docs/${escaped}`)
    expect(canonicalPath(`/docs/${letter}`)).toBe(canonicalPath(`/docs/${escaped}`))
  })

  it('gives a URL that has the same relation again', () => {
    fc.assert(
      fc.property(markup, (href) => {
        const {url, relation} = resolver.resolve(href.trim())
        expect(resolver.resolve(url)).toEqual({url, relation})
      }),
      {numRuns: 1000},
    )
  })

  it('gives the same from the bytes of an href', () => {
    const below = fc
      .array(
        fc.constantFrom(
          '/',
          '.',
          'a',
          'é',
          '%',
          '%2',
          '%2e',
          '%2F',
          '%C3%A9',
          '%41',
          '&',
          ' ',
          '?',
        ),
      )
      .map((parts) => `/docs/${parts.join('')}`)
    fc.assert(
      fc.property(fc.oneof(markup, below), (text) => {
        const href = text.trim().toWellFormed()
        const encoded = new TextEncoder().encode(`<D:href>${href}</D:href>`)
        const from = '<D:href>'.length
        const to = encoded.length - '</D:href>'.length
        expect(resolver.resolveAt(href, encoded, from, to)).toEqual(resolver.resolve(href))
      }),
      {numRuns: 2000},
    )
  })

  it('is within for self, member and descendant only', () => {
    fc.assert(
      fc.property(markup, (href) => {
        const {url, relation} = resolver.resolve(href.trim())
        expect(isWithin(new URL(url).pathname, '/docs/')).toBe(relation !== 'outside')
      }),
      {numRuns: 1000},
    )
  })
})
