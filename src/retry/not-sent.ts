/** The end of a call, for its requests that were not sent yet. */

/** The call ended before the turn of a request: it was not sent, or not sent again. */
export class NotSentError extends Error {
  /** The reason of the signal. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super('The call has ended')
    this.reason = reason
  }
}
