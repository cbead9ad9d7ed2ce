// States that an href never throws, never leaves the request's origin, and is compared by segment.
// Rule 12 of the contract; RFC 4918, section 8.3; RFC 3986, sections 2, 3.3 and 5.2.
import {MultiStatusParser} from 'multistatus/parser'
import {describe, expect, it} from 'vitest'
import {bytes, multistatus, one, read, verdict} from '../support/fixtures.ts'

const base = 'https://dav.example'

function resolve(href: string, url = `${base}/docs/`): readonly [string, string] {
  const result = one(multistatus(verdict(`<![CDATA[${href}]]>`, 'HTTP/1.1 200 OK')), {url})
  return [result.url, result.relation]
}

describe('href', () => {
  it.each([
    [
      'text, CDATA, references, comments',
      '/docs/<![CDATA[a&b]]>&amp;c&#x64;<!-- no -->e<?no no?>',
      '/docs/a&b&cde',
    ],
    ['line breaks around it', '\n    /docs/a\n  ', '/docs/a'],
    ['raw spaces inside', '/docs/a  b', '/docs/a  b'],
    ['what needs escaping', '/docs/é %zz?#[]', '/docs/é %zz?#[]'],
    ['an absolute URL', 'http://inner:8080/docs/a', 'http://inner:8080/docs/a'],
  ])('is the text of the server, trimmed: %s', (_, markup, href) => {
    expect(one(multistatus(verdict(markup, 'HTTP/1.1 200 OK'))).href).toBe(href)
  })
})

describe('url: the path on the request’s own origin', () => {
  it.each([
    ['/docs/a', '/docs/a'],
    ['http://dav.example/docs/a', '/docs/a'],
    ['http://inner:8080/docs/a', '/docs/a'],
    ['HTTP://INNER/docs/a', '/docs/a'],
    ['https://user:secret@evil.example/docs/a', '/docs/a'],
    ['davs://inner/docs/a', '/docs/a'],
    ['//dav.example/docs/a', '/docs/a'],
    ['//DAV.example:443/docs/a', '/docs/a'],
    ['//evil.example/docs/a', '/evil.example/docs/a'],
    ['//docs//a', '/docs/a'],
    ['http://[::1]:8080/docs/a', '/docs/a'],
    ['http://inner', '/'],
    ['http://inner/', '/'],
    ['a', '/docs/a'],
    ['./a', '/docs/a'],
    ['sub/a', '/docs/sub/a'],
    ['file:colon.vcf', '/docs/file:colon.vcf'],
    ['mailto:ana@example.com', '/docs/mailto:ana@example.com'],
    ['urn:uuid:1', '/docs/urn:uuid:1'],
  ])('resolves %s', (href, path) => {
    expect(resolve(href)[0]).toBe(`${base}${path}`)
  })

  it.each([
    ['/docs/.', '/docs/'],
    ['/docs/./a', '/docs/a'],
    ['/docs/sub/../a', '/docs/a'],
    ['/docs/..', '/'],
    ['/../../a', '/a'],
    ['../a', '/a'],
    ['/docs/%2e/a', '/docs/a'],
    ['/docs/%2E%2e/a', '/a'],
    ['/docs/.%2e/a', '/a'],
    ['/docs/%2e%2e%2fa', '/docs/%2e%2e%2fa'],
    ['/docs/...', '/docs/...'],
    ['/docs//a', '/docs//a'],
  ])('resolves dot segments as new URL would: %s', (href, path) => {
    expect(resolve(href)[0]).toBe(`${base}${path}`)
    expect(resolve(href)[0]).toBe(new URL(href, `${base}/docs/`).href)
  })

  it.each([
    ['a b', 'a%20b'],
    ['a?b', 'a%3Fb'],
    ['a#b', 'a%23b'],
    ['a\\b', 'a%5Cb'],
    ['a[1]', 'a%5B1%5D'],
    ['a{1}|^`', 'a%7B1%7D%7C%5E%60'],
    ['"<a>"', '%22%3Ca%3E%22'],
    ['a\tb\nc', 'a%09b%0Ac'],
    ['\u007F', '%7F'],
    ['é漢😀', '%C3%A9%E6%BC%A2%F0%9F%98%80'],
    ['%', '%25'],
    ['100%', '100%25'],
    ['%z', '%25z'],
    ['%zz', '%25zz'],
    ['%u00e9', '%25u00e9'],
    ['%%41', '%25%41'],
    ['%4', '%254'],
  ])('escapes illegal characters: %s', (name, escaped) => {
    expect(resolve(`/docs/${name}`)).toEqual([`${base}/docs/${escaped}`, 'member'])
    expect(resolve(`http://inner:8080/docs/${name}`)).toEqual([`${base}/docs/${escaped}`, 'member'])
  })

  it.each(['%2520', '%c3%a9', '%C3%A9', '%E9', '%41', '%2F', '%23%3F', '%00', "@&+;=,!$()*:~'-._"])(
    'keeps what is legal, escapes included: %s',
    (name) => {
      expect(resolve(`/docs/${name}`)).toEqual([`${base}/docs/${name}`, 'member'])
    },
  )

  it.each([
    'http://',
    'https://',
    'http:///',
    'http://[',
    'http://[::1',
    'https://exa mple/',
    'http://a:b:c/',
    'http:',
    'http:/',
    '//',
    '///',
    '////evil.example',
    '\\\\evil.example\\a',
    '/\\evil.example',
    '\\/evil.example',
    'http:\\\\evil.example',
    'http:evil.example',
    ':',
    '::',
    '%',
    '?',
    '#',
    '.',
    '..',
    '/..',
    'javascript:alert(1)',
    'data:text/html,x',
    'blob:x',
    'file:///etc/passwd',
    'https://dav.example.evil.example/',
    'https://dav.example@evil.example/',
    '/%00',
    '@evil.example',
    ':80/',
    ';',
    '\u{10FFFD}',
  ])('never throws and never leaves the origin: %s', (href) => {
    const found = new URL(resolve(href)[0])
    expect([found.origin, found.username, found.search, found.hash]).toEqual([base, '', '', ''])
  })

  it('carries neither the credentials nor the query of the request URL', () => {
    const url = 'https://ana:secret@dav.example:8443/docs/?token=secret#top'
    expect(resolve('/docs/', url)).toEqual(['https://dav.example:8443/docs/', 'self'])
    expect(resolve('a', url)).toEqual(['https://dav.example:8443/docs/a', 'member'])
    expect(resolve('http://inner/docs/a', url)).toEqual([
      'https://dav.example:8443/docs/a',
      'member',
    ])
  })

  it('is on http://localhost/ without a request URL', () => {
    const parser = new MultiStatusParser()
    expect(parser.write(bytes(multistatus(verdict('/docs/a', 'HTTP/1.1 200 OK'))))).toMatchObject([
      {url: 'http://localhost/docs/a', relation: 'descendant'},
    ])
  })
})

describe('relation: decoded path segments', () => {
  it.each([
    ['/docs/', 'self'],
    ['/docs', 'self'],
    ['/docs//', 'self'],
    ['/docs/.', 'self'],
    ['http://inner:8080/docs', 'self'],
    ['/docs/a', 'member'],
    ['/docs/a/', 'member'],
    ['/docs//a', 'member'],
    ['/docs/a%2Fb', 'member'],
    ['/docs/%2e%2e%2fa', 'member'],
    ['/docs/a/b', 'descendant'],
    ['/docs/a/b/c/', 'descendant'],
    ['/docs/a/../b', 'member'],
    ['/', 'outside'],
    ['/docsx', 'outside'],
    ['/doc', 'outside'],
    ['/Docs/a', 'outside'],
    ['/docs%2Fa', 'outside'],
    ['/other/docs/a', 'outside'],
    ['/docs/../a', 'outside'],
    ['/docs/%2e%2e/a', 'outside'],
    ['../a', 'outside'],
  ])('%s is %s of /docs/', (href, relation) => {
    expect(resolve(href)[1]).toBe(relation)
    expect(resolve(href, `${base}/docs`)[1]).toBe(relation)
  })

  it.each([
    ['/', 'self'],
    ['/.', 'self'],
    ['/a', 'member'],
    ['/a/', 'member'],
    ['/a/b', 'descendant'],
  ])('%s is %s of the root', (href, relation) => {
    expect(resolve(href, `${base}/`)[1]).toBe(relation)
  })

  it.each([
    ['/d%C3%B6cs/', '/d%c3%b6cs/a', 'member'],
    ['/d%C3%B6cs/', '/döcs/a', 'member'],
    ['/d%C3%B6cs/', '/%64%c3%b6%63s/a', 'member'],
    ['/d%C3%B6cs/', '/d%C3%B6cs', 'self'],
    ['/a%20b/', '/a b/', 'self'],
    ['/%7Eana/', '/~ana/x', 'member'],
    ['/caf%E9/', '/caf%e9/x', 'member'],
    ['/caf%E9/', '/caf%EA/x', 'outside'],
    ['/caf%E9/', '/café/x', 'outside'],
    ['/caf%E9%41/', '/caf%e9A/x', 'member'],
    ['/100%25/', '/100%/x', 'member'],
    ['/100%2525/', '/100%25/x', 'outside'],
    ['/a//b/', '/a/b/c', 'member'],
  ])('of %s and %s is the same under any escaping', (path, href, relation) => {
    expect(resolve(href, `${base}${path}`)[1]).toBe(relation)
  })

  it('finds self anywhere in the list', () => {
    const body = multistatus(
      ...['/docs/a', '/docs', '/docs/b/c', '/elsewhere'].map((href) =>
        verdict(href, 'HTTP/1.1 200 OK'),
      ),
    )
    expect(read(body).results.map((result) => result.relation)).toEqual([
      'member',
      'self',
      'descendant',
      'outside',
    ])
  })
})
