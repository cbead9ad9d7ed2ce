// Plans the steps: compares each file on both sides with the last state in which they were equal. Knows no disk and no network.

import type {Scanned} from './folder.ts'
import type {Entry, Journal} from './journal.ts'

/**
 * The step for one file. `compare` reads a file that changed on both sides: equal contents are no conflict, and of two others both
 * are kept.
 */
export interface Step {
  readonly kind: 'upload' | 'download' | 'compare' | 'delete here' | 'delete there'
  readonly path: string
  /** The ETag on the server; absent if nothing is there. */
  readonly etag?: string | undefined
  /** The hash of the local file; absent if there is none. */
  readonly hash?: string | undefined
}

/** Plans all steps. Without a whole sync, nothing is called gone, and no local file is deleted. Forgets files of neither side. */
export function plan({files, barred}: Scanned, journal: Journal, isWhole: boolean): Step[] {
  const steps: Step[] = []
  for (const path of new Set([...files.keys(), ...journal.entries.keys()])) {
    if (barred.some((one) => path === one || path.startsWith(`${one}/`))) continue
    const entry = journal.get(path)
    const hash = files.get(path)
    const step = planStep(path, hash, entry)
    if (step !== undefined && (isWhole || step.kind !== 'delete here')) steps.push(step)
    // A new file with the same name must not be taken for the old one.
    if (hash === undefined && entry.remote === undefined) journal.forget(path)
  }
  return steps
}

/** Plans the step for a file; `undefined` if nothing is to be done. */
function planStep(path: string, hash: string | undefined, entry: Entry): Step | undefined {
  const {remote: etag, base} = entry
  const isNowhere = hash === undefined && etag === undefined
  // Without its ETag, no write could be guarded.
  if (isNowhere || etag === '') return undefined
  const isChangedHere = hash !== base?.hash
  const isChangedThere = etag !== base?.etag
  if (!isChangedHere && !isChangedThere) return undefined
  const step = {path, etag, hash}
  // A change wins over a deletion.
  if (etag === undefined) return {...step, kind: isChangedHere ? 'upload' : 'delete here'}
  if (hash === undefined) return {...step, kind: isChangedThere ? 'download' : 'delete there'}
  if (!isChangedHere) return {...step, kind: 'download'}
  return {...step, kind: isChangedThere ? 'compare' : 'upload'}
}
