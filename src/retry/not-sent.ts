/** The end of a call, for what it had still to send. */

/** The call ended before a request had its turn: it was not sent, or not sent again. */
export class NotSentError extends Error {
  /** The signal's. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super('The call has ended')
    this.reason = reason
  }
}
