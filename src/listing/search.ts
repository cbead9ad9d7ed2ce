/** SEARCH: its options and its stream. RFC 5323. */

import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {mergeDecoders} from '../properties/decode.ts'
import {propElement} from '../properties/propfind-body.ts'
import type {Decoders, PropertyName, PropertyNameList} from '../properties/vocabulary.ts'
import type {Depth} from '../protocol/depth.ts'
import {assertDepth, formatDepth} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, readOptions, TEXT, TEXTS, assertCount} from '../protocol/options.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {isElementToWrite} from '../xml/writer.ts'
import {resumeDepth} from './checkpoint.ts'
import type {ListingStream} from './propfind.ts'
import {streamListing} from './propfind.ts'
import type {QuestionOptions} from './report.ts'
import {formatBody, QUESTION_OPTIONS} from './report.ts'

/** One property by which results are ordered. RFC 5323, section 5.6. */
export interface SearchOrder {
  /** Its name. */
  readonly property: PropertyName
  /**
   * True for the largest value first.
   *
   * @defaultValue `false`
   */
  readonly descending?: boolean | undefined
}

/** Options of `search`: a whole `body`, or the parts of a basic search, of which `where` is needed. */
export interface SearchOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
> extends QuestionOptions<D> {
  /** The XML document of the search, of any grammar: its text, or its root element. */
  readonly body?: string | ElementToWrite | undefined
  /** The condition: an operator element such as `like`, with its operands. RFC 5323, section 5.5. */
  readonly where?: ElementToWrite | undefined
  /**
   * Names of the properties to read, which type those of the results.
   *
   * @defaultValue {@link DEFAULT_PROPERTIES}
   */
  readonly properties?: Names | undefined
  /** The collection to search in, or another resource. Default: the target of the request. RFC 5323, section 5.4. */
  readonly scope?: Target | undefined
  /**
   * The reach of the search in its scope.
   *
   * @defaultValue `'infinity'`
   */
  readonly depth?: Depth | undefined
  /**
   * The most results, a whole number above zero. RFC 5323, section 5.7.
   *
   * @defaultValue the server's: Nextcloud stops at 100 without a word
   */
  readonly limit?: number | undefined
  /** The order of the results. Default: the server's. */
  readonly orderBy?: readonly SearchOrder[] | undefined
}

const SEARCH_ORDER: Rules<Partial<SearchOrder>> = {property: TEXT, descending: BOOLEAN}

const SEARCH_OPTIONS: Rules<SearchOptions> = {
  ...QUESTION_OPTIONS,
  body: ANY,
  where: {words: "an element such as {name: 'eq', children: […]}", accepts: isElementToWrite},
  properties: TEXTS,
  scope: ANY,
  depth: ANY,
  limit: NUMBER,
  orderBy: {words: 'an array of orders', accepts: (value) => Array.isArray(value)},
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function search<P>(
  session: Session,
  target: Target,
  given: SearchOptions,
): ListingStream<P> {
  const options = readOptions('search', given, SEARCH_OPTIONS)
  const {scope, resume} = options
  const hasParts = Object.keys(options).some(
    (name) => name !== 'body' && !(name in QUESTION_OPTIONS),
  )
  if ((options.body === undefined) !== hasParts)
    throw new TypeError('search: give body, or else where and other parts of a search')
  const {href: url} = resolveTarget(target, session.base)
  const within = scope === undefined ? url : resolveTarget(scope, session.base).href
  const body = formatBody('search', options.body ?? basicSearch(options, within))
  if (resume !== undefined) resumeDepth(resume, 0)
  const decoders = mergeDecoders(session.decoders, options.decoders)
  const question = {
    method: 'SEARCH',
    url,
    root: url,
    depth: 0,
    body,
    decoders,
    attempts: 0,
  } as const
  return streamListing(session, question, options)
}

/** Makes the document of a basic search. The scope is a whole URL, because Nextcloud resolves a path against another base. */
function basicSearch(parts: SearchOptions, scope: string): ElementToWrite {
  const {where, properties, depth = 'infinity', limit, orderBy = []} = parts
  if (where === undefined) throw new TypeError('search: where is missing')
  assertDepth(depth)
  assertCount('search: limit', limit)
  const reach = [element('href', scope), element('depth', formatDepth(depth))]
  const order = orderBy.map((one) => {
    const {property = '', descending = false} = readOptions('orderBy', one, SEARCH_ORDER)
    return element('order', propElement([property]), ...(descending ? [element('descending')] : []))
  })
  const content = element(
    'basicsearch',
    element('select', propElement(properties)),
    element('from', element('scope', ...reach)),
    element('where', where),
    ...(order.length > 0 ? [element('orderby', ...order)] : []),
    ...(limit === undefined ? [] : [element('limit', element('nresults', String(limit)))]),
  )
  return element('searchrequest', content)
}

function element(name: string, ...children: readonly (ElementToWrite | string)[]): ElementToWrite {
  return {name, children}
}
