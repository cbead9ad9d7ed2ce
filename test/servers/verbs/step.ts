/**
 * One step of the table: a call, the state that it has to lead to, and a look at that state without the client. The outcome is
 * computed from the verdict of the call and from the state.
 */
import {DavError, type DavResult} from 'multistatus'
import type {State} from './rows.ts'
import {type Changes, compare, type Scene} from './scene.ts'

/** The results of a call; `undefined` for a step without the ETag that it needs. */
export type Results = DavResult | readonly DavResult[] | undefined

export interface Step {
  /** The right outcome: done, refused by the client, or refused by the server with this status. */
  readonly wants: 'done' | 'refused' | number
  readonly run: (scene: Scene) => Promise<Outcome>
}

export interface Outcome {
  /** `success`, a status, `refused`, `no ETag`, or the name of the error of a call without a verdict. */
  readonly verdict: string
  readonly state: State
}

/** Makes a step whose state is the disk. */
export function onDisk(
  wants: Step['wants'],
  changes: Changes,
  call: (scene: Scene) => Promise<Results>,
): Step {
  return {
    wants,
    run: async (scene) => ({
      verdict: await verdictOf(call(scene)),
      state: await compare(scene, changes),
    }),
  }
}

/** Formats the verdict of a call: that of its first failure, if it has one. */
export async function verdictOf(call: Promise<Results>): Promise<string> {
  try {
    const results = await call
    if (results === undefined) return 'no ETag'
    const failure = [results].flat().find((result) => !result.ok)
    if (failure === undefined) return 'success'
    return failure.reason === 'refused' ? 'refused' : `${failure.status}`
  } catch (error) {
    if (error instanceof DavError) return error.name
    // The guards throw it before anything is sent.
    if (error instanceof TypeError) return 'refused'
    throw error
  }
}

/** Computes the cell of an outcome. One that is neither right nor a plain refusal is its text, as in a fault. */
export function cellOf({wants}: Step, {verdict, state}: Outcome): string | number {
  if (wants === 'done' && verdict === 'success' && state === 'done') return 'right'
  const isRefusal = /^(?:[3-5]\d\d|refused|no ETag)$/.test(verdict)
  if (isRefusal && state === 'untouched') {
    if (verdict === `${wants}`) return 'right'
    return /^\d+$/.test(verdict) ? Number(verdict) : verdict
  }
  return `${/^\d+$/.test(verdict) ? 'failure' : verdict}, ${state}`
}
