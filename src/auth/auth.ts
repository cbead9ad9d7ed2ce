/** Credentials as a function of the request. RFC 9110, section 11. */

import type {FullChallenge} from '../protocol/challenge.ts'
import type {DavRequest, DavResponse} from '../transport/transport.ts'

/**
 * Returns the Authorization header for a request; `undefined` to send none.
 *
 * Called before each request. After each 401 it is called again with the refused challenge, and may ask a person. If it then returns
 * another value, the request is sent again with that, at most six times; else the 401 is the outcome. After the 401 to a body that can
 * be read once only it is not called.
 *
 * @example
 * ```ts
 * const auth: Auth = async (request, refused) => (refused ? `Token ${await askPerson(refused.realm)}` : known)
 * ```
 */
export interface Auth {
  (
    request: DavRequest,
    refused?: RefusedChallenge,
  ): string | undefined | Promise<string | undefined>
  /**
   * Called after a 401 in place of the function itself. Its value is sent even if it is the refused one; `undefined` makes the
   * 401 the outcome.
   */
  readonly onRefused?: (
    request: DavRequest,
    refused: RefusedChallenge,
  ) => string | undefined | Promise<string | undefined>
  /**
   * Called with the headers and with the trailers of every answer to a request with credentials, but a 401. Its error becomes that
   * of the exchange.
   */
  readonly onAnswer?: (request: DavRequest, answer: Pick<DavResponse, 'status' | 'headers'>) => void
  /**
   * Returns requests to send before a body that can be read once only, or is longer than 64 KiB. They must change nothing. The
   * client sends one after the other without credentials, until one is refused. Then it sends that one again with the credentials
   * that {@link Auth.onRefused} finds. If those are accepted, the body follows.
   */
  readonly asksFirst?: (request: DavRequest) => Iterable<DavRequest>
}

/** The refused challenge: the first one of a 401, with all others. Without any challenge, `scheme` is empty. */
export interface RefusedChallenge extends FullChallenge {
  /** All challenges of the answer, in its order. */
  readonly challenges: readonly FullChallenge[]
  /** The refused Authorization header; `undefined` if none was sent. */
  readonly sent: string | undefined
  /** The number of times that this request was refused, 1 for the first. */
  readonly attempt: number
  /** Milliseconds to wait, from Retry-After. */
  readonly retryAfter: number | undefined
}
