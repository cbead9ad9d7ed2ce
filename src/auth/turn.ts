/** The turn of a request, and the credentials whose requests take turns. Only those bring the code of turns into a bundle. */

import type {OpenResponse} from '../transport/deadlines.ts'
import type {DavRequest} from '../transport/transport.ts'
import {drain} from '../transport/transport.ts'
import type {Auth} from './auth.ts'

/** A request that was answered, after its refusals. */
export interface Answered {
  readonly response: OpenResponse
  /** The last Authorization header. */
  readonly sent: string | undefined
  readonly refusals: number
  /** True if a question before the body was refused, so the body is unread. */
  readonly isUnread?: boolean
}

/** The part of a call that concerns its turns. */
export interface TurningCall {
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Tells how many milliseconds the server wants to wait. */
  readonly pace: {readonly held: number}
}

/** The turn of a request, for the function that sends it. */
export interface Turn {
  /** Called before each attempt. */
  readonly begin: () => void
  /** Tells if a refusal may be due to a change of the connection, so the request is worth a turn alone. */
  readonly isDoubtful: () => boolean
}

/** Sends a request with credentials in its turn. */
export type SendAnswered<C> = (request: DavRequest, call: C, turn: Turn) => Promise<Answered>

/** The turn of a request to a server that takes a nonce again, wherever it comes from. */
export const NO_TURN: Turn = {begin: () => {}, isDoubtful: () => false}

/** Makes a function that sends requests in turns. `pool` owns the connections, so all its requests to an origin share their turns. */
type TakeTurns = <C extends TurningCall>(
  send: SendAnswered<C>,
  isReusable: Nonces['isReusable'],
  pool: object,
  origin: string,
) => (request: DavRequest, call: C) => Promise<Answered>

/** Credentials with nonces, which a server may bind to a connection. */
export interface Nonces {
  /**
   * Tells if the server takes a nonce again: `false` if that was not seen yet, `undefined` if none was taken. Until it is `true`,
   * the server may bind a nonce to a connection.
   */
  readonly isReusable: (request: DavRequest) => boolean | undefined
  readonly takeTurns: TakeTurns
}

const known = new WeakMap<Auth, Nonces>()

/** Notes that credentials have nonces. */
export function addNonces<A extends Auth>(auth: A, nonces: Nonces): A {
  known.set(auth, nonces)
  return auth
}

/** Finds the nonces of credentials; `undefined` for credentials without any. */
export function noncesOf(auth: Auth): Nonces | undefined {
  return known.get(auth)
}

/** Tells if an answer comes from behind the check of the credentials. */
export function isPassed(status: number): boolean {
  return status < 500 && ![401, 407, 429].includes(status)
}

/**
 * Tells if a challenge is the name of Digest alone. Cyrus answers so after a success on the same connection, to a request without
 * credentials. Its next challenge is whole.
 */
export function isBare({headers}: OpenResponse): boolean {
  return headers.get('www-authenticate')?.trim().toLowerCase() === 'digest'
}

/** Reads an answer to its end, so that the next request has its connection. */
export async function release(response: OpenResponse): Promise<void> {
  await drain(response)
  await untilFree()
}

/** Waits until a pool has noticed that the connection of the last answer is free. */
export function untilFree(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
