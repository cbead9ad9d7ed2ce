/** Waits for connections to become free, before the next request looks for one. */
export class Settling {
  /** Resolves when the connections of all ended exchanges are free. */
  last: Promise<void> | undefined
  readonly #turns: number

  /** @param turns - Turns of the event loop from the end of an exchange to a free connection. */
  constructor(turns: number) {
    this.#turns = turns
  }

  /** Notes an exchange that is ending. */
  begin(): void {
    const {promise, resolve} = Promise.withResolvers<void>()
    this.last = promise
    const wait = (turns: number): void => {
      if (turns > 0) {
        setImmediate(wait, turns - 1)
        return
      }
      if (this.last === promise) this.last = undefined
      resolve()
    }
    process.nextTick(wait, this.#turns)
  }
}
