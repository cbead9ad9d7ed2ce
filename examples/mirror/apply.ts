// Applies the steps. Each write on the server has a condition, so a change of somebody else is never overwritten. A 412 leaves the
// file to the next run. A step is in the journal as soon as it is done.

import {rm} from 'node:fs/promises'

import {type DavClient, type DavResult, fromLocalPath, toLocalPath, type Upload} from 'multistatus'

import {type Folder, hashOf, isConflictCopy, type Snapshot} from './folder.ts'
import type {Journal} from './journal.ts'
import type {Step} from './plan.ts'

const AT_ONCE = 4
// A calendar and an address book hold each UID once. RFC 4791, section 5.3.2.1; RFC 6352, section 6.3.2.1.
const TAKEN_UID: ReadonlySet<string> = new Set(
  ['caldav', 'carddav'].map((name) => `{urn:ietf:params:xml:ns:${name}}no-uid-conflict`),
)

/** The two sides and their journal. */
export interface Mirror {
  readonly dav: DavClient
  readonly folder: Folder
  readonly journal: Journal
  /** True if the server is known to obey conditions. */
  readonly isTrusted: boolean
  /** Called with each step that is done or, for a reason, is not. */
  readonly onStep: (step: Step, problem?: string) => void
}

/** Applies all steps. A step that fails is reported, and the others go on. */
export async function apply(steps: readonly Step[], mirror: Mirror): Promise<void> {
  const of = (...kinds: readonly Step['kind'][]): Step[] =>
    steps.filter(({kind}) => kinds.includes(kind))
  const uploads = of('upload')
  const run = async (left: Iterable<Step>, carryOut: CarryOut): Promise<void> => {
    for (const step of left) {
      try {
        const {problem, upload} = await carryOut(step, mirror)
        if (upload !== undefined) uploads.push(upload)
        mirror.onStep(step, problem)
      } catch (error) {
        mirror.onStep(step, String(error))
      }
    }
  }
  await run(of('delete here'), deleteHere)
  const downloads = of('download', 'compare').values()
  await Promise.all(Array.from({length: AT_ONCE}, () => run(downloads, receive)))
  await send(uploads, mirror)
  await deleteThere(of('delete there'), mirror)
}

/** The outcome of a step: a problem, and an upload that follows. */
interface Outcome {
  readonly problem?: string | undefined
  readonly upload?: Step | undefined
}

type CarryOut = (step: Step, mirror: Mirror) => Promise<Outcome>

async function deleteHere({path, hash}: Step, {folder, journal}: Mirror): Promise<Outcome> {
  const copy = await folder.remove(path, hash)
  journal.change(path, {base: undefined, sent: undefined})
  await folder.removeEmpty(path)
  return {upload: uploadOf(copy)}
}

/** Reads a file of the server. Keeps a local file that is neither the known one nor equal to it as a conflict copy. */
async function receive(step: Step, {dav, folder, journal}: Mirror): Promise<Outcome> {
  const {kind, path, etag = ''} = step
  const {sent, base} = journal.get(path)
  const draft = folder.draft()
  const verdict = await dav.download(fromLocalPath(path), draft)
  if (!verdict.ok) return {problem: problemOf(verdict)}
  const hash = await hashOf(draft)
  // An upload whose answer was lost, or an old content with a new ETag, is no change of somebody else.
  const isOwn = kind === 'compare' && (hash === sent?.hash || hash === base?.hash)
  let upload: Step | undefined
  if (isOwn && hash !== step.hash) upload = {kind: 'upload', path, etag}
  else if (hash !== step.hash) {
    const known = kind === 'download' ? step.hash : undefined
    upload = uploadOf(await folder.remove(path, known))
    await folder.place(draft, path)
  }
  // The content is that of the ETag or a later one. The next sync names a later one.
  journal.change(path, {base: {etag, hash}, sent: undefined})
  await rm(draft)
  return {upload}
}

/** Uploads files: new ones only where nothing is, changed ones only over the known version. */
async function send(steps: readonly Step[], mirror: Mirror): Promise<void> {
  const {dav, folder, journal, isTrusted, onStep} = mirror
  const sent = new Map<string, Snapshot & {readonly step: Step}>()
  async function* uploads(): AsyncGenerator<Upload> {
    for (const step of steps) {
      const {path, etag} = step
      try {
        const {draft, hash} = await folder.snapshot(path)
        sent.set(path, {step, draft, hash})
        journal.change(path, {sent: {etag: '', hash}})
        const condition = etag === undefined ? {create: true} : {ifMatch: etag}
        yield {href: fromLocalPath(path), body: {path: draft}, ...condition}
      } catch (error) {
        onStep(step, String(error))
      }
    }
  }
  const options = {parents: true, requireConditions: !isTrusted, concurrency: AT_ONCE}
  for await (const result of dav.putMany(uploads(), options)) {
    const path = toLocalPath(result, {base: dav.url})
    const upload = sent.get(path)
    if (upload === undefined) continue
    const {step, draft, hash} = upload
    if (result.ok) journal.change(path, {sent: {etag: result.etag ?? '', hash}})
    await rm(draft)
    const isTwin = !result.ok && result.conditions.some((name) => TAKEN_UID.has(name))
    if (isTwin && isConflictCopy(path)) {
      await folder.giveOwnUid(path, hash)
      onStep(step, 'its UID is taken, so it has one of its own now: run again')
    } else onStep(step, problemOf(result))
  }
}

/** Deletes files on the server that have not changed. */
async function deleteThere(steps: readonly Step[], {dav, journal, onStep}: Mirror): Promise<void> {
  const byPath = new Map(steps.map((step) => [step.path, step]))
  const targets = steps.map(({path, etag}) => ({href: fromLocalPath(path), ifMatch: etag}))
  const options = {ifMissing: 'success', concurrency: AT_ONCE} as const
  for await (const result of dav.deleteMany(targets, options)) {
    const path = toLocalPath(result, {base: dav.url})
    const step = byPath.get(path)
    if (step === undefined) continue
    if (result.ok) journal.change(path, {base: undefined, sent: undefined})
    onStep(step, problemOf(result))
  }
}

/** Plans the upload of a conflict copy. */
function uploadOf(path: string | undefined): Step | undefined {
  return path === undefined ? undefined : {kind: 'upload', path}
}

function problemOf(result: DavResult): string | undefined {
  if (result.ok) return undefined
  const {status, reason, description} = result
  return status === 412
    ? 'it has changed meanwhile: run again'
    : `${status} ${description ?? reason}`
}
