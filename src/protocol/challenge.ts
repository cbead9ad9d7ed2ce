/**
 * Decodes the challenges of a WWW-Authenticate header, and explains a 401 by them. Knows the scheme of the sent credentials, and
 * never the credentials. RFC 9110, section 11.
 */

import {MAX_CHALLENGE_CHARACTERS} from './bounds.ts'
import {decodeBytes, restoreBytes} from './byte-string.ts'
import {HeaderReader, unquote} from './header-reader.ts'

/** An authentication scheme that a server offers. */
export interface Challenge {
  /** The scheme as the server wrote it, such as `Basic`, `Digest` or `Negotiate`. Compare it without case. */
  readonly scheme: string
  /** The name of the protected part of the server, without quotation marks. Bytes in UTF-8 are decoded. */
  readonly realm?: string
}

/** A challenge with all that the server says of it. */
export interface FullChallenge extends Challenge {
  /**
   * Its parameters by name in lower case, without quotation marks. Of two with one name the first counts. Each byte
   * beyond ASCII is a character.
   */
  readonly parameters: Readonly<Record<string, string>>
}

/** The scheme of the sent credentials: `none` without credentials, `other` for a scheme of the caller's own. */
export type SentScheme = 'none' | 'Basic' | 'Bearer' | 'Digest' | 'other'

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
export function decodeChallenges(header: string | null | undefined): readonly FullChallenge[] {
  // Nearly every answer has no challenge.
  if (header === null || header === undefined) return []
  const reader = readerOf(header)
  const challenges: {scheme: string; parameters: Record<string, string>}[] = []
  reader.take(SEPARATOR)
  while (!reader.isAtEnd) {
    const parameter = reader.take(PARAMETER)
    if (parameter !== undefined) addParameter(challenges.at(-1)?.parameters, parameter)
    else {
      const scheme = reader.take(TOKEN)?.[0]
      if (scheme === undefined) reader.take(UP_TO_COMMA)
      else {
        challenges.push({scheme, parameters: {}})
        reader.take(BLANK)
        reader.take(TOKEN68)
      }
    }
    reader.take(SEPARATOR)
  }
  return challenges.map(({scheme, parameters}) => {
    const {realm} = parameters
    return realm === undefined
      ? {scheme, parameters}
      : {scheme, realm: decodeBytes(realm) ?? realm, parameters}
  })
}

/** Decodes a list of parameters, as of an Authentication-Info header. RFC 7616, section 3.5. */
export function decodeParameters(header: string): Readonly<Record<string, string>> {
  const reader = readerOf(header)
  const parameters: Record<string, string> = {}
  reader.take(SEPARATOR)
  while (!reader.isAtEnd) {
    const parameter = reader.take(PARAMETER)
    if (parameter === undefined) reader.take(UP_TO_COMMA)
    else addParameter(parameters, parameter)
    reader.take(SEPARATOR)
  }
  return parameters
}

function readerOf(header: string): HeaderReader {
  return new HeaderReader(restoreBytes(header.slice(0, MAX_CHALLENGE_CHARACTERS)))
}

function addParameter(
  parameters: Record<string, string> = {},
  [, name = '', quoted, bare = '']: RegExpExecArray,
): void {
  const key = name.toLowerCase()
  if (!Object.hasOwn(parameters, key))
    parameters[key] = quoted === undefined ? bare : unquote(quoted)
}

/** Leaves the parameters out, of which some belong in no error and no log. */
export function withoutParameters({scheme, realm}: Challenge): Challenge {
  return realm === undefined ? {scheme} : {scheme, realm}
}

type OfferedChallenge = Challenge & Partial<FullChallenge>

const KNOWN: ReadonlySet<string> = new Set(['basic', 'bearer', 'digest'])

/** Explains a 401 in words: the sent credentials against the offered schemes. */
export function explainChallenges(
  challenges: readonly OfferedChallenge[],
  sent: SentScheme,
): string {
  const schemes = challenges.map(({scheme}) => scheme.toLowerCase())
  const wanted = challenges.map(describe).join(', ')
  const isForeign = schemes.length > 0 && !schemes.some((scheme) => KNOWN.has(scheme))
  if (isForeign && sent !== 'other')
    return `the server wants ${wanted}, and this client has Basic, Digest and Bearer`
  const offer = wanted === '' ? '' : `; the server wants ${wanted}`
  if (sent === 'none') return `the client sent no credentials${offer}`
  const isOffered = sent === 'other' || schemes.length === 0 || schemes.includes(sent.toLowerCase())
  return isOffered
    ? `the server refused the credentials${offer}`
    : `the client sent ${sent}, and the server wants ${wanted}`
}

function describe({scheme, realm = '', parameters}: OfferedChallenge): string {
  const algorithm = parameters?.['algorithm']
  const facts = [
    ...(realm === '' ? [] : [`realm ${JSON.stringify(realm)}`]),
    ...(algorithm === undefined ? [] : [`algorithm ${algorithm}`]),
  ]
  return facts.length === 0 ? scheme : `${scheme} (${facts.join(', ')})`
}

/** Tells if a challenge says that the nonce of the request has expired. RFC 7616, section 3.3. */
export function hasExpired({parameters}: FullChallenge): boolean {
  return parameters['stale']?.toLowerCase() === 'true'
}
