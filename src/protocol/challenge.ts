/**
 * Decodes the challenges of a WWW-Authenticate header, and explains a 401 by them. Knows the scheme of the sent credentials, and
 * never the credentials. RFC 9110, section 11.
 */

import {HeaderReader, unquote} from './header-reader.ts'

/** An authentication scheme that a server offers. */
export interface Challenge {
  /** The scheme as the server wrote it, such as `Basic`, `Digest` or `Negotiate`. Compare it without case. */
  readonly scheme: string
  /** The name of the protected part of the server, without quotation marks. */
  readonly realm?: string
}

/** The scheme of the sent credentials: `none` without credentials, `other` for a scheme of the caller's own. */
export type SentScheme = 'none' | 'Basic' | 'Bearer' | 'other'

const BLANK = /[\t ]*/y
const SEPARATOR = /[\t ,]*/y
const TOKEN = /[!#$%&'*+\-.^`|~\w]+/y
const TOKEN68 = /[\w\-.~+/]+=*(?=[\t ]*(?:,|$))/y
const UP_TO_COMMA = /[^,]+/y
const PARAMETER =
  /([!#$%&'*+\-.^`|~\w]+)[\t ]*=[\t ]*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([!#$%&'*+\-.^`|~\w]+))/sy

/**
 * Decodes the challenges of a header, or of several joined by commas. Commas separate challenges and also their parameters, so
 * only the form of each part tells its kind.
 *
 * @returns The challenges in their order; an empty list for a missing header and for nonsense.
 */
export function decodeChallenges(header: string | null | undefined): readonly Challenge[] {
  // Nearly every answer has no challenge.
  if (header === null || header === undefined) return []
  const reader = new HeaderReader(header)
  const challenges: Challenge[] = []
  reader.take(SEPARATOR)
  while (!reader.isAtEnd) {
    const parameter = reader.take(PARAMETER)
    if (parameter !== undefined) {
      const [, name = '', quoted, bare = ''] = parameter
      const last = challenges.at(-1)
      if (name.toLowerCase() === 'realm' && last !== undefined && last.realm === undefined)
        challenges.splice(-1, 1, {...last, realm: quoted === undefined ? bare : unquote(quoted)})
    } else {
      const scheme = reader.take(TOKEN)?.[0]
      if (scheme === undefined) reader.take(UP_TO_COMMA)
      else {
        challenges.push({scheme})
        reader.take(BLANK)
        reader.take(TOKEN68)
      }
    }
    reader.take(SEPARATOR)
  }
  return challenges
}

const KNOWN: ReadonlySet<string> = new Set(['basic', 'bearer'])

/** Explains a 401 in words: the sent credentials against the offered schemes. */
export function explainChallenges(challenges: readonly Challenge[], sent: SentScheme): string {
  const schemes = challenges.map(({scheme}) => scheme.toLowerCase())
  const wanted = challenges.map(describe).join(', ')
  const isForeign = schemes.length > 0 && !schemes.some((scheme) => KNOWN.has(scheme))
  if (isForeign && sent !== 'other')
    return `the server wants ${wanted}, and this client has Basic and Bearer`
  const offer = wanted === '' ? '' : `; the server wants ${wanted}`
  if (sent === 'none') return `the client sent no credentials${offer}`
  const isOffered = sent === 'other' || schemes.length === 0 || schemes.includes(sent.toLowerCase())
  return isOffered
    ? `the server refused the credentials${offer}`
    : `the client sent ${sent}, and the server wants ${wanted}`
}

function describe({scheme, realm}: Challenge): string {
  return realm === undefined || realm === '' ? scheme : `${scheme} (realm ${JSON.stringify(realm)})`
}
