/**
 * The known capabilities of a server. OPTIONS claims them, answers show them, and probes test them. An answer or a probe wins
 * over a claim, because servers claim too much and too little. RFC 4918, section 10.1; RFC 9110, section 10.2.1.
 */

import {REMEMBERED_ALLOW_HEADERS, REMEMBERED_EXTENSIONS} from '../protocol/bounds.ts'
import {resourceKey} from '../protocol/href.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {isSafe} from '../transport/methods.ts'

/** One fact about a server. */
export interface CapabilityFact {
  /**
   * The kind of capability.
   *
   * - `class`: a compliance class, `1`, `2` or `3`. RFC 4918, section 18.
   * - `extension`: any other element of the DAV header, such as `extended-mkcol` or `<http://apache.org/dav/propset/fs/1>`.
   * - `method`: a method, in upper case.
   * - `condition`: a conditional header that the server honours, such as `If-Match`.
   */
  readonly kind: 'class' | 'extension' | 'method' | 'condition'
  /** The name, as the server wrote it; that of a method in upper case. */
  readonly name: string
  /** False if the server lacks it. */
  readonly holds: boolean
  /**
   * The source of the fact.
   *
   * - `said`: the DAV or Allow header of OPTIONS.
   * - `seen`: an earlier answer of the server to that method: 2xx, or 501.
   * - `asked`: a probe of this client.
   */
  readonly source: 'said' | 'seen' | 'asked'
}

// A 501 to these may be about a part of the request. SOGo 5.8 refuses the GET of a collection so, x/net a shared lock, and wsgidav
// 4.3 the Content-Encoding of a PUT.
const REFUSED_IN_PART = /^(?:GET|LOCK|PUT)$/

// The names of methods are in upper case, those of classes and extensions are not.
const METHOD = /^[A-Z]+$/
const CONDITION = /^If-/

const LACKS = {
  said: 'was not named in the answer to OPTIONS',
  seen: 'was answered with 501 before',
  asked: 'failed a test',
} as const

/** The facts that the calls of one client have learnt about its server. */
export class KnownCapabilities {
  /** The facts that were seen or asked, by name. */
  readonly #learnt = new Map<string, CapabilityFact>()
  /** The elements of DAV headers, the newest first; `undefined` before the first answer to OPTIONS. */
  #dav: readonly string[] | undefined
  /** The methods of Allow headers, by resource. */
  readonly #allow = new Map<string, readonly string[]>()

  /** Adds the headers of an answer to OPTIONS. Returns all facts about the resource. */
  addSaid(
    url: string,
    dav: readonly string[],
    methods: readonly string[],
  ): readonly CapabilityFact[] {
    this.#dav = [...new Set([...dav, ...(this.#dav ?? [])])].slice(0, REMEMBERED_EXTENSIONS)
    const key = resourceKey(url)
    this.#allow.delete(key)
    if (isAboutResource(methods)) this.#allow.set(key, methods)
    const [oldest] = this.#allow.keys()
    if (oldest !== undefined && this.#allow.size > REMEMBERED_ALLOW_HEADERS)
      this.#allow.delete(oldest)
    const said = [
      ...dav.map((name) => saidFact(/^[123]$/.test(name) ? 'class' : 'extension', name)),
      ...methods.map((name) => saidFact('method', name)),
    ]
    const others = said.filter(({kind, name}) => this.#learnt.get(name)?.kind !== kind)
    return [...others, ...this.#learnt.values()]
  }

  /** Adds the status of an answer to a method. One success proves that the server has it, whatever comes after. */
  addSeen(method: string, status: number): void {
    // An answer to OPTIONS is a claim itself.
    if (method === 'OPTIONS') return
    const holds = isSuccessStatus(status)
    // Each change may change the methods that a resource allows.
    if (holds && !isSafe(method) && this.#allow.size > 0) this.#allow.clear()
    const isLack = status === 501 && !REFUSED_IN_PART.test(method) && !this.#learnt.has(method)
    if (!holds && !isLack) return
    this.#learnt.set(method, {kind: 'method', name: method, holds, source: 'seen'})
  }

  /** Adds the result of a probe for a conditional header. */
  addAsked(name: string, holds: boolean): void {
    this.#learnt.set(name, {kind: 'condition', name, holds, source: 'asked'})
  }

  /** Finds the fact about a method, a class, an extension or a condition at a URL; `undefined` if nobody knows. */
  find(name: string, url: string): CapabilityFact | undefined {
    const learnt = this.#learnt.get(name)
    if (learnt !== undefined || CONDITION.test(name)) return learnt
    const isMethod = METHOD.test(name)
    const said = isMethod ? this.#allow.get(resourceKey(url)) : this.#dav
    if (said === undefined) return undefined
    return {...saidFact(isMethod ? 'method' : 'extension', name), holds: said.includes(name)}
  }

  /**
   * Finds the reason why a request must not be sent: the server lacks its method, or an extension or a condition that it needs.
   * Only known facts count.
   */
  findLack(name: string, url: string): string | undefined {
    const fact = this.find(name, url)
    // Apache 2.4 and x/net leave MKCOL out where a resource is. Its 405 tells more.
    const isUnsure = name === 'MKCOL' && fact?.source === 'said'
    return fact === undefined || fact.holds || isUnsure
      ? undefined
      : `${name} ${LACKS[fact.source]}; say ignoreCapabilities: true if the server has it`
  }
}

/**
 * Tells if an Allow header is about a resource. Where nothing is, Apache 2.4 and x/net allow MKCOL but no DELETE. An empty header
 * would forbid even the OPTIONS that it answers.
 */
function isAboutResource(methods: readonly string[]): boolean {
  return methods.length > 0 && (!methods.includes('MKCOL') || methods.includes('DELETE'))
}

function saidFact(kind: CapabilityFact['kind'], name: string): CapabilityFact {
  return {kind, name, holds: true, source: 'said'}
}
