/**
 * OPTIONS: asks for the capabilities of the server at a resource. Its headers are the whole answer, so the body is never read:
 * lighttpd 1.4.69 was seen not to end one. RFC 9110, section 9.3.7; RFC 4918, sections 10.1 and 18.
 */

import {readAnswer, readHead} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import {runCall} from '../call/call.ts'
import type {CapabilityFact} from '../call/capabilities.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {brokenVerdict, explain401, fail, succeed} from '../engine/verdict.ts'
import type {Failure, Success} from '../multistatus/result.ts'
import {REFUSAL_BODY_MILLISECONDS} from '../protocol/bounds.ts'
import {DavError} from '../protocol/errors.ts'
import {decodeList} from '../protocol/header-list.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, readOptions, SIGNAL} from '../protocol/options.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {within} from '../protocol/wait.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {DavHeaders} from '../transport/transport.ts'
import {refuseElsewhere} from '../transport/redirects.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `options`. */
export interface OptionsOptions {
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const OPTIONS_OPTIONS: Rules<OptionsOptions> = {retry: ANY, signal: SIGNAL, timeout: TIMEOUT}

/**
 * The known capabilities of a server at a resource. The lists are the names of the `facts` that hold. An empty list means that
 * the server named nothing, and a browser hides headers of another origin.
 */
export interface Capabilities extends Success {
  /** The compliance classes: `1`, `2`, `3`. RFC 4918, section 18. */
  readonly classes: readonly string[]
  /** The methods of the Allow header, and those that the server has answered with 2xx. In upper case. */
  readonly methods: readonly string[]
  /** The other elements of the DAV header, as the server wrote them: tokens, and Coded-URLs in `<>`. */
  readonly extensions: readonly string[]
  /** Each known fact with its source. An observation of this client stands in the place of the server's words. */
  readonly facts: readonly CapabilityFact[]
}

/** Asks for the capabilities at a resource. */
export async function options(
  session: Session,
  target: Target,
  given: OptionsOptions = {},
): Promise<Capabilities | Failure> {
  const settings = readOptions('options', given, OPTIONS_OPTIONS)
  const {href} = resolveTarget(target, session.base)
  return runCall(session, settings, (context) => ask(href, context))
}

/**
 * Tells if the server has an extension. Asks at the client's base until OPTIONS was answered with success once.
 *
 * @returns `undefined` if OPTIONS failed: nobody knows.
 * @throws The signal's reason, or NotSentError, if the call ended.
 */
export async function hasExtension(
  extension: string,
  context: CallContext,
): Promise<boolean | undefined> {
  const {session, connection} = context
  const {href} = session.base
  const {capabilities} = session.server
  if (capabilities.find(extension, href) === undefined) {
    try {
      await ask(href, context)
    } catch (error) {
      if (!(error instanceof DavError) || connection.isEnd(error)) throw error
    }
  }
  return capabilities.find(extension, href)?.holds
}

/** Sends the request as often as the policy allows. */
async function ask(url: string, context: CallContext): Promise<Capabilities | Failure> {
  const {ending, repeats} = context.connection
  for (let attempts = 0; ; attempts++) {
    const request = {method: 'OPTIONS', url, attempts}
    let problem: unknown
    const result = await askOnce(request, context).catch((error: unknown) => {
      problem = error
      return brokenVerdict(request, error, ending)
    })
    const wait = result.ok ? undefined : repeats?.next(attempts + 1, [result])
    if (wait !== undefined) await wait()
    // A redirect that a browser hides and an answer by another resource are answers: they are refused.
    else if (result.ok) return result
    else if (problem === undefined || result.reason === 'refused') return withoutRequest(result)
    else throw problem
  }
}

/** Removes the request, because a queue of failures to retry takes no OPTIONS. */
function withoutRequest({request: _request, ...failure}: Failure): Failure {
  return failure
}

const UNTOLD = {conditions: [], conditionUrls: [], description: ''}

async function askOnce(
  request: TargetRequest,
  {session, connection}: CallContext,
): Promise<Capabilities | Failure> {
  const {method, url} = request
  const response = await connection.send({method, url, headers: {}})
  const head = readHead(response, url, connection.repeats)
  if (canonicalPathOf(head.url) !== canonicalPathOf(url))
    await refuseElsewhere(response, request, head.url)
  const {status, retryAfter, location} = head
  if (!isSuccessStatus(status)) {
    // A silent body must not hold the verdict up.
    const reading = readAnswer(session, response, {method, url})
    const answer = await within(reading, REFUSAL_BODY_MILLISECONDS)
    const facts = {status, reason: 'status', retryAfter, location} as const
    if (answer?.kind === 'multistatus') await answer.discard()
    else void response.body?.cancel()
    const words = answer?.kind === 'plain' ? answer : UNTOLD
    const {conditions, conditionUrls} = words
    const description = words.description || explain401(head, connection.sent)
    return fail(request, {...facts, conditions, conditionUrls, description})
  }
  // Not awaited: the end of the body may never come.
  void response.body?.cancel()
  const dav = decodeList(response.headers.get('dav'))
  const allow = decodeList(response.headers.get('allow')?.toUpperCase() ?? null)
  const facts = session.server.capabilities.addSaid(url, dav, allow)
  session.server.tusBytes = readTus(response.headers) ?? session.server.tusBytes
  const named = (kind: CapabilityFact['kind']): readonly string[] =>
    facts.filter((fact) => fact.kind === kind && fact.holds).map(({name}) => name)
  return {
    ...succeed(request, status),
    classes: named('class'),
    methods: named('method'),
    extensions: named('extension'),
    facts,
  }
}

/** Reads the most bytes of an upload by TUS; `undefined` if the server does not take such uploads. See https://tus.io. */
function readTus(headers: DavHeaders): number | undefined {
  // A browser may hide the extensions.
  const extensions = headers.get('tus-extension')
  const makesUploads = extensions === null || decodeList(extensions).includes('creation')
  if (headers.get('tus-resumable') !== '1.0.0' || !makesUploads) return undefined
  const most = headers.get('tus-max-size') ?? ''
  return /^\d+$/.test(most) ? Number(most) : Number.POSITIVE_INFINITY
}
