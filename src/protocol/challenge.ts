/**
 * The challenges of a WWW-Authenticate header, and their meaning for the credentials that were sent. Knows no credential.
 * RFC 9110, section 11.
 */

/** A way to authenticate that a server offers. */
export interface Challenge {
  /** The scheme as the server wrote it, such as `Basic`, `Digest` or `Negotiate`. Its case means nothing. */
  readonly scheme: string
  /** The part of the server that the credentials are for, without its quotation marks. */
  readonly realm?: string
}

/** The scheme of the credentials that were sent: `none` for no credentials, `other` for the caller's own scheme. */
export type SentScheme = 'none' | 'Basic' | 'Bearer' | 'other'

const BLANK = /[\t ]*/y
const SEPARATOR = /[\t ,]*/y
const TOKEN = /[!#$%&'*+\-.^`|~\w]+/y
const EQUALS = /[\t ]*=[\t ]*/y
const QUOTED = /"((?:[^"\\]|\\.)*)(?:"|\\?$)/sy
const TOKEN68 = /[\w\-.~+/]+=*(?=[\t ]*(?:,|$))/y
const UP_TO_COMMA = /[^,]+/y

/** Reads a text from its beginning to its end. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length
  }

  /** Takes the match of a pattern at this place. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  /** Takes a parameter, or nothing at all. */
  parameter(): {readonly name: string; readonly value: string} | undefined {
    const start = this.#at
    const name = this.take(TOKEN)?.[0]
    if (name !== undefined && this.take(EQUALS) !== undefined) {
      const value = this.take(QUOTED)?.[1]?.replaceAll(/\\(.)/gs, '$1') ?? this.take(TOKEN)?.[0]
      if (value !== undefined) return {name: name.toLowerCase(), value}
    }
    this.#at = start
    return undefined
  }
}

/**
 * The challenges of a header, or of several joined by commas. The form tells scheme, token68 and parameters apart, because
 * commas separate all of them.
 *
 * @returns The challenges in their order; none for a header that is missing or nonsense.
 */
export function decodeChallenges(header: string | null | undefined): readonly Challenge[] {
  // Nearly every answer has no challenge.
  if (header === null || header === undefined) return []
  const reader = new Reader(header)
  const challenges: Challenge[] = []
  reader.take(SEPARATOR)
  while (!reader.isAtEnd) {
    const parameter = reader.parameter()
    if (parameter !== undefined) {
      const last = challenges.at(-1)
      if (parameter.name === 'realm' && last !== undefined && last.realm === undefined)
        challenges.splice(-1, 1, {...last, realm: parameter.value})
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

/** Explains a 401 to these credentials. */
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
