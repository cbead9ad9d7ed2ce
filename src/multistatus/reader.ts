/**
 * Reads the grammar of a Multi-Status document from markup. Knows no bytes and no HTTP; holds one response at a time.
 * RFC 4918, sections 13 and 14.16.
 */

import type {Property, Written} from '../properties/values.ts'
import {PropertyValues} from '../properties/values.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {KEPT_PROPERTIES, SHOWN_NAME_CHARACTERS} from '../protocol/bounds.ts'
import {visible} from '../protocol/errors.ts'
import {HrefResolver} from '../protocol/href.ts'
import {decodeStatusLine} from '../protocol/status.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {ScannerHandler} from '../xml/handler.ts'
import {limitError, ScanError} from '../xml/handler.ts'
import type {Markup, PathNode} from '../xml/path.ts'
import {classify, Role} from './grammar.ts'
import type {Limits} from './limits.ts'
import {append, type Contents, PropstatDraft, ResponseDraft} from './response.ts'
import type {DavResult} from './result.ts'
import type {Incomplete, Summary} from './summary.ts'
import {incompleteSelf, lists, refusedSelf} from './summary.ts'

/** The handler of a scanner: collects results and the facts of the summary. */
export class MultiStatusReader implements ScannerHandler<Property> {
  readonly #limits: Limits
  readonly #position: () => number
  readonly #lists: boolean
  readonly #needsAll: boolean
  readonly #resolver: HrefResolver
  readonly #values: PropertyValues
  #results: DavResult[] = []
  #hasRoot = false
  #response: ResponseDraft | undefined
  #responseAt = 0
  #propstat: PropstatDraft | undefined
  #contents: Contents = {properties: [], written: []}
  #inHref = false
  // In recovery: there was a fault, and since then no href has begun and no response has ended.
  #isLost = false
  #successes = 0
  #failures = 0
  #responses = 0
  #description = ''
  #syncToken = ''
  #self: Incomplete | undefined
  // The request URL itself, if it answered and refused its properties; and a sign that it is not alone.
  #refused: Incomplete | undefined
  #hasMember = false
  #malformed = false

  constructor(
    url: URL,
    method: string,
    limits: Limits,
    decoders: Decoders | undefined,
    position: () => number,
  ) {
    this.#limits = limits
    this.#position = position
    this.#lists = lists(method)
    // RFC 4918, section 9.2, and RFC 5689, section 3: all is set or nothing.
    this.#needsAll = method === 'PROPPATCH' || method === 'MKCOL'
    this.#resolver = new HrefResolver(url)
    this.#values = new PropertyValues(decoders)
  }

  /** The root was read and is `DAV:multistatus`. */
  get isMultiStatus(): boolean {
    return this.#hasRoot
  }

  /** The number of complete responses. */
  get responses(): number {
    return this.#responses
  }

  /** Gives out the results since the last call. */
  take(): DavResult[] {
    const results = this.#results
    if (results.length > 0) this.#results = []
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

  /** Throws if the response that is read is too long. */
  fed(): void {
    const length = this.#response === undefined ? 0 : this.#position() - this.#responseAt
    if (length > this.#limits.response) this.#exceed('response')
  }

  classify(node: PathNode<Property>): void {
    classify(node)
    if (node.depth === 1 && node.role !== Role.multistatus) {
      const problem = `the root is <${visible(node.tag, SHOWN_NAME_CHARACTERS)}>, not DAV:multistatus`
      throw new ScanError(problem, 'not-multistatus')
    }
    if (node.role !== Role.property) return
    const {name} = node
    name.known ??= this.#values.makeProperty(name.text, name.isOnly)
  }

  open(node: PathNode<Property>): void {
    const response = this.#response
    switch (node.role) {
      case Role.multistatus:
        this.#hasRoot = true
        break
      case Role.response:
        this.#response = new ResponseDraft()
        this.#responseAt = this.#position()
        break
      case Role.propstat:
        this.#countPart()
        this.#propstat = new PropstatDraft(response?.size ?? 0)
        if (response !== undefined) response.propstats = append(response.propstats, this.#propstat)
        break
      case Role.href:
        this.#inHref = true
        // Not before: broken markup such as `</<D:response>` begins a response without an href.
        this.#isLost = false
        break
      case Role.misnamed:
        // It is no response, and may have been meant as one.
        this.#malformed = true
        break
      default:
    }
  }

  close(node: PathNode<Property>, value: string | Markup): void {
    const response = this.#response
    const part = this.#propstat ?? response
    // Only properties have markup.
    const text = typeof value === 'string' ? value : ''
    switch (node.role) {
      case Role.property:
        this.#property(node.name.known, value)
        break
      case Role.response:
        this.fed()
        this.#isLost = false
        this.#finish()
        break
      case Role.href:
        this.#inHref = false
        if (response === undefined) break
        response.hrefs = append(response.hrefs, ownCopy(trimSpace(text)))
        if (response.hrefs.length > this.#limits.hrefs) this.#exceed('hrefs')
        break
      case Role.status:
        part?.setStatus(decodeStatusLine(text))
        break
      case Role.propstat:
        this.#propstat = undefined
        break
      case Role.condition:
        this.#countPart()
        if (part !== undefined) part.conditions = append(part.conditions, node.name.text)
        break
      case Role.description:
        if (part === undefined) this.#description ||= ownCopy(trimSpace(text))
        else part.description ||= ownCopy(trimSpace(text))
        break
      case Role.locationHref:
        if (response !== undefined) response.location ||= ownCopy(trimSpace(text))
        break
      case Role.syncToken:
        this.#syncToken ||= ownCopy(trimSpace(text))
        break
      default:
    }
  }

  #property(property: Property | undefined, value: Written): void {
    const response = this.#response
    const propstat = this.#propstat
    if (propstat === undefined || response === undefined || property === undefined) return
    if (++response.size > this.#limits.properties) this.#exceed('properties')
    this.#contents.properties[propstat.to] = property
    this.#contents.written[propstat.to] = value
    propstat.to++
  }

  fault(message: string): void {
    this.#isLost = true
    this.#malformed = true
    if (this.#response === undefined) return
    this.#response.problem ||= ownCopy(`is not well-formed: ${message}`)
    this.#response.hasBrokenHref ||= this.#inHref
  }

  /** Behind a fault the next response begins at any start tag of one: end tags before it may be lost. */
  mayBeNext(child: PathNode<Property>): boolean {
    return this.#isLost && child.role !== Role.response && child.rawName.endsWith('response')
  }

  /** Counts propstats and conditions, which a response may have as many of as properties. */
  #countPart(): void {
    const parts = this.#response === undefined ? 0 : ++this.#response.parts
    if (parts > this.#limits.properties) this.#exceed('properties')
  }

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
    if (response.size > KEPT_PROPERTIES) this.#contents = {properties: [], written: []}
    for (let index = begin; index < results.length; index++) {
      const result = results[index]
      if (result === undefined) continue
      if (result.ok) this.#successes++
      else this.#failures++
      if (!this.#lists) continue
      if (result.ok) {
        this.#hasMember ||= result.relation === 'member' || result.relation === 'descendant'
        continue
      }
      if (result.reason === 'malformed' && result.href === '') this.#malformed = true
      this.#self ??= incompleteSelf(result)
      this.#refused ??= refusedSelf(result)
    }
  }

  #exceed(limit: keyof Limits): never {
    throw limitError(this.#limits, limit)
  }
}
