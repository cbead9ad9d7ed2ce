// The bulk calls of the page: each asks, makes a job and runs it. Deleting after a listing that was cut off asks twice.

import {
  type DavClient,
  DavError,
  type DavResult,
  decodePath,
  encodePath,
  type Failure,
  unwrap,
} from 'multistatus'

import {askMove, askUpload, confirmDelete, type MoveAnswer} from './dialogs.ts'
import {type Folder, segmentOf} from './folder.ts'
import {type Books, Job} from './job.ts'
import type {Action, Entry} from './ledger.ts'
import {type Row, uploadRow} from './row.ts'
import {save} from './save.ts'
import {problem, size} from './words.ts'

/** Requests at once: a page has six connections to a server. More would wait in the browser, and their time limits would run. */
export const CONCURRENCY = 6

/** The page, as the actions see it. */
export interface Desk extends Books {
  readonly dav: DavClient
  readonly folder: () => Folder
  /** True if the listing of the folder was cut off, or has not ended. */
  readonly isCut: () => boolean
  readonly selected: () => readonly Row[]
  readonly addFirst: (rows: readonly Row[]) => void
  /** Shows a job, and runs it. */
  readonly start: (job: Job, open: () => AsyncIterable<readonly DavResult[]>) => Promise<void>
}

/** Deletes the selected rows. */
export async function deleteSelected(desk: Desk): Promise<void> {
  const rows = desk.selected()
  if (rows.length === 0 || !(await confirmDelete(rows, desk.isCut()))) return
  const job = makeJob(desk, rows, 'delete')
  const {signal} = job
  await desk.start(job, () => desk.dav.deleteMany(resultsOf(rows), {signal}).batches())
}

/** Moves or renames the selected rows. */
export async function moveSelected(desk: Desk): Promise<void> {
  const {dav} = desk
  const rows = desk.selected()
  const [only] = rows
  if (only === undefined) return
  const plainName = rows.length === 1 ? plainNameOf(only) : undefined
  const folder = decodePath(desk.folder().reference) ?? ''
  const findProblem = (answer: MoveAnswer): string => {
    try {
      // Nothing is sent before a stream is read, and the pairs are checked here.
      dav.moveMany(pairsOf(rows, answer))
      return ''
    } catch (error) {
      return problem(error)
    }
  }
  const answer = await askMove(rows, folder, plainName, findProblem)
  if (answer === undefined) return
  const job = makeJob(desk, rows, 'move')
  const {parents, overwrite} = answer
  const options = {parents, overwrite, signal: job.signal}
  await desk.start(job, () => dav.moveMany(pairsOf(rows, answer), options).batches())
}

/** Uploads files into the shown folder. */
export async function uploadFiles(desk: Desk, files: readonly File[]): Promise<void> {
  const {url} = desk.folder()
  const rows = files.map((file) => uploadRow(url + encodeURIComponent(file.name), file))
  if (files.length === 0) return
  const names = new Set(files.map(({name}) => name))
  if (names.size < files.length)
    throw new Error(
      'Two of these files have one name. One would replace the other: upload them one after the other.',
    )
  const answer = await askUpload(files, rows)
  if (answer === undefined) return
  desk.addFirst(rows)
  const job = makeJob(desk, rows, 'upload')
  const uploads = files.map((file, index) => ({
    href: rows[index]?.url ?? '',
    body: file,
    type: file.type === '' ? 'application/octet-stream' : file.type,
    create: !answer.overwrite,
  }))
  await desk.start(job, () => desk.dav.putMany(uploads, {signal: job.signal}).batches())
}

/** Downloads the selected files, one after the other. Folders have no content. */
export async function downloadSelected(desk: Desk): Promise<void> {
  const files = desk.selected().filter(({isFolder}) => !isFolder)
  if (files.length === 0) throw new Error('A folder has no content to download. Select files.')
  await downloadRows(desk, files)
}

/** Downloads these files, one after the other. */
export async function downloadRows(desk: Desk, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  const job = makeJob(desk, rows, 'download')
  await desk.start(job, () => each(rows, (row) => download(desk, job, row)))
}

/** Sends the requests of failures again, and no others. Of two verbs on one resource, only one is sent: they would race. */
export async function retry(desk: Desk, all: readonly Entry[]): Promise<void> {
  const entries = [...new Map(all.map((entry) => [entry.key, entry])).values()]
  const {dav, board} = desk
  const [downloads, others] = [[] as Row[], [] as Failure[]]
  for (const {action, key, failure} of entries) {
    const row = board.find(key)
    if (action !== 'download') others.push(failure)
    else if (row !== undefined) downloads.push(row)
  }
  const targets = entries.map(({action, failure: {url}}) => ({url, action}))
  const job = new Job(desk, targets, {doing: 'Retrying', done: 'done now'})
  async function* results(): AsyncGenerator<readonly DavResult[]> {
    yield* dav.retry(others, {attempts: 1, signal: job.signal}).batches()
    yield* each(downloads, (row) => download(desk, job, row))
  }
  await desk.start(job, results)
}

/** Asks the server about resources with an unknown outcome: is it there, by PROPFIND? */
export async function check(desk: Desk, entries: readonly Entry[]): Promise<void> {
  const targets = entries.map(({action, failure: {url}}) => ({url, action}))
  const job = new Job(desk, targets, {doing: 'Checking', done: 'done after all'})
  const queue = entries.values()
  const work = async (): Promise<void> => {
    for (const entry of queue) await checkOne(desk, job, entry)
  }
  async function* results(): AsyncGenerator<readonly DavResult[]> {
    await Promise.all(Array.from({length: CONCURRENCY}, work))
    yield []
  }
  await desk.start(job, results)
}

/** Settles a failure by the state of the server, or leaves it as it is if nobody can tell. */
async function checkOne(desk: Desk, job: Job, entry: Entry): Promise<void> {
  const {action, key} = entry
  try {
    const found = await find(desk.dav, entry, job.signal)
    if (found === 'done') {
      desk.ledger.settleChecked(entry)
      job.done(key, action)
    } else job.failed(key, desk.ledger.amend(entry, found))
  } catch {
    job.failed(key, entry)
  }
}

/** Asks for the state of the resource: `done`, or the reason why not. Throws if the server does not tell. */
async function find(
  dav: DavClient,
  {action, failure}: Entry,
  signal: AbortSignal,
): Promise<'done' | Pick<Entry, 'words' | 'isUnknown'>> {
  signal.throwIfAborted()
  const {url, request} = failure
  if (action === 'upload') {
    const found = await dav.stat(url, {signal, properties: ['getcontentlength']})
    if (isGone(found)) return {words: 'it is not there', isUnknown: false}
    const {getcontentlength: bytes} = unwrap(found).properties
    // It may be the file of before, or of somebody else.
    const length = bytes === undefined ? '' : ` of ${size(bytes)}`
    return {words: `there is a file${length}`, isUnknown: true}
  }
  if (!isGone(await dav.stat(url, {signal}))) return {words: 'it is still there', isUnknown: false}
  const destination = request?.destination
  if (action === 'delete' || destination === undefined) return 'done'
  const isLost = isGone(await dav.stat(destination, {signal}))
  return isLost ? {words: 'it is at neither place', isUnknown: false} : 'done'
}

/** Tells if a resource is not there. Throws for a refusal, which does not tell. */
function isGone(found: DavResult): boolean {
  if (!found.ok && (found.status === 404 || found.status === 410)) return true
  unwrap(found)
  return false
}

async function download(desk: Desk, job: Job, row: Row): Promise<DavResult> {
  const {signal} = job
  const {url} = row
  const target = row.result ?? url
  const wasStopped = signal.aborted
  try {
    signal.throwIfAborted()
    const got = await desk.dav.get(target, {
      signal,
      resume: true,
      onProgress: ({bytes, total}) => job.moved(url, bytes, total),
    })
    if (!got.ok) return {...got, relation: 'self'}
    await save(got, plainNameOf(row) ?? segmentOf(url))
    const {href, status, relation, properties, missing} = got
    return {ok: true, href, url, relation, status, properties, missing}
  } catch (error) {
    const facts = {ok: false, href: '', url, relation: 'self', status: 0} as const
    const others = {conditions: [], missing: [], description: problem(error)}
    // The disk of this machine is at fault.
    if (!signal.aborted && !DavError.is(error)) return {...facts, reason: 'status', ...others}
    const cause = wasStopped ? 'not-sent' : signal.aborted ? 'aborted' : 'network'
    return {...facts, reason: 'no-answer', cause, ...others}
  }
}

/** Runs a function for each row, one after the other. */
async function* each(
  rows: readonly Row[],
  run: (row: Row) => Promise<DavResult>,
): AsyncGenerator<readonly DavResult[]> {
  for (const row of rows) yield [await run(row)]
}

function makeJob(desk: Desk, rows: readonly Row[], action: Action): Job {
  for (const row of rows) desk.board.keep(row)
  return new Job(
    desk,
    rows.map(({url}) => ({url, action})),
  )
}

function resultsOf(rows: readonly Row[]) {
  return rows.flatMap(({result}) => (result === undefined ? [] : [result]))
}

/** Makes the pairs of a move. A name that stays keeps the escapes of its URL, because they name it. */
function pairsOf(rows: readonly Row[], {folder, name}: MoveAnswer) {
  const path = folder.replaceAll(/^\/+|\/+$/g, '')
  const into = path === '' ? '' : `${encodePath(path)}/`
  return resultsOf(rows).map((from) => ({
    from,
    to: `./${into}${name === undefined ? segmentOf(from.url) : encodeSegment(name)}`,
  }))
}

function encodeSegment(name: string): string {
  if (name === '' || name.includes('/'))
    throw new TypeError('A name is not empty, without slashes.')
  return encodePath(name)
}

/** The plain name of a row; `undefined` if it has none. */
function plainNameOf(row: Row): string | undefined {
  const path = decodePath(segmentOf(row.url))
  return path === undefined || path.includes('/') ? undefined : path
}
