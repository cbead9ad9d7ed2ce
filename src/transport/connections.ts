/**
 * Tracks the exchanges that hold a connection or wait for one. It prevents two faults of a pool. A request could wait for ever
 * behind an unread body. A process could stay alive for a connection that no request needs any more.
 */

import {UNREAD_BYTES, UNREAD_MILLISECONDS} from '../protocol/bounds.ts'
import {WithheldError} from './withheld.ts'

/** The part of an exchange that concerns its connection. */
export interface Holder {
  /** The method of the request. */
  readonly method: string
  /** The URL of the request. */
  readonly url: string
  /** Bytes of its body that have arrived and were not read. */
  readonly held: number
  /** Lets the body arrive unread, into memory. */
  flow(): void
  /** Ends the exchange before it is sent. */
  refuse(error: Error): void
}

/** A socket that is being connected. */
export interface Connecting {
  destroy(error: Error): unknown
}

/** Bounds on an unread body while requests wait for its connection. */
export interface Patience {
  /** Bytes of one body that are held in memory to free its connection. */
  readonly bytes?: number
  /** Milliseconds for which a body may stay unread at that bound. */
  readonly milliseconds?: number
}

/** The exchanges with one origin. */
interface Lane {
  readonly holders: Set<Holder>
  readonly waiting: Set<Holder>
  timer: ReturnType<typeof setTimeout> | undefined
  /** The most exchanges at once, over HTTP/2. */
  limit?: () => number
}

/** The connections of one transport. */
export class Connections {
  readonly #maximum: number
  readonly #maxBytes: number
  readonly #patience: number
  readonly #lanes = new Map<string, Lane>()
  readonly #connecting = new Set<Connecting>()
  #waiting = 0

  /** @param maximum - The most connections to an origin at once. */
  constructor(
    maximum: number,
    {bytes = UNREAD_BYTES, milliseconds = UNREAD_MILLISECONDS}: Patience = {},
  ) {
    this.#maximum = maximum
    this.#maxBytes = bytes
    this.#patience = milliseconds
  }

  /** Notes an exchange that waits for a connection to an origin. */
  wait(origin: string, holder: Holder): void {
    const lane = this.#lanes.get(origin) ?? {
      holders: new Set(),
      waiting: new Set(),
      timer: undefined,
    }
    this.#lanes.set(origin, lane)
    lane.waiting.add(holder)
    this.#waiting++
    if (!this.#isStuck(lane)) return
    for (const other of lane.holders) {
      if (other.held < this.#maxBytes) other.flow()
      else this.#watch(lane)
    }
  }

  /** Notes an exchange that has its connection. */
  start(origin: string, holder: Holder): void {
    this.#leave(origin, holder)
    this.#lanes.get(origin)?.holders.add(holder)
  }

  /** Notes that the exchanges with an origin share a connection, over HTTP/2, up to a limit that its server may change. */
  share(origin: string, limit: () => number): void {
    const lane = this.#lanes.get(origin)
    if (lane !== undefined) lane.limit = limit
  }

  /** Notes the end of an exchange, with a connection or before it had one. */
  end(origin: string, holder: Holder): void {
    this.#leave(origin, holder)
    const lane = this.#lanes.get(origin)
    if (lane === undefined) return
    lane.holders.delete(holder)
    if (lane.holders.size > 0 && lane.waiting.size > 0) return
    clearTimeout(lane.timer)
    lane.timer = undefined
    if (lane.holders.size === 0 && lane.waiting.size === 0) this.#lanes.delete(origin)
  }

  /** Reports if an unread body must arrive all the same, because others wait for its connection. */
  mustFlow(origin: string, {held}: Holder): boolean {
    const lane = this.#lanes.get(origin)
    if (lane === undefined || !this.#isStuck(lane)) return false
    if (held < this.#maxBytes) return true
    this.#watch(lane)
    return false
  }

  /** Notes a socket that is being connected. It is destroyed as soon as no exchange waits, because it keeps the process alive. */
  connecting(socket: Connecting): void {
    this.#connecting.add(socket)
  }

  /** Notes a socket that was connected, or failed to. */
  connected(socket: Connecting): void {
    this.#connecting.delete(socket)
  }

  #leave(origin: string, holder: Holder): void {
    if (this.#lanes.get(origin)?.waiting.delete(holder) !== true) return
    if (--this.#waiting > 0) return
    for (const socket of this.#connecting) socket.destroy(new Error('Nobody waits for it'))
  }

  #isStuck({holders, waiting, limit}: Lane): boolean {
    return waiting.size > 0 && holders.size >= (limit?.() ?? this.#maximum)
  }

  /** Refuses the waiting exchanges if the bodies before them are full and nobody reads them. */
  #watch(lane: Lane): void {
    if (lane.timer !== undefined) return
    const held = heldBy(lane)
    lane.timer = setTimeout(() => {
      lane.timer = undefined
      if (heldBy(lane) < held) this.#watch(lane)
      else for (const holder of lane.waiting) holder.refuse(withhold(holder))
    }, this.#patience)
  }
}

function heldBy({holders}: Lane): number {
  let bytes = 0
  for (const {held} of holders) bytes += held
  return bytes
}

function withhold({method, url}: Holder): WithheldError {
  return new WithheldError(
    `${method} ${url} was not sent: an unread answer holds the connection it waits for. Give the transport more connections, or collect the listing first`,
    {method, url},
  )
}
