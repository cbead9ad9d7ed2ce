/**
 * Finds the changes of a collection since the last time: by the report sync-collection, or else by a listing whose ETags are
 * compared. A resource is called gone only by the server's own word, or by a whole listing without it. RFC 6578.
 */

import type {CallContext} from '../call/call.ts'
import {createCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency, resolveRetry} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import type {Checkpoint} from '../listing/checkpoint.ts'
import {Frontier} from '../listing/frontier.ts'
import type {ListingAnswer} from '../listing/listing.ts'
import {ledElsewhere, list} from '../listing/listing.ts'
import type {Pages} from '../listing/pages.ts'
import {readPages} from '../listing/pages.ts'
import {readSelf} from '../listing/presence.ts'
import type {ListingStream} from '../listing/propfind.ts'
import {firstListing, makeQuery} from '../listing/propfind.ts'
import type {Listing} from '../listing/query.ts'
import {walk} from '../listing/walk.ts'
import type {Ending} from '../multistatus/result-stream.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import {DECODERS, mergeDecoders} from '../properties/decode.ts'
import {DEFAULT_PROPERTIES} from '../properties/propfind-body.ts'
import type {Decoders, PropertyNameList} from '../properties/vocabulary.ts'
import {MAX_PAGES, SYNC_PAGE_RESULTS} from '../protocol/bounds.ts'
import {DavError} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  callback,
  NUMBER,
  readOptions,
  RECORD,
  SIGNAL,
  TEXT,
  TEXTS,
  assertCount,
} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {SavePage} from './changes.ts'
import {Changes, etagIn} from './changes.ts'
import type {Refusal, ReportFacts} from './report.ts'
import {makeReport, refusalOf} from './report.ts'
import type {SyncLevel} from './state.ts'
import {SyncState} from './state.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `sync`. */
export interface SyncOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
> {
  /**
   * The `summary.syncToken` of the last sync, for a program that keeps the resources by itself. Not with `state`.
   *
   * @defaultValue none: the first sync, which names every resource
   */
  readonly token?: string | undefined
  /** The state of the last sync, or a new one. The call changes it as its results are read. */
  readonly state?: SyncState | undefined
  /**
   * Appends lines to the journal of `state`. Called with the names of changed resources before you get their results, and with the
   * ETags and the token after you took them. It is awaited, and the next page is requested after it. An error that it throws ends the
   * sync.
   */
  readonly onPage?: SavePage | undefined
  /** Names of the properties, which type the results. `getetag` and `resourcetype` are added. */
  readonly properties?: Names | undefined
  /**
   * The reach: 1 for the members of the collection, `'infinity'` for everything below. Few servers report that, so collections are
   * listed on the others.
   *
   * @defaultValue 1
   */
  readonly level?: SyncLevel | undefined
  /**
   * The most results in one page of a report, for servers that obey it. Some refuse a report with a limit.
   *
   * @defaultValue none
   */
  readonly limit?: number | undefined
  /**
   * Requests pages of collections that are listed, as for `propfind`.
   *
   * @defaultValue none
   */
  readonly pages?: Pages | undefined
  /** Decoders by property name, added to the client's. They type their properties. */
  readonly decoders?: (D & Decoders) | undefined
  /**
   * The most requests at once, if collections are listed.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const SYNC_OPTIONS: Rules<SyncOptions> = {
  token: TEXT,
  state: {words: 'a SyncState', accepts: (value) => value instanceof SyncState},
  onPage: callback('the lines of a page'),
  properties: TEXTS,
  level: {words: "1 or 'infinity'", accepts: (value) => value === 1 || value === 'infinity'},
  limit: NUMBER,
  pages: RECORD,
  decoders: DECODERS,
  concurrency: NUMBER,
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/** The facts of one sync. */
interface SyncCall extends ReportFacts {
  readonly token: string | undefined
  readonly state: SyncState | undefined
  readonly limit: number | undefined
  readonly pages: Pages | undefined
  /** The token up to which the caller took all changes of this call. */
  reached?: string
  /** True if the next sync must send the report again, with the same token. Default: it lists the resources. */
  triesAgain?: boolean
}

// The tag of a calendar or an address book, which changes with its members.
const CTAG = '{http://calendarserver.org/ns/}getctag'
// Only ownCloud and Nextcloud have it. Their collections have ETags that change with everything below.
const FILE_ID = '{http://owncloud.org/ns}fileid'

/** Checks the options and makes the stream. Nothing is sent yet. */
export function sync<P>(
  session: Session,
  target: Target,
  given: SyncOptions = {},
): ListingStream<P> {
  const options = readOptions('sync', given, SYNC_OPTIONS)
  const {token, state, onPage, limit, level = 1, signal, timeout} = options
  const {properties: asked = DEFAULT_PROPERTIES} = options
  if (token !== undefined && state !== undefined)
    throw new TypeError('sync: give token or state; the state has its token')
  if (onPage !== undefined && state === undefined)
    throw new TypeError('sync: onPage saves a state: give state too, such as new SyncState()')
  assertCount('sync: limit', limit)
  const pages = options.pages && readPages(options.pages)
  const {href: url} = resolveTarget(target, session.base)
  const properties = [...asked, 'getetag', 'resourcetype']
  const decoders = mergeDecoders(session.decoders, options.decoders)
  const call: SyncCall = {url, token, state, limit, pages, level, properties, decoders}
  const policy = resolveRetry(session, options)
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  state?.bind(url, level)
  if (onPage !== undefined) state?.keepLines()
  const facts = {href: url, signal, timeout, policy, concurrency}
  let end: Ending | undefined
  const stream = createCall<P>(session, facts, async (context, emit) => {
    if (state?.isInUse === true) throw new TypeError('sync: another sync reads this state')
    const changes = new Changes<P>(state, onPage, emit)
    if (state !== undefined) state.isInUse = true
    try {
      const byTag = state?.tag !== undefined
      if (!byTag) end = await readReports(call, context, changes)
      end ??= await compareListing(call, context, changes)
      return end
    } finally {
      state?.end()
      await changes.save().finally(() => {
        if (state !== undefined) state.isInUse = false
      })
    }
  })
  const checkpoint = (): Checkpoint => {
    const reached = call.reached ?? token ?? state?.token
    return {
      version: 1,
      url,
      root: url,
      depth: level,
      // An ending that covers nothing is that of a reader who left.
      left: end?.covers === undefined ? [{url, depth: level}] : [],
      incomplete: [...(end?.incomplete ?? [])],
      ...(reached && {token: reached}),
    }
  }
  return Object.assign(stream, {checkpoint})
}

/** Reads the changes since the token, or all resources. Returns `undefined` if the server cannot report them. */
async function readReports<P>(
  call: SyncCall,
  context: CallContext,
  changes: Changes<P>,
): Promise<Ending | undefined> {
  const {url, state} = call
  const isDeep = call.level === 'infinity'
  const tokens = new Set<string>()
  let token = call.token || state?.token || ''
  let {limit} = call
  let isRestarted = false
  const restart = (): void => {
    isRestarted = true
    token = ''
    tokens.clear()
    changes.begin('report')
  }
  if (token === '') changes.begin('report')
  for (;;) {
    const answer = await openReport<P>(makeReport(call, token, limit), token, context)
    if (typeof answer === 'string') {
      if (answer === 'many' && limit === undefined) limit = SYNC_PAGE_RESULTS
      // A server that loses the tokens of its own pages would go round in circles. Without a state, nobody could tell that a resource of
      // the earlier pages is gone by now. The next sync must begin with the same token.
      else if (answer === 'lost' && !isRestarted && (state !== undefined || changes.named === 0))
        restart()
      else {
        call.triesAgain = answer === 'barred'
        return undefined
      }
      continue
    }
    const {named} = changes
    changes.isInitial = token === ''
    if (!(await answer.read(changes.take))) return {incomplete: []}
    const {incomplete, syncToken: next = '', ...end} = answer.end
    const gaps = incomplete.filter(({reason}) => reason !== 'storage')
    const isLast = gaps.length === incomplete.length
    for (const gap of gaps) noteIncomplete(changes.incomplete, gap)
    // Later pages of a full listing may still name what is missing.
    const isShallow = isDeep && (isLast || !changes.isFull) && changes.mayBeShallow
    // Without a token, the answer is none to this report.
    if (next === '' || (isLast && isShallow)) {
      // A server that gave a token knows the report.
      call.triesAgain = !changes.isFull
      return undefined
    }
    const isRepeated = next === token || tokens.has(next) || changes.named === named
    const isStuck = !isLast && (isRepeated || tokens.size === MAX_PAGES)
    if (isStuck) noteIncomplete(changes.incomplete, {href: url, reason: 'paged'})
    const {isFull, isFirst} = changes
    const isWhole = changes.incomplete.length === 0
    const mayBeFull = isLast && isWhole && !isRestarted
    if (mayBeFull && !(await isOfChanges(changes, next !== token, context))) {
      restart()
      continue
    }
    if (isLast && isWhole && isFull && !(await changes.reportGone())) return {incomplete: []}
    // A page of a later full listing does not count before its end: until then nobody knows which resources are gone.
    const isTaken = isWhole && !isShallow && (isLast || !isFull || (isFirst && !isDeep))
    if (isTaken) state?.commit(next)
    await changes.save()
    if (isTaken) call.reached = next
    if (isLast || isStuck) {
      const covers = isFull ? 'all' : 'changes'
      return {...end, incomplete: changes.incomplete, covers, ...(isWhole && {syncToken: next})}
    }
    tokens.add(next)
    token = next
  }
}

/** Sends a report. Returns its answer, or the meaning of its refusal. */
async function openReport<P>(
  report: Listing,
  token: string,
  context: CallContext,
): Promise<ListingAnswer<P> | Refusal> {
  try {
    const answer = await list<P>(report, context)
    if (!answer.isElsewhere) return answer
    // Gives the body up.
    await answer.read(() => Promise.resolve(false))
    throw ledElsewhere(report.query, report.url, answer)
  } catch (error) {
    const refusal = refusalOf(error, token)
    if (refusal === undefined) throw error
    return refusal
  }
}

/**
 * Tells if an answer names the changes since the token. DAViCal and SOGo answer a lost token with a silent listing of all
 * resources. A known resource that is unchanged and not named proves that it is no such listing.
 */
async function isOfChanges<P>(
  changes: Changes<P>,
  hasNewToken: boolean,
  context: CallContext,
): Promise<boolean> {
  const {isFull, hasDoubt} = changes
  if (isFull) return true
  const unnamed = changes.unnamed(hasNewToken)
  if (hasDoubt || unnamed === undefined) return !hasDoubt
  const query = makeQuery(context.session, unnamed, {properties: ['getetag']}, 0)
  try {
    const self = await readSelf(firstListing(query, context.session), context)
    return self.ok && etagIn(self) === unnamed.etag
  } catch (error) {
    if (error instanceof DavError) return false
    throw error
  }
}

/** Lists the resources, and compares their ETags with the state. */
async function compareListing<P>(
  call: SyncCall,
  context: CallContext,
  changes: Changes<P>,
): Promise<Ending> {
  const {url, state, level, pages, properties, decoders} = call
  const {session} = context
  const isDeep = level === 'infinity'
  let isByFolder = false
  let tag = ''
  if (state !== undefined) {
    const asked = {properties: ['getetag', FILE_ID, CTAG]}
    const own = makeQuery(session, {url}, asked, 0)
    const self = await readSelf(firstListing(own, session), context)
    const value = (name: string): unknown => (self.ok ? memberOf(self.properties, name) : undefined)
    isByFolder = value(FILE_ID) !== undefined
    const found = isByFolder ? value('getetag') : isDeep ? undefined : value(CTAG)
    tag = typeof found === 'string' ? found : ''
    if (tag !== '' && tag === state.tag && !changes.hasDoubt)
      return {incomplete: [], covers: 'changes'}
  }
  changes.begin(isDeep ? (isByFolder ? 'folders' : 'tree') : 'members')
  const depth = isDeep ? ({walk: true} as const) : 1
  const query = makeQuery(session, {url}, {properties, decoders, pages}, depth)
  const {incomplete} = changes
  const isUnchanged = (collection: string): boolean => changes.isSkipped(collection)
  const walking = {...context, throws: true, incomplete, isUnchanged}
  const {syncToken: _, ...end} = await walk(
    new Frontier([firstListing(query, session)]),
    walking,
    changes.take,
  )
  if (changes.isBounded) {
    if (!(await changes.reportGone())) return {incomplete: []}
    // With an empty tag, the next sync lists the collection again.
    if (call.triesAgain !== true) state?.commit(undefined, incomplete.length === 0 ? tag : '')
  }
  return {...end, covers: 'all'}
}
