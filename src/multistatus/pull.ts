/**
 * Asynchronous iterators that can be ended while they wait. Generators cannot: their `return` is answered only after the wait.
 * Knows no results.
 */

/** Wakes one waiting function. */
export class Bell {
  #wake: (() => void) | undefined

  /** Resolves with the next ring. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve))
  }

  /** Wakes the waiting function. Bound, so that it can be a listener. */
  readonly ring = (): void => this.#wake?.()
}

/** The source of an iteration. */
export interface Supply<T> {
  /** Takes the next value that has arrived; `undefined` without one. */
  readonly take: () => T | undefined
  /** Waits for more values; `false` at the end. */
  readonly more: () => Promise<boolean>
  /** Ends the source, even while `more` waits. */
  readonly stop: () => Promise<unknown>
  /** Reports if no further value may be taken, although some have arrived. Default: never. */
  readonly isOver?: (() => boolean) | undefined
}

/** An iteration that can be ended at any time. */
export interface Pull<T> extends AsyncIterator<T, undefined, undefined> {
  return(): Promise<IteratorResult<T, undefined>>
  /** The `isOver` of the supply. */
  readonly isOver: Supply<T>['isOver']
}

/**
 * Iterates over a supply. Calls of `next` are answered in their order; `return` is answered even while one waits.
 *
 * Not a generator, which would double the cost of each result, and cannot be ended while it waits.
 */
export function pull<T>({take, more, stop, isOver}: Supply<T>): Pull<T> {
  let isEnded = false
  // The last call of `next`. A further one waits for its answer.
  let pending: Promise<unknown> | undefined
  const wait = async (): Promise<IteratorResult<T, undefined>> => {
    for (;;) {
      const value = isEnded || isOver?.() === true ? undefined : take()
      if (value !== undefined) return {value, done: false}
      if (isEnded || !(await more())) return {value: undefined, done: true}
    }
  }
  return {
    isOver,
    next() {
      const isFree = pending === undefined && !isEnded && isOver?.() !== true
      const value = isFree ? take() : undefined
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

/** Maps each step of an iterator to several values, and iterates over these. Holds one step, and drops it if the source is over. */
export function flatMap<S, T>(
  source: AsyncIterator<S> & Partial<Pick<Pull<S>, 'isOver'>>,
  map: (step: S) => readonly T[],
): Pull<T> {
  let values: readonly T[] = []
  let index = 0
  return pull({
    isOver: source.isOver,
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
 * Passes each value to a function, and ends the source when that resolves with `false`. Unlike the variable of a `for await`
 * loop, it holds no value while it waits for the next one.
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
