/**
 * The path of a resource in a local folder, and back. Each name of a server becomes a name of its own that stays in its
 * folder. An unsafe character is kept as an escape, or refused if no escape can hold it. Knows no file system: folds no case
 * and normalizes nothing. RFC 3986, sections 2.1 and 3.3; RFC 4918, section 5.2.
 */

import {quoted, visible} from './errors.ts'
import type {Relation} from './href.ts'
import {canonicalPath, relate} from './href.ts'
import type {Rules} from './options.ts'
import {ANY, BOOLEAN, readOptions} from './options.ts'

/** Options of `toLocalPath`. */
export interface LocalPathOptions {
  /**
   * The collection that was listed, absolute, or its result; with a slash at its end or without. Paths begin below it.
   * Without it the way from the server's root is part of every path.
   *
   * @defaultValue the root of the server
   */
  readonly base?:
    | string
    | URL
    | {
        /** The collection, absolute. */
        readonly url: string
      }
    | undefined
  /**
   * Refuses names that Windows reserves or cannot hold. These are its devices with any extension: `CON`, `PRN`, `AUX`, `NUL`,
   * `COM1` to `COM9`, `LPT1` to `LPT9`, `CONIN$`, `CONOUT$`. So are names with a dot or a space at their end, with a control
   * character, or with one of `< > : " | ? *`.
   *
   * @defaultValue `false`
   */
  readonly windows?: boolean | undefined
}

const LOCAL_PATH_OPTIONS: Rules<LocalPathOptions> = {base: ANY, windows: BOOLEAN}

// With the backslash that URLs take for a slash.
const DOT_SEGMENT = /[/\\](?:\.|%2e){1,2}(?=[/\\?#]|$)/i

// The bytes of one character, as far as the first one tells how many they are, or else one byte.
const ESCAPED =
  /%[CD][\dA-F]%[89AB][\dA-F]|%E[\dA-F](?:%[89AB][\dA-F]){2}|%F[0-7](?:%[89AB][\dA-F]){3}|%[\dA-F]{2}/g
const PERCENT_THAT_ESCAPES_NOTHING = /%25(?![\da-f]{2})/gi
const DRIVE_LETTER = /^[a-z]:/i

// The second half: all characters before the space.
const NOT_IN_WINDOWS = /[<>:"|?*]|[^ -\u{10ffff}]/u
const DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[1-9\u00b9\u00b2\u00b3]|conin\$|conout\$) *(?:\.|$)/i

/**
 * The path of a result, relative to the folder that stands for `base`: `''` for the base itself, no slash at either end,
 * `/` between segments on every system. Whatever a server writes, the path stays in the folder that it is joined to.
 *
 * Two resources never have the same path, and {@link fromLocalPath} goes back. These stay escapes: a `/` or `\` inside a
 * name (`a%2Fb`), a byte that is not UTF-8 (`caf%E9`), the colon of a drive letter (`C%3A`). A `%` before two hex digits
 * becomes `%25`, and any other one stays. Names that differ in case or normalization alone are two paths. Some file systems
 * hold them as one.
 *
 * Doubled slashes fold, as `relation` folds them: `/photos//a` and `/photos/a` are one resource with the path `a`. So do a
 * slash at the end and needless escapes, and nothing else.
 *
 * @param result - A result, a Failure too.
 * @throws TypeError for a result that is `outside` or not at or below `base`. Also for a name that is `.` or `..` or holds a
 *   NUL, and with `windows` for one that Windows cannot hold. Also for a `base` that is no absolute URL, and an unknown option.
 * @example
 * ```ts
 * const base = 'https://dav.example/photos/'
 * for await (const result of members(dav.propfind(base))) {
 *   if (result.ok) console.log(`backup/${toLocalPath(result, {base})}`)
 * }
 * ```
 */
export function toLocalPath(
  result: {readonly url: string; readonly relation: Relation; readonly href?: string},
  options: LocalPathOptions = {},
): string {
  const {base: givenBase, windows = false} = readOptions('toLocalPath', options, LOCAL_PATH_OPTIONS)
  const refusal = (why: string): TypeError =>
    new TypeError(`toLocalPath: ${quoted(result.href ?? result.url)} ${why}`)

  if (result.relation === 'outside') throw refusal('is outside the collection that was listed')
  const url = URL.parse(result.url)
  if (url === null || !url.pathname.startsWith('/')) throw refusal('has no absolute URL')
  if (url.search !== '' || url.hash !== '') throw refusal('has a query or a fragment in its URL')
  if (DOT_SEGMENT.test(result.url)) throw refusal("has a segment '.' or '..'")
  const base = baseOf(givenBase, url)
  if (url.protocol !== base.protocol || url.host !== base.host) {
    throw refusal(`is on ${url.host} and not, as the base is, on ${base.host}`)
  }
  const path = canonicalPath(url.pathname)
  const basePath = canonicalPath(base.pathname)
  if (relate(path, basePath) === 'outside')
    throw refusal(`is not at or below ${visible(base.pathname, 1000)}`)
  return path
    .slice(basePath.length)
    .split('/')
    .slice(1)
    .map((segment) => {
      const name = decodeName(segment)
      const problem = findProblem(name) ?? (windows ? findWindowsProblem(name) : undefined)
      if (problem !== undefined) throw refusal(problem)
      return escapeDrive(name)
    })
    .join('/')
}

/**
 * The URL reference of the resource for which {@link toLocalPath} gave a path, relative to the same base. Resolve it against
 * a base that ends with a slash. The slash at the end of a collection is not in it.
 *
 * @param path - A path of `toLocalPath`, such as `100% sure/a%2Fb`; on Windows too with `/` between segments.
 * @returns The reference, such as `100%25%20sure/a%2Fb`; `''` for the base itself.
 * @throws TypeError for a path that `toLocalPath` never gives: it would mean another resource than it seems to. Such a path is
 *   absolute, or has a drive letter, a `\` or a NUL. It may have a segment that is empty, `.` or `..`, or half of a surrogate
 *   pair. Or it has an escape that is not needed, such as `%20`.
 * @example
 * ```ts
 * const failed = new URL(fromLocalPath('albums/100% sure.jpg'), 'https://dav.example/photos/')
 * ```
 */
export function fromLocalPath(path: string): string {
  if (path === '') return ''
  const refusal = (why: string): TypeError => new TypeError(`fromLocalPath: ${quoted(path)} ${why}`)

  if (/^[/\\]/.test(path)) throw refusal('is absolute')
  if (path.includes('\\')) throw refusal("has a '\\', which is '/' or, in a name, '%5C'")
  if (!path.isWellFormed()) throw refusal('has half of a surrogate pair')
  return path
    .split('/')
    .map((name) => {
      if (name === '') throw refusal('has an empty segment')
      if (name === '.' || name === '..') throw refusal("has a segment '.' or '..'")
      if (DRIVE_LETTER.test(name)) throw refusal("has a drive letter; in a name it is 'C%3A'")
      const problem = findProblem(name)
      if (problem !== undefined) throw refusal(problem)
      const segment = encodeName(name)
      if (escapeDrive(decodeName(segment)) !== name) {
        throw refusal("has an escape that toLocalPath does not make; in a name '%' is '%25'")
      }
      return segment
    })
    .join('/')
}

function baseOf(given: LocalPathOptions['base'], url: URL): URL {
  if (given === undefined) return new URL('/', url)
  const text = typeof given === 'string' || given instanceof URL ? given : given.url
  const base = typeof text === 'string' || text instanceof URL ? URL.parse(text) : null
  if (base === null) throw new TypeError('toLocalPath: the base must be an absolute URL')
  return base
}

/** The name of a segment with escapes in upper case. Keeps the escapes that are needed to go back. */
function decodeName(segment: string): string {
  return segment.replaceAll(ESCAPED, decodeCharacter).replaceAll(PERCENT_THAT_ESCAPES_NOTHING, '%')
}

function decodeCharacter(escaped: string): string {
  if (escaped === '%2F' || escaped === '%5C' || escaped === '%25') return escaped
  try {
    return decodeURIComponent(escaped)
  } catch {
    return escaped
  }
}

function encodeName(name: string): string {
  return name
    .split(/(%[\dA-F]{2})/)
    .map((part, index) => (index % 2 === 1 ? part : encodeURIComponent(part)))
    .join('')
}

/** Joined to a folder, `C:x` may be what it is on the drive C. */
function escapeDrive(name: string): string {
  return DRIVE_LETTER.test(name) ? `${name.slice(0, 1)}%3A${name.slice(2)}` : name
}

function findProblem(name: string): string | undefined {
  return name.includes('\0') ? 'has a NUL, which no file name can hold' : undefined
}

function findWindowsProblem(name: string): string | undefined {
  const character = NOT_IN_WINDOWS.exec(name)?.[0]
  if (character !== undefined)
    return `has the character ${quoted(character)}, which Windows cannot hold in a name`
  if (/[. ]$/.test(name)) return 'has a name with a dot or a space at its end, which Windows drops'
  return DEVICE.test(name) ? 'has a name that Windows keeps for a device' : undefined
}
