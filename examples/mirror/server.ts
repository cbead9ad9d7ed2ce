// The side of the server: notes its changes in the journal, before any of them is applied.

import {
  type DavClient,
  type DavResult,
  type Failure,
  isCollection,
  type Summary,
  toLocalPath,
} from 'multistatus'

import {isOwn} from './folder.ts'
import type {Journal} from './journal.ts'

// Apache's are weak in the first second of a file's content.
const WEAK = 'its ETag is weak: if it was written just now, run again'

/** Reads the changes since the last run. Calls `skip` for each resource that cannot be mirrored. */
export async function readChanges(
  dav: DavClient,
  journal: Journal,
  skip: (result: DavResult, why: string) => void,
): Promise<Summary> {
  const {state} = journal
  const onPage = (lines: string): void => journal.savePage(lines)
  const changes = dav.sync('', {state, level: 'infinity', onPage, retry: 4})
  for await (const result of changes) {
    const path = pathOf(result, dav)
    if (path === undefined || isOwn(path)) skip(result, 'no file of this folder may have its name')
    else if (!result.ok) {
      if (isGone(result)) noteGone(path, journal)
      else skip(result, `${result.status} ${result.reason}`)
    } else if (isCollection(result) === true) note(path, undefined, journal)
    else {
      const {getetag = ''} = result.properties
      // Nothing else tells if a file has changed, and no weak ETag can guard a write.
      const isStrong = getetag !== '' && !/^W\//i.test(getetag)
      if (!isStrong) skip(result, getetag === '' ? 'it has no ETag' : WEAK)
      note(path, isStrong ? getetag : '', journal)
    }
  }
  return changes.summary
}

/** Tells if the server refuses a write with a false If-Match. nginx, rclone and others overwrite all the same. */
export async function obeysConditions(dav: DavClient): Promise<boolean> {
  const options = {ifMatch: '"none"', requireConditions: true}
  const verdict = await dav.put('mirror-test.txt', '', options)
  return !verdict.ok && verdict.reason !== 'refused'
}

/** Makes the path below the folder; `undefined` for a name that could lead elsewhere. */
function pathOf(result: DavResult, {url: base}: DavClient): string | undefined {
  try {
    return toLocalPath(result, {base, windows: process.platform === 'win32'})
  } catch {
    return undefined
  }
}

/** Recognizes a resource that is gone. Properties with 404 do not make it so. */
function isGone({status, reason, missing}: Failure): boolean {
  return status === 404 && reason === 'status' && missing.length === 0
}

/** Notes that a resource is gone. With a collection, all below it is gone. */
function noteGone(gone: string, journal: Journal): void {
  if (journal.get(gone).remote !== undefined) return note(gone, undefined, journal)
  for (const path of journal.entries.keys())
    if (path.startsWith(`${gone}/`)) note(path, undefined, journal)
}

function note(path: string, remote: string | undefined, journal: Journal): void {
  const {sent, ...known} = journal.get(path)
  // An empty ETag is none: that of an upload without an answer, or of a file whose ETag is weak.
  if (sent !== undefined && sent.etag !== '' && sent.etag === remote)
    journal.change(path, {remote, base: sent})
  else if (known.remote !== remote) journal.change(path, {remote})
}
