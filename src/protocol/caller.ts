/**
 * The caller's line in the stack of an error that comes up later, in a timer or on a socket. It costs one captured stack for
 * each call, and no text before an error is thrown.
 */

/** Adds the lines of the call to the stack of an error, and returns the error. */
export type ShowCaller = (error: unknown) => unknown

// It has a line of its own. No server can write one, because messages have one line.
const MARK = '\n    --- called from ---'

/**
 * Remembers the line of the running call.
 *
 * @param door - A platform that can do so leaves out the frames above this function.
 */
export function captureCaller(door: (...parameters: never) => unknown): ShowCaller {
  const caller: {stack?: unknown} = captureStack(door)
  return (error) => {
    if (!(error instanceof Error) || typeof error.stack !== 'string') return error
    // An error that crosses several calls has the line of the innermost one.
    if (error.stack.includes(MARK)) return error
    const {stack} = caller
    const lines = typeof stack === 'string' ? stack.split('\n') : []
    const frames = lines.filter((line) => FRAME.test(line)).join('\n')
    if (frames === '') return error
    try {
      error.stack += `${MARK}\n${frames}`
    } catch {
      // A frozen error stays as it is.
    }
    return error
  }
}

// A line of V8, or of SpiderMonkey and JavaScriptCore.
const FRAME = /^\s+at |^\S*@|^\w+ code@/

function captureStack(door: (...parameters: never) => unknown): {stack?: unknown} {
  const capture: unknown = Reflect.get(Error, 'captureStackTrace')
  // V8 makes its text when it is read for the first time. Older engines make it at once.
  if (typeof capture !== 'function') return new Error('called')
  const caller: {stack?: unknown} = {}
  Reflect.apply(capture, Error, [caller, door])
  return caller
}
