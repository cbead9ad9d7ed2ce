// The material of odd bodies: names, prefixes, values, pieces of text, hrefs, status lines, attributes.

/** As it is written, without its quotes. */
type Attribute = readonly [name: string, value: string]

export const NAMESPACES = ['DAV:', 'urn:x', '', 'http://owncloud.org/ns', 'urn:a&amp;b'] as const
export const PREFIXES = ['D', '', 'x', 'lp1', 'é', 'd', 'DAV'] as const
export const LIVE = [
  'getetag',
  'displayname',
  'getcontentlength',
  'getlastmodified',
  'creationdate',
  'resourcetype',
  'quota-used-bytes',
  'getcontenttype',
  'sync-token',
  'lockdiscovery',
] as const
export const NAMES = [
  'p',
  'q',
  'constructor',
  '__proto__',
  'prop',
  'status',
  'href',
  'response',
  '漢-1.2',
] as const
export const VALUES = [
  'a',
  '',
  '12',
  '"1"',
  ' 4525\n',
  'Mon, 12 Jan 1998 09:25:56 GMT',
  '2026-11-22T12:41:50Z',
  '-3',
  '1e3',
  '9007199254740993',
  'é漢\u{1F600}',
] as const
export const PIECES = [
  'a',
  ' ',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '&amp;',
  '&lt;',
  '&quot;',
  '&#13;',
  '&#x1F600;',
  '&#00065;',
  '&amp;#65;',
  '<![CDATA[<b>&amp;]] >]]>',
  '<![CDATA[]]>',
  '<![CDATA[\r\n]]]]>',
  ']]',
  ' >',
  '\'"',
  '\u0085\u2028',
  '\uFEFF',
  '漢',
] as const
export const NOISE = [
  '<!---->',
  '<!-- <D:response> & ]]> </D:multistatus> -->',
  '<?pi?>',
  '<?p:i <D:response> ?? > & --?>',
] as const
export const HREFS = [
  '/docs/a',
  '/docs/',
  '/docs/b/c',
  '',
  'a b',
  'http://inner:8080/docs/a',
  '//inner/docs/%c3%a9',
  '/docs/100%',
  '/docs/%zz?x#y',
  '../x',
  '/docs/./%2e%2E/d',
  'file:colon.vcf',
  '/docs/é[1]',
  '/docs//a%2Fb/',
  'HTTPS://inner',
  '/d%6Fcs/%u00e9',
] as const
export const STATUSES = [
  'HTTP/1.1 200 OK',
  'HTTP/1.1 404 Not Found',
  'HTTP/1.1 423 Locked',
  '  HTTP/2   204',
  '200',
  '404 Not Found',
  'HTTP/1.1 599',
  'ABC OK',
  'HTTP/1.1 -100',
  '',
  'HTTP/1.1 301 Moved',
  '\n HTTP/1.0 207 Multi-Status\n',
  'HTTP/1.1 2000 OK',
] as const
export const SPACES = [' ', '\n', '\t', '\r\n', '  '] as const
export const ATTRIBUTES: readonly [Attribute, ...Attribute[]] = [
  ['plain', '1'],
  ['xml:lang', 'en'],
  ['constructor', '&quot;&#10;"'],
  ['x:a', '\r\n\t>'],
  ['undeclared:b', 'é/>'],
  ['_', ']]>&lt;'],
  ['DAV:c', ''],
]
