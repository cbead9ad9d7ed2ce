/** Calls listeners of the caller, whose errors change nothing. */

/** Calls a listener. The platform reports its error as an uncaught one. */
export function tell<T>(listener: ((value: T) => void) | undefined, value: T): void {
  try {
    listener?.(value)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
