/**
 * Reads the grammar of a Multi-Status document from the callbacks of the scanner. Holds one response at a time, and gathers the
 * facts of the summary. Knows no bytes and no HTTP. RFC 4918, sections 13 and 14.16.
 */

import type {Property, PropertyNames, Written} from '../properties/values.ts'
import {PropertyValues} from '../properties/values.ts'
import {KEPT_PROPERTIES, SHOWN_NAME_CHARACTERS} from '../protocol/bounds.ts'
import {visible} from '../protocol/errors.ts'
import {HrefResolver} from '../protocol/href.ts'
import {decodeStatusLine} from '../protocol/status.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {ScannerHandler} from '../xml/handler.ts'
import {limitError, ScanError} from '../xml/handler.ts'
import type {LayoutValues, Replay} from '../xml/layout.ts'
import type {PathNode, Structured} from '../xml/path.ts'
import {
  classify,
  CONDITION,
  DESCRIPTION,
  HREF,
  LOCATION_HREF,
  MISNAMED,
  MULTISTATUS,
  PROPERTY,
  PROPSTAT,
  RESPONSE,
  STATUS,
  SYNC_TOKEN,
} from './grammar.ts'
import type {Limits} from './limits.ts'
import type {MakeResult} from './replay.ts'
import {makerLike} from './replay.ts'
import {append, type Contents, PropstatDraft, ResponseDraft} from './response.ts'
import type {DavResult} from './result.ts'
import type {Incomplete, Summary} from './summary.ts'
import {incompleteSelf, lists, picks, refusedSelf, setsAll} from './summary.ts'

/** The scanner's handler for one document. */
export class MultiStatusReader implements ScannerHandler<Property> {
  readonly #limits: Limits
  readonly #position: () => number
  // The method asks for members, so an answer can lack some.
  readonly #lists: boolean
  // The method asks a question, so any unreadable response may be a match.
  readonly #picks: boolean
  // The method sets all properties or none.
  readonly #needsAll: boolean
  // The href of a `mkcol-response`, which names none; `undefined` for any other method than MKCOL.
  readonly #madeHref: string | undefined
  readonly #resolver: HrefResolver
  readonly #names: PropertyNames
  readonly #values: PropertyValues
  #results: DavResult[] = []
  #hasRoot = false
  // The open response and the byte at which it began, the open propstat, and the properties of the response.
  #response: ResponseDraft | undefined
  #responseAt = 0
  #propstat: PropstatDraft | undefined
  #contents: Contents = {properties: [], written: []}
  // The response that has just ended.
  #ended: ResponseDraft | undefined
  #inHref = false
  // In recovery: since the last fault no href has begun and no response has ended. The next response may then begin anywhere.
  #isLost = false
  #successes = 0
  #failures = 0
  #responses = 0
  #description = ''
  #syncToken = ''
  // The gap of the requested collection itself, such as a 507. RFC 6578, section 3.6.
  #self: Incomplete | undefined
  // The requested collection, if its own response refused the properties. It counts only if no member came.
  #refused: Incomplete | undefined
  #hasMember = false
  #malformed = false

  constructor(
    url: URL,
    method: string,
    limits: Limits,
    names: PropertyNames,
    position: () => number,
  ) {
    this.#limits = limits
    this.#position = position
    this.#lists = lists(method)
    this.#picks = picks(method)
    this.#needsAll = setsAll(method)
    this.#madeHref = method === 'MKCOL' ? url.pathname : undefined
    this.#resolver = new HrefResolver(url)
    this.#names = names
    this.#values = new PropertyValues(names)
  }

  /** True from the start tag of `DAV:multistatus` on, and of the `DAV:mkcol-response` to MKCOL. */
  get isMultiStatus(): boolean {
    return this.#hasRoot
  }

  /** The number of complete responses. */
  get responses(): number {
    return this.#responses
  }

  /** Gives out the results that were completed since the last call. */
  take(): DavResult[] {
    const results = this.#results
    // Even an empty list is given out once: the caller may keep it.
    this.#results = []
    return results
  }

  /** Sums up the document so far. */
  summary(): Summary {
    const incomplete: Incomplete[] = []
    if (this.#self !== undefined) incomplete.push(this.#self)
    else if (this.#refused !== undefined && !this.#hasMember) incomplete.push(this.#refused)
    if (this.#malformed) incomplete.push({href: this.#resolver.base, reason: 'malformed'})
    return {
      complete: incomplete.length === 0,
      incomplete,
      successes: this.#successes,
      failures: this.#failures,
      requests: 0,
      ...(this.#description !== '' && {description: this.#description}),
      ...(this.#syncToken !== '' && {syncToken: this.#syncToken}),
    }
  }

  /** Throws if the open response is too long. */
  fed(): void {
    const length = this.#response === undefined ? 0 : this.#position() - this.#responseAt
    if (length > this.#limits.response) this.#exceed('response')
  }

  /** Sets the role of a path, and refuses any root but `DAV:multistatus`, and `DAV:mkcol-response` to MKCOL. */
  classify(node: PathNode<Property>): void {
    classify(node)
    const isMade = node.role === RESPONSE && this.#madeHref !== undefined
    if (node.depth === 1 && node.role !== MULTISTATUS && !isMade) {
      const problem = `the root is <${visible(node.tag, SHOWN_NAME_CHARACTERS)}>, not DAV:multistatus`
      throw new ScanError(problem, 'not-multistatus')
    }
    if (node.role !== PROPERTY) return
    const {name} = node
    // One property for each name, wherever it stands in the document.
    name.known ??= this.#names.make(name.text, name.isOnly)
  }

  open(node: PathNode<Property>): void {
    const response = this.#response
    switch (node.role) {
      case MULTISTATUS:
        this.#hasRoot = true
        break
      case RESPONSE:
        this.#response = new ResponseDraft()
        this.#ended = undefined
        this.#responseAt = this.#position()
        if (node.depth > 1 || this.#madeHref === undefined) break
        this.#hasRoot = true
        this.#response.hrefs = [this.#madeHref]
        break
      case PROPSTAT:
        this.#countPart()
        this.#propstat = new PropstatDraft(response?.size ?? 0)
        if (response !== undefined) response.propstats = append(response.propstats, this.#propstat)
        break
      case HREF:
        this.#inHref = true
        // Not at the start of a response: broken markup such as `</<D:response>` begins one that has no href.
        this.#isLost = false
        break
      case MISNAMED:
        // Probably meant as a response. Its resource is then missing from the results.
        this.#malformed = true
        break
      default:
    }
  }

  close(node: PathNode<Property>, value: string | Structured): void {
    const response = this.#response
    const part = this.#propstat ?? response
    // Only properties collect elements.
    const text = typeof value === 'string' ? value : ''
    switch (node.role) {
      case PROPERTY:
        this.#property(node.name.known, value)
        break
      case RESPONSE:
        this.fed()
        this.#isLost = false
        this.#finish()
        break
      case HREF:
        this.#inHref = false
        if (response === undefined) break
        response.hrefs = append(response.hrefs, ownCopy(trimSpace(text)))
        if (response.hrefs.length > this.#limits.hrefs) this.#exceed('hrefs')
        break
      case STATUS:
        part?.setStatus(decodeStatusLine(text))
        break
      case PROPSTAT:
        this.#propstat = undefined
        break
      case CONDITION:
        this.#countPart()
        if (part !== undefined) part.conditions = append(part.conditions, node.name.text)
        break
      case DESCRIPTION:
        if (part === undefined) this.#description ||= ownCopy(trimSpace(text))
        else part.description ||= ownCopy(trimSpace(text))
        break
      case LOCATION_HREF:
        if (response !== undefined) response.location ||= ownCopy(trimSpace(text))
        break
      case SYNC_TOKEN:
        this.#syncToken ||= ownCopy(trimSpace(text))
        break
      default:
    }
  }

  /** Keeps a property until the end of its response: the status of a propstat comes behind its properties. */
  #property(property: Property | undefined, value: Written): void {
    const response = this.#response
    const propstat = this.#propstat
    if (propstat === undefined || response === undefined || property === undefined) return
    if (++response.size > this.#limits.properties) this.#exceed('properties')
    this.#contents.properties[propstat.to] = property
    this.#contents.written[propstat.to] = value
    propstat.to++
  }

  /** Notes a fault in the open response, which becomes a Failure. A broken href is not resolved: it may name another resource. */
  fault(message: string): void {
    this.#isLost = true
    this.#malformed = true
    if (this.#response === undefined) return
    this.#response.problem ||= ownCopy(`is not well-formed: ${message}`)
    this.#response.hasBrokenHref ||= this.#inHref
  }

  /** Takes any start tag of a response for the next one while the place is lost, because end tags before it may be missing. */
  mayBeNext(child: PathNode<Property>): boolean {
    return this.#isLost && child.role !== RESPONSE && child.rawName.endsWith('response')
  }

  /** Counts propstats and conditions of a response. Their bound is that of properties. */
  #countPart(): void {
    const parts = this.#response === undefined ? 0 : ++this.#response.parts
    if (parts > this.#limits.properties) this.#exceed('properties')
  }

  /** Turns the ended response into results, and gathers its facts for the summary. */
  #finish(): void {
    const response = this.#response
    if (response === undefined) return
    if (this.#responses + 1 > this.#limits.responses) this.#exceed('responses')
    this.#responses++
    this.#response = undefined
    this.#propstat = undefined
    const results = this.#results
    const begin = results.length
    response.addResults(
      results,
      this.#resolver,
      this.#contents,
      this.#values,
      this.#responses,
      this.#needsAll,
    )
    // The room is used again for the next response, unless a rare large one made it big.
    if (response.size > KEPT_PROPERTIES) this.#contents = {properties: [], written: []}
    this.#ended = response.size > KEPT_PROPERTIES ? undefined : response
    for (let index = begin; index < results.length; index++) {
      const result = results[index]
      if (result !== undefined) this.#count(result)
    }
  }

  /** Counts a result, and gathers its facts for the summary. */
  #count(result: DavResult): void {
    if (result.ok) this.#successes++
    else this.#failures++
    if (!this.#lists) return
    if (result.ok) {
      this.#hasMember ||= result.relation === 'member' || result.relation === 'descendant'
      return
    }
    if (result.reason === 'malformed' && (this.#picks || result.href === '')) this.#malformed = true
    this.#self ??= incompleteSelf(result, this.#picks)
    this.#refused ??= refusedSelf(result)
  }

  /** Learns to make the results of responses with the markup of the one that has ended. */
  learn(slots: readonly PathNode<Property>[]): Replay | undefined {
    const ended = this.#ended
    const example = this.#results.at(-1)
    this.#ended = undefined
    if (ended === undefined || example === undefined) return undefined
    const make = makerLike(example, ended, this.#contents, slots)
    if (make === undefined) return undefined
    return (values, length, handler) =>
      handler instanceof MultiStatusReader && handler.#replay(make, values, length)
  }

  #replay(make: MakeResult, values: LayoutValues, length: number): boolean {
    const {response, responses} = this.#limits
    if (length > response || this.#responses + 1 > responses) return false
    const result = make(values, this.#resolver)
    if (result === undefined) return false
    this.#responses++
    this.#results.push(result)
    this.#count(result)
    return true
  }

  #exceed(limit: keyof Limits): never {
    throw limitError(this.#limits, limit)
  }
}
