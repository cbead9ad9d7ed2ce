/**
 * A method that changes resources, as the engine sees it: the headers that it sends, and the meaning of its answers. The engine
 * itself knows no method. RFC 4918, sections 9.6, 9.8 and 9.9.
 */

import type {CallContext} from '../call/call.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import type {Session} from '../call/session.ts'
import type {DavResult, FailedRequest, Failure, Success} from '../multistatus/result.ts'

/** A request for one target as plain data: the same form before it is sent and after it failed. */
export type TargetRequest = FailedRequest

/** The rules of one method. */
export interface Verb {
  /** The method, in upper case. */
  readonly method: string
  /** The order in which failed members are sent again, and targets that are in one another. */
  readonly order: 'leaves-first' | 'collections-first'
  /** Gives the headers besides the conditions, such as Depth and Destination. */
  headers(request: TargetRequest): Readonly<Record<string, string>>
  /** Gives the request for a failed member by itself, `undefined` for one that must not be sent. */
  forMember(request: TargetRequest, member: Failure): TargetRequest | undefined
  /** Reports if a status other than 2xx means that the target is as the caller wants it. */
  isDone(request: TargetRequest, status: number): boolean
  /** Looks at the server where a Failure may hide a success of an earlier attempt. */
  reconsider?(request: TargetRequest, verdict: Failure, context: CallContext): Promise<DavResult>
  /** Looks at the server after a success. Emits the members that contradict it. */
  verify?(
    request: TargetRequest,
    verdict: Success,
    context: CallContext,
    emit: Sink<DavResult>,
  ): Promise<DavResult>
  /** Describes a target that needs no request because one around it succeeded. Without it each target is sent. */
  readonly covered?: string
  /**
   * Finds the reason why a request must not be sent.
   *
   * @throws TypeError where the guards refuse it.
   */
  guard(request: TargetRequest, session: Session): string | undefined
}

/** The context of the requests of one verb. */
export interface VerbContext extends CallContext {
  readonly verb: Verb
  /** Reports if a member's failure is retried by itself in the same call. */
  readonly isRetriedElsewhere?: ((result: DavResult) => boolean) | undefined
}

/** The outcome of one request, or of several attempts at it. */
export interface Outcome {
  readonly verdict: DavResult
  /**
   * The part of the target that may be changed, whatever the verdict: `none` after a refusal before the server began, `all`
   * after a success that names no failed member.
   */
  readonly extent: 'none' | 'part' | 'all'
  /** The server says that it has done it. Another request would change what was made there since. */
  readonly isDone: boolean
  /** The error that broke the exchange; the verdict is then its Failure. */
  readonly problem?: unknown
}

/** The outcome of one attempt, with the members that it named. */
export interface Attempt extends Outcome {
  readonly members: readonly DavResult[]
}
