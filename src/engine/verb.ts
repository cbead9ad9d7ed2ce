/**
 * The rules of a method that changes resources: the headers to send, and the meaning of answers. The engine itself knows no
 * method. RFC 4918, sections 9.6, 9.8 and 9.9.
 */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import type {Session} from '../call/session.ts'
import type {DavResult, FailedRequest, Failure, Success} from '../multistatus/result.ts'
import type {Properties} from '../properties/vocabulary.ts'

/** A request for one target as plain data, in the same form before it is sent and after it failed. */
export type TargetRequest = FailedRequest

/** The rules of one method. */
export interface Verb {
  /** The method, in upper case. */
  readonly method: string
  /** True if a request has a body that is kept beside it. */
  readonly hasPayload?: true
  /** True if a collection is retried after its members. Default: before them. */
  readonly isLeavesFirst?: true
  /** Returns the headers besides the conditions, such as Depth and Destination. */
  headers(request: TargetRequest, session: Session): Readonly<Record<string, string>>
  /** Makes the request for a failed member; `undefined` for a member that must not be sent. */
  forMember(request: TargetRequest, member: Failure): TargetRequest | undefined
  /** Tells if a status other than 2xx still means success: a 404 after a repeated DELETE, for example. */
  isDone(request: TargetRequest, status: number): boolean
  /**
   * Decides about a target whose failed members have all been sent again with success: its Success, or `undefined` to send it
   * again. With this function, a target is not sent again while members fail. A repeated COPY or MOVE would meet its own
   * destination: it would be refused, or delete the copies first.
   */
  afterMembers?(request: TargetRequest): Success | undefined
  /** True if a success removes the resource with everything in it. The locks on them end too. */
  readonly endsLocks?: true
  /** True if a redirect may lead to another resource of the client, which is the target then. */
  readonly followsRedirects?: boolean
  /** Returns the URLs that a request changes and those that it only reads. Default: it changes its own. */
  ends?(request: TargetRequest): Ends
  /** Sends more than one request for a target, such as for missing parents. Default: {@link exchange}. */
  readonly run?: (
    request: TargetRequest,
    context: VerbContext,
    emit: Sink<DavResult>,
  ) => Promise<Outcome>
  /** Completes the verdict from the answer, such as by its ETag. */
  conclude?(
    request: TargetRequest,
    verdict: DavResult,
    head: AnswerHead,
    answer: PlainAnswer | MultiStatusAnswer<Properties>,
    session: Session,
  ): DavResult
  /**
   * Checks an outcome without success at the server: a refusal may hide the success of an earlier attempt, and a lost answer may
   * be one. `undefined` leaves the outcome, and a Failure is one that no earlier attempt contradicts.
   */
  reconsider?(
    request: TargetRequest,
    verdict: Failure,
    context: VerbContext,
  ): Promise<DavResult | undefined>
  /** Checks a Success at the server, whose Server header is given. Emits the members that contradict it. */
  verify?(
    request: TargetRequest,
    verdict: Success,
    context: CallContext,
    emit: Sink<DavResult>,
    server: string | undefined,
  ): Promise<DavResult>
  /** The description of a target that needs no request, because an outer one succeeded. Without it, each target is sent. */
  readonly covered?: string
  /**
   * Checks a request from a queue, even without guards.
   *
   * @throws TypeError for a request that no option allows.
   */
  check?(request: TargetRequest, session: Session): void
  /**
   * Finds the reason why a request must not be sent.
   *
   * @throws TypeError for a target that the guards refuse.
   */
  guard(request: TargetRequest, session: Session): string | undefined
}

/** The resources that a request touches, as URLs. */
interface Ends {
  readonly changed: readonly string[]
  readonly read?: readonly string[]
}

/** The context of the requests of one verb. */
export interface VerbContext extends CallContext {
  readonly verb: Verb
  /** Tells if the failure of a member is retried by itself in the same call. */
  readonly isRetriedElsewhere?: ((result: DavResult) => boolean) | undefined
  /** True if an earlier attempt may have been carried out, because its outcome is unknown. */
  readonly mayBeDone?: boolean
}

/** The outcome of one request, or of several attempts at it. */
export interface Outcome {
  readonly verdict: DavResult
  /**
   * The part of the target that may have changed, whatever the verdict: `none` if the server refused before it began, `all` after
   * a success without a failed member.
   */
  readonly extent: 'none' | 'part' | 'all'
  /** True if the server reported success. A repeated request would hit resources that were made there since. */
  readonly isDone: boolean
  /** True if the resources were looked at after a failure. An earlier attempt was not carried out then. */
  readonly isChecked?: boolean
  /** The Server header. */
  readonly server?: string
  /** True if another request with one of its lock tokens was under way meanwhile. */
  readonly isBeside?: boolean
  /** True if the request was refused with 412, although the locks whose tokens it submitted are known to hold. */
  readonly holdsLocks?: true
  /** The error of a broken exchange. The verdict is its Failure. */
  readonly problem?: unknown
}

/** The outcome of one attempt, with the results of members. */
export interface Attempt extends Outcome {
  readonly members: readonly DavResult[]
}
