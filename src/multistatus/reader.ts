/**
 * Reads the grammar of a Multi-Status document from markup. Knows no bytes and no HTTP; holds one response at a time.
 * RFC 4918, sections 13 and 14.16.
 */

import type {Property} from '../properties/bag.ts'
import {Markup, PropertyValues} from '../properties/values.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {visible} from '../protocol/errors.ts'
import {HrefResolver} from '../protocol/href.ts'
import {decodeStatusLine} from '../protocol/status.ts'
import {ownCopy, trimSpace} from '../xml/characters.ts'
import type {PathNode} from '../xml/path.ts'
import type {ScannerHandler} from '../xml/handler.ts'
import {ScanError} from '../xml/handler.ts'
import {classify, Role} from './grammar.ts'
import type {Limits} from './limits.ts'
import type {PropstatDraft} from './propstat.ts'
import {Propstats} from './propstat.ts'
import {ResponseDraft} from './response.ts'
import type {DavResult} from './result.ts'
import type {Incomplete, Summary} from './summary.ts'
import {incompleteSelf, lists, refusedSelf} from './summary.ts'

/** The handler of a scanner: collects results and what is said of the whole. */
export class MultiStatusReader implements ScannerHandler<Property> {
  readonly #limits: Limits
  readonly #position: () => number
  readonly #url: URL
  readonly #lists: boolean
  readonly #needsAll: boolean
  readonly #resolver: HrefResolver
  readonly #values: PropertyValues
  #results: DavResult[] = []
  #response: ResponseDraft | undefined
  #responseAt = 0
  #propstat: PropstatDraft | undefined
  readonly #propstats = new Propstats()
  #root: PathNode<Property> | undefined
  #inHref = false
  // In recovery: whether there was a fault, and since then no href has begun and no response has ended.
  #isLost = false
  #responses = 0
  #successes = 0
  #failures = 0
  #description = ''
  #syncToken = ''
  #self: Incomplete | undefined
  // The request URL itself, where it answered and refused its properties; and whether it is not alone.
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
    this.#url = url
    this.#lists = lists(method)
    // RFC 4918, section 9.2, and RFC 5689, section 3: all is set or nothing.
    this.#needsAll = method === 'PROPPATCH' || method === 'MKCOL'
    this.#resolver = new HrefResolver(url)
    this.#values = new PropertyValues(decoders)
  }

  /** Whether the root was read and is `DAV:multistatus`. */
  get isMultiStatus(): boolean {
    return this.#root !== undefined
  }

  /** How many responses are complete. */
  get responses(): number {
    return this.#responses
  }

  /** Gives out the results since the last call. */
  take(): DavResult[] {
    const results = this.#results
    if (results.length > 0) this.#results = []
    return results
  }

  /** What can be said of what was read. */
  summary(): Summary {
    const incomplete: Incomplete[] = []
    if (this.#self !== undefined) incomplete.push(this.#self)
    else if (this.#refused !== undefined && !this.#hasMember) incomplete.push(this.#refused)
    if (this.#malformed) incomplete.push({href: this.#url.href, reason: 'malformed'})
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

  /** Throws where the response that is being read is too long. */
  fed(): void {
    if (this.#response === undefined) return
    if (this.#position() - this.#responseAt <= this.#limits.response) return
    this.#exceeded('response', `a DAV:response is longer than ${this.#limits.response} bytes`)
  }

  classify(node: PathNode<Property>): void {
    classify(node)
    if (node.depth === 1 && node.role !== Role.multistatus) {
      const problem = `the root is <${visible(node.tag, 100)}>, not DAV:multistatus`
      throw new ScanError(problem, 'not-multistatus', undefined)
    }
    if (node.role === Role.property) node.name.known ??= this.#values.makeProperty(node.name)
  }

  open(node: PathNode<Property>): void {
    switch (node.role) {
      case Role.response:
        this.#response = new ResponseDraft()
        this.#responseAt = this.#position()
        break
      case Role.misnamed:
        // It is no response, and may have been meant as one.
        this.#malformed = true
        break
      case Role.propstat:
        this.#countPart()
        this.#propstat = this.#propstats.make()
        this.#response?.addPropstat(this.#propstat)
        break
      case Role.href:
        this.#inHref = true
        // Not before: broken markup such as `</<D:response>` begins a response without an href.
        this.#isLost = false
        break
      case Role.multistatus:
        this.#root = node
        break
      default:
    }
  }

  close(node: PathNode<Property>, value: string, structured: boolean): void {
    switch (node.role) {
      case Role.property:
        return this.#property(node, value, structured)
      case Role.href:
        return this.#href(ownCopy(trimSpace(value)))
      case Role.status:
        return this.#response?.setStatus(decodeStatusLine(value))
      case Role.propstatStatus:
        if (this.#propstat !== undefined) this.#propstat.status ??= decodeStatusLine(value)
        return undefined
      case Role.propstat:
        this.#propstat = undefined
        return undefined
      case Role.response:
        this.fed()
        this.#isLost = false
        return this.#finish()
      case Role.condition:
        return this.#condition(node.name.text, this.#response)
      case Role.propstatCondition:
        return this.#condition(node.name.text, this.#propstat)
      case Role.description:
        if (this.#response !== undefined) this.#response.description ||= ownCopy(trimSpace(value))
        return undefined
      case Role.propstatDescription:
        if (this.#propstat !== undefined) this.#propstat.description ||= ownCopy(trimSpace(value))
        return undefined
      case Role.documentDescription:
        this.#description ||= ownCopy(trimSpace(value))
        return undefined
      case Role.locationHref:
        if (this.#response !== undefined) this.#response.location ||= ownCopy(trimSpace(value))
        return undefined
      case Role.syncToken:
        this.#syncToken ||= ownCopy(trimSpace(value))
        return undefined
      default:
        return undefined
    }
  }

  fault(message: string): void {
    this.#isLost = true
    this.#malformed = true
    if (this.#response === undefined) return
    this.#response.problem ||= ownCopy(`is not well-formed: ${message}`)
    this.#response.hasBrokenHref ||= this.#inHref
  }

  /** Behind a fault the next response begins wherever its start tag stands: end tags before it may be lost. */
  mayBeNext(child: PathNode<Property>): boolean {
    return this.#isLost && child.role !== Role.response && child.rawName.endsWith('response')
  }

  #property(node: PathNode<Property>, value: string, structured: boolean): void {
    const propstat = this.#propstat
    const response = this.#response
    if (propstat === undefined || response === undefined) return
    if (++response.size > this.#limits.properties) this.#tooMany('properties', 'properties')
    propstat.add(node, structured ? new Markup(value) : value)
  }

  #condition(name: string, of: ResponseDraft | PropstatDraft | undefined): void {
    this.#countPart()
    if (of === undefined) return
    // Most have one, for which an array that grows would take the room of 17.
    if (of.conditions === undefined) of.conditions = [name]
    else of.conditions.push(name)
  }

  /** Counts propstats and conditions, which a response may have as many of as properties. */
  #countPart(): void {
    if (this.#response === undefined || ++this.#response.parts <= this.#limits.properties) return
    this.#tooMany('properties', 'propstats and conditions')
  }

  #href(href: string): void {
    this.#inHref = false
    this.#response?.addHref(href)
    this.#checkHrefs()
  }

  #checkHrefs(): void {
    const count = this.#response?.hrefs.length ?? 0
    if (count > this.#limits.hrefs) this.#tooMany('hrefs', 'hrefs')
  }

  #finish(): void {
    const response = this.#response
    if (response === undefined) return
    if (this.#responses + 1 > this.#limits.responses) {
      this.#exceeded('responses', `there are more than ${this.#limits.responses} responses`)
    }
    this.#responses++
    this.#response = undefined
    this.#propstat = undefined
    const results = response.results(this.#resolver, this.#values, this.#responses, this.#needsAll)
    for (const result of results) {
      this.#results.push(result)
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
    this.#propstats.take(response.propstats)
  }

  #tooMany(limit: keyof Limits, what: string): never {
    this.#exceeded(limit, `a DAV:response has more than ${this.#limits[limit]} ${what}`)
  }

  #exceeded(limit: keyof Limits, message: string): never {
    throw new ScanError(message, 'limit-exceeded', undefined, limit)
  }
}
