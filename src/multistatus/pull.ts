/** The one way to wait in an iteration: iterators written by hand, and the bell that wakes a waiter. Knows no results. */

/** Wakes the one function that waits for it. */
export class Bell {
  #wake: (() => void) | undefined

  /** Resolves with the next ring. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  /** Wakes the waiter. A bound function, so that it can be a listener. */
  readonly ring = (): void => this.#wake?.()
}

/** The source of an iteration. */
export interface Supply<T> {
  /** Takes a value that is there; `undefined` for none. */
  readonly take: () => T | undefined
  /** Waits for more values; `false` at the end. */
  readonly more: () => Promise<boolean>
  /** Lets go of the source, also while `more` waits. */
  readonly stop: () => Promise<unknown>
}

/** An iteration that can be ended at any time. */
export interface Pull<T> extends AsyncIterator<T, undefined, undefined> {
  return(): Promise<IteratorResult<T, undefined>>
}

/**
 * Iterates over a supply. Calls of `next` are answered in their order; `return` is answered although one waits.
 *
 * Not a generator: a generator costs each result as much as reading it does, and cannot be ended while it waits.
 */
export function pull<T>({take, more, stop}: Supply<T>): Pull<T> {
  let isEnded = false
  // A call that comes before the last one was answered waits for it.
  let pending: Promise<unknown> | undefined
  const wait = async (): Promise<IteratorResult<T, undefined>> => {
    for (;;) {
      const value = isEnded ? undefined : take()
      if (value !== undefined) return {value, done: false}
      if (isEnded || !(await more())) return {value: undefined, done: true}
    }
  }
  return {
    next() {
      const value = pending === undefined && !isEnded ? take() : undefined
      if (value !== undefined) return Promise.resolve({value, done: false})
      const next = pending === undefined ? wait() : pending.then(wait, wait)
      const settled = next.then(clear, clear)
      pending = settled
      function clear(): void {
        if (pending === settled) pending = undefined
      }
      return next
    },
    async return() {
      isEnded = true
      await stop()
      return {value: undefined, done: true}
    },
  }
}

/** Iterates over the values that each step of an iterator stands for. Holds one step. */
export function flatMap<S, T>(source: AsyncIterator<S>, map: (step: S) => readonly T[]): Pull<T> {
  let values: readonly T[] = []
  let index = 0
  return pull({
    take: () => values[index++],
    async more() {
      values = []
      const next = await source.next()
      if (next.done === true) return false
      values = map(next.value)
      index = 0
      return true
    },
    stop() {
      values = []
      return Promise.resolve(source.return?.())
    },
  })
}

/**
 * Hands each value to a function until that resolves with `false`, and ends the source then. Holds no value while it waits for
 * the next one, as the variable of a loop would.
 *
 * @returns `false` if the function ended it.
 */
export async function forEach<T>(
  source: AsyncIterable<T>,
  take: (value: T) => Promise<boolean>,
): Promise<boolean> {
  const iterator = source[Symbol.asyncIterator]()
  const step = async (): Promise<boolean | undefined> => {
    const next = await iterator.next()
    return next.done === true ? undefined : take(next.value)
  }
  let isDone = false
  try {
    for (;;) {
      const goesOn = await step()
      isDone = goesOn === undefined
      if (goesOn !== true) return isDone
    }
  } finally {
    if (!isDone) await iterator.return?.()
  }
}
