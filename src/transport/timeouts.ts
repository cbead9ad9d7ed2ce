/** The time limits of a client and of a call, their defaults, and the words of their errors. */

import type {Rule, Rules} from '../protocol/options.ts'
import {assertTimeLimit, isRecord, NUMBER, readOptions} from '../protocol/options.ts'

/** Time limits of a call, in milliseconds; `Infinity` for none. Absent ones are those of the client. */
export interface Timeouts {
  /**
   * From the request to the headers of the answer. Each sent piece of a streamed body begins the time again. Under Node, so does
   * each piece of any long body, and each interim answer, such as 102 Processing. `fetch` shows no more than the pieces of streams.
   * There a long body adds the time that it takes at 64 KiB per second.
   *
   * Some servers are silent until a listing is ready: nephele needed 35 s for 20,000 files. Raise it for them.
   *
   * @defaultValue 60,000
   */
  readonly headers?: number | undefined
  /**
   * Between two chunks of the answer's body. The time in which nobody reads does not count.
   *
   * @defaultValue 60,000
   */
  readonly idle?: number | undefined
  /**
   * One request, from its sending to the end of the answer's body, however much arrives. The time in which nobody reads the body
   * does not count: `total` counts it.
   *
   * @defaultValue `Infinity`
   */
  readonly exchange?: number | undefined
  /**
   * The whole call by the clock, with its retries, its waits, and the time in which nobody reads. For a stream it begins when that
   * is read, for a `get` it ends with the content. The call then ends as by a signal, with a {@link DavTimeoutError} as the reason.
   *
   * @defaultValue `Infinity`
   */
  readonly total?: number | undefined
}

/** Time limits of a client, in milliseconds; `Infinity` for none. */
export interface ClientTimeouts extends Timeouts {
  /**
   * Until a connection, with the client's own transport under Node. With a transport of your own, give `connectTimeout` to
   * `undiciTransport` instead. `fetch` does not show the connection: there, `headers` is the limit.
   *
   * @defaultValue 10,000
   */
  readonly connect?: number | undefined
}

/** Time limits of a call, with the defaults. */
export type ResolvedTimeouts = {readonly [Name in keyof Timeouts]-?: number}

const LIMITS: Rules<Timeouts> = {headers: NUMBER, idle: NUMBER, exchange: NUMBER, total: NUMBER}
const CLIENT_LIMITS: Rules<ClientTimeouts> = {...LIMITS, connect: NUMBER}

const DEFAULTS: ResolvedTimeouts = {
  headers: 60_000,
  idle: 60_000,
  exchange: Number.POSITIVE_INFINITY,
  total: Number.POSITIVE_INFINITY,
}

/** The type of the option `timeout`. Its members and its range are checked by {@link resolveTimeouts}. */
export const TIMEOUT: Rule = {
  words: 'a number of milliseconds, or an object with limits by name',
  accepts: (value) => typeof value === 'number' || isRecord(value),
}

/**
 * Completes the time limits of a call with those of its client. One number is `headers` and `idle`.
 *
 * @throws RangeError for a number that is not above zero, TypeError for another type or an unknown name.
 */
export function resolveTimeouts(
  given: number | Timeouts | undefined,
  defaults: ResolvedTimeouts = DEFAULTS,
  rules: Rules<Timeouts> = LIMITS,
): ResolvedTimeouts {
  if (given === undefined) return defaults
  const read: Timeouts =
    typeof given === 'number' ? {headers: given, idle: given} : readOptions('timeout', given, rules)
  for (const [name, value] of Object.entries(read)) assertTimeLimit(`timeout: ${name}`, value)
  const {headers, idle, exchange, total} = defaults
  return {
    headers: read.headers ?? headers,
    idle: read.idle ?? idle,
    exchange: read.exchange ?? exchange,
    total: read.total ?? total,
  }
}

/** Completes the time limits of a client with the defaults. Without a limit for the connection, the transport has its own. */
export function resolveClientTimeouts(given: number | ClientTimeouts | undefined): {
  readonly timeouts: ResolvedTimeouts
  readonly connect: number | undefined
} {
  const connect = typeof given === 'object' ? given.connect : undefined
  return {timeouts: resolveTimeouts(given, DEFAULTS, CLIENT_LIMITS), connect}
}
