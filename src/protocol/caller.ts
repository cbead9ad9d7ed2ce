/**
 * Adds the caller's line to the stack of a later error, which comes up in a timer or on a socket. Costs one captured stack for
 * each call. Its text is made only for an error.
 */

import {CALLER_FRAMES} from './bounds.ts'

/** Adds the lines of the call to the stack of an error, and returns the error. */
export type ShowCaller = (error: unknown) => unknown

// A line of its own. No server can forge it, because messages have one line.
const MARK = '\n    --- called from ---'

/**
 * Remembers the line of the running call.
 *
 * @param door - The called function. V8 leaves out its own frame and the frames inside it.
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
      // A frozen error cannot be changed, and is thrown as it is.
    }
    return error
  }
}

// A line of V8, or of SpiderMonkey and JavaScriptCore.
const FRAME = /^\s+at |^\S*@|^\w+ code@/

const LIMIT = 'stackTraceLimit'

function captureStack(door: (...parameters: never) => unknown): {stack?: unknown} {
  const capture: unknown = Reflect.get(Error, 'captureStackTrace')
  // V8 makes the text when it is first read. Engines without this function make it at once.
  if (typeof capture !== 'function') return new Error('called')
  const caller: {stack?: unknown} = {}
  const limit: unknown = Reflect.get(Error, LIMIT)
  // Each further frame takes longer than most steps of a small call.
  if (Number(limit) > CALLER_FRAMES) Reflect.set(Error, LIMIT, CALLER_FRAMES)
  Reflect.apply(capture, Error, [caller, door])
  Reflect.set(Error, LIMIT, limit)
  return caller
}
