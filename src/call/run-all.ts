/**
 * Runs a function for many sources, as many at once as the pace allows. A source is taken only when there is room. So the reader
 * of the results sets the speed at which targets are taken, and memory stays flat.
 */

import {Bell} from '../multistatus/pull.ts'
import {TURN_MILLISECONDS} from '../protocol/bounds.ts'
import type {Pace} from '../retry/pace.ts'
import {untilAborted} from '../protocol/wait.ts'

/** Settings of the work. */
export interface RunOptions {
  /** Limits the runs at once. */
  readonly pace: Pace
  /** Ends the work with its reason. Runs under way end by their own means. */
  readonly signal: AbortSignal
  /** Aborted when no source may be taken any more. */
  readonly ending?: AbortSignal | undefined
}

/** Gives timers their turn in long work without a wait. Without it, no abort could end that work. */
export class Turns {
  #began = performance.now()

  /** Lets timers run. */
  async end(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0))
    this.#began = performance.now()
  }

  get isLong(): boolean {
    return performance.now() - this.#began > TURN_MILLISECONDS
  }
}

/**
 * Runs a function for each source, and ends after the last run.
 *
 * @throws The first error of a source or a run, after the runs under way. No further source is taken then.
 */
export async function runAll<S>(
  sources: Iterable<S> | AsyncIterable<S>,
  {pace, signal, ending}: RunOptions,
  run: (source: S) => Promise<void>,
): Promise<void> {
  const bell = new Bell()
  // Aborted when no further source may be taken, for any reason.
  const halt = new AbortController()
  let error: {readonly reason: unknown} | undefined
  let running = 0
  const fail = (reason: unknown): void => {
    error ??= {reason}
    halt.abort(reason)
  }
  const onAbort = (): void => fail(signal.reason)
  const onEnding = (): void => halt.abort(ending?.reason)
  const runOne = async (source: S): Promise<void> => {
    running++
    await run(source).catch(fail)
    running--
    bell.ring()
  }
  if (signal.aborted) onAbort()
  if (ending?.aborted === true) onEnding()
  signal.addEventListener('abort', onAbort)
  ending?.addEventListener('abort', onEnding)
  halt.signal.addEventListener('abort', bell.ring)
  const unlisten = pace.onRoom(bell.ring)
  const turns = new Turns()
  let isDone = false
  let opened: Sources<S> | undefined
  try {
    opened = open(sources, halt.signal)
    while (!halt.signal.aborted) {
      const coming = opened.next()
      const next = coming instanceof Promise ? await coming : coming
      isDone = next.done === true
      if (next.done === true || halt.signal.aborted) break
      void runOne(next.value)
      if (turns.isLong) await turns.end()
      while (!pace.hasRoom(running) && !halt.signal.aborted) await bell.wait()
    }
  } catch (thrown) {
    if (!halt.signal.aborted || thrown !== halt.signal.reason) error ??= {reason: thrown}
  }
  // Not awaited: a silent source may never answer.
  if (!isDone) void opened?.return().catch(() => {})
  for (;;) {
    if (running === 0) break
    await bell.wait()
  }
  signal.removeEventListener('abort', onAbort)
  ending?.removeEventListener('abort', onEnding)
  unlisten()
  if (error !== undefined) throw error.reason
}

/** Sources, one by one. */
export interface Sources<S> {
  next(): IteratorResult<S, unknown> | Promise<IteratorResult<S, unknown>>
  return(): Promise<unknown>
}

/** Opens sources. The values of an iterable are there at once; others are awaited until the signal. */
export function open<S>(
  sources: Iterable<S> | AsyncIterable<S>,
  ending: AbortSignal | undefined,
): Sources<S> {
  if (Symbol.asyncIterator in sources) {
    const iterator = sources[Symbol.asyncIterator]()
    return {
      next: () => untilAborted(iterator.next(), ending),
      return: async () => iterator.return?.(),
    }
  }
  const iterator = sources[Symbol.iterator]()
  return {next: () => iterator.next(), return: async () => iterator.return?.()}
}
