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
   * The listed collection, as an absolute URL or its result, with a slash at its end or without. Paths begin below it. Without
   * `base`, each path begins at the root of the server.
   *
   * @defaultValue the root of the server
   */
  readonly base?:
    | string
    | URL
    | {
        /** The absolute URL of the collection. */
        readonly url: string
      }
    | undefined
  /**
   * Refuses names that Windows reserves or cannot hold. Reserved are the devices `CON`, `PRN`, `AUX`, `NUL`, `COM1` to `COM9`,
   * `LPT1` to `LPT9`, `CONIN$` and `CONOUT$`, with any extension. No name can end with a dot or a space, or hold a control
   * character or one of `< > : " | ? *`.
   *
   * @defaultValue `false`
   */
  readonly windows?: boolean | undefined
}

const LOCAL_PATH_OPTIONS: Rules<LocalPathOptions> = {base: ANY, windows: BOOLEAN}

// With the backslash that URLs take for a slash.
const DOT_SEGMENT = /[/\\](?:\.|%2e){1,2}(?=[/\\?#]|$)/i

// The escaped bytes of one character of UTF-8, else one escaped byte.
const ESCAPED =
  /%[CD][\dA-F]%[89AB][\dA-F]|%E[\dA-F](?:%[89AB][\dA-F]){2}|%F[0-7](?:%[89AB][\dA-F]){3}|%[\dA-F]{2}/g
const PERCENT_THAT_ESCAPES_NOTHING = /%25(?![\da-f]{2})/gi
const DRIVE_LETTER = /^[a-z]:/i

// The second half: all characters before the space.
const NOT_IN_WINDOWS = /[<>:"|?*]|[^ -\u{10ffff}]/u
const DEVICE = /^(?:con|prn|aux|nul|(?:com|lpt)[1-9\u00b9\u00b2\u00b3]|conin\$|conout\$) *(?:\.|$)/i

/**
 * Makes a local path of a result, relative to the folder for `base`: `''` for the base itself, no slash at either end, `/`
 * between segments on every system. Whatever a server writes, the path stays in its folder.
 *
 * Two resources never have the same path, and {@link fromLocalPath} leads back. These stay escapes: a `/` or `\` inside a name
 * (`a%2Fb`), a byte that is not UTF-8 (`caf%E9`), the colon of a drive letter (`C%3A`). A `%` before two hex digits becomes
 * `%25`, and any other one stays. Names that differ only in case or normalization are two paths, but some file systems hold them
 * as one.
 *
 * As for `relation`, doubled slashes, a slash at the end and needless escapes make no difference: `/photos//a` and `/photos/a`
 * are one resource with the path `a`.
 *
 * @param result - A Success or a Failure.
 * @throws TypeError for a result that is `outside` or not at or below `base`. Also for a name that is `.` or `..` or holds a NUL.
 *   With `windows`, also for a name that Windows cannot hold. Also for a `base` that is no absolute URL, and for an unknown
 *   option.
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
 * Undoes {@link toLocalPath}: makes the URL reference of the resource, relative to the same base. Resolve it against a base that
 * ends with a slash. The reference of a collection has no slash at its end.
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

/** Decodes a segment with escapes in upper case. Keeps the escapes that are needed to lead back. */
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

/** Escapes the colon of a drive letter. Windows would take `C:x` for a file on the drive C, even behind a folder. */
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
