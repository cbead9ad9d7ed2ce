// The options a body is read with, at random: mostly harmless ones, so that most cases get past the door.

import type {Decoders, Limits, ParserOptions} from 'multistatus/parser'

import type {CaseOptions} from './cases.ts'
import type {Random} from './random.ts'

const ENCODINGS = ['utf-8', 'UTF-8', 'windows-1252', 'iso-8859-1']
const SELDOM_ENCODINGS = [
  ['utf-16', 'utf-16le', 'utf-16be', 'us-ascii'],
  // With bytes that stand for nothing; known, but not taken; unknown.
  ['iso-8859-7', 'windows-1255', 'shift_jis', 'x-nonsense', ''],
].flat()
const METHODS = ['PROPFIND', 'DELETE', 'REPORT', 'proppatch']
const URLS = [
  ['http://localhost/', 'http://localhost/docs/', 'https://ana:secret@dav.example:8443/docs'],
  [
    'http://localhost/docs/a%20b/?q=1#f',
    'http://[::1]:8080//docs/%C3%A9/',
    'http://localhost/docs/a',
  ],
].flat()
const SIZES = [1, 2, 3, 4, 5, 8, 13, 16, 24, 40, 64, 100, 200, 400, 1000]
const LIMITS: readonly (keyof Limits)[] = [
  'response',
  'value',
  'elements',
  'tag',
  'name',
  'attributes',
  'depth',
  'properties',
  'hrefs',
  'responses',
  'bytes',
]
const COUNTS = ['responses', 'hrefs', 'properties', 'elements', 'attributes', 'depth'] as const

const DECODERS: Decoders = {
  displayname: () => {
    throw new Error('refused')
  },
  getcontenttype: () => undefined,
  getetag: () => Promise.reject(new Error('late')),
  resourcetype: {
    '~standard': {
      version: 1,
      vendor: 'fuzz',
      validate: (value) => (typeof value === 'string' ? {issues: [{message: 'no'}]} : {value}),
    },
  },
  '{urn:x}p': (value) => value,
}

/** The options as the parser takes them. */
export function parserOptions({hasDecoders = false, ...options}: CaseOptions): ParserOptions {
  return hasDecoders ? {...options, decoders: DECODERS} : options
}

/** The options with another value for one of them. */
export function changeOptions(options: CaseOptions, random: Random, body: Buffer): CaseOptions {
  const {encoding: _encoding, ...undeclared} = options
  const {limits: _limits, ...plain} = undeclared
  switch (random.below(8)) {
    case 0:
      return random.oneIn(2)
        ? undeclared
        : {...options, encoding: random.pick(random.oneIn(8) ? SELDOM_ENCODINGS : ENCODINGS)}
    case 1:
      return {...options, method: random.pick(METHODS)}
    case 2:
      return {...options, url: random.pick(URLS)}
    case 3:
      return {...options, malformed: options.malformed === 'skip' ? 'throw' : 'skip'}
    case 4:
      return {...options, hasDecoders: options.hasDecoders !== true}
    case 5:
      return plain
    default:
      return {...options, limits: randomLimits(options.limits, random, body)}
  }
}

function randomLimits(given: Partial<Limits> = {}, random: Random, body: Buffer): Partial<Limits> {
  const limits: Partial<Record<keyof Limits, number>> = random.oneIn(2) ? {...given} : {}
  const [names, sizes] = random.oneIn(3)
    ? [LIMITS, SIZES]
    : measure(body.toString('latin1'), random)
  // Near it, because limits are off by one; a tag is less than the text between `<` and `>`.
  const size = sizes.length === 0 ? random.pick(SIZES) : random.pick(sizes) + random.below(8) - 5
  limits[random.pick(names)] = Math.max(1, size)
  return limits
}

/** Some limits, and the sizes in the body that they bound. */
function measure(text: string, random: Random): readonly [readonly (keyof Limits)[], number[]] {
  const lengths = (pattern: RegExp): number[] =>
    Array.from(text.matchAll(pattern), ({0: found}) => found.length)
  switch (random.below(6)) {
    case 0:
      return [['tag', 'name'], lengths(/<[^>]*>/g)]
    case 1:
      return [['tag'], lengths(/<[?/][^>]*>/g)]
    case 2:
      return [['value'], lengths(/[^<>]+/g)]
    case 3:
      return [['response', 'value'], lengths(/<(\w*:?(?:response|prop))[^]*?<\/\1>/g)]
    case 4:
      return [['bytes'], [text.length, random.below(text.length + 1)]]
    default: {
      const name = random.pick(['response', 'href', 'prop', '\\w', 'x:'])
      return [COUNTS, [lengths(new RegExp(`<(?:\\w*:)?${name}`, 'g')).length]]
    }
  }
}
