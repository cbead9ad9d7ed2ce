/** Creates jobs: checks every target by the client's own guards, and stores it in the ledger. Sends nothing. */

import {stat} from 'node:fs/promises'
import {resolve} from 'node:path'

import {isUnlisted, placeOf as targetPlaceOf, resolveTarget} from '../call/target.ts'
import type {Target} from '../call/target.ts'
import type {DavClient} from '../client/dav-client.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {DavResult} from '../multistatus/result.ts'
import {isResultStream} from '../multistatus/result-stream.ts'
import {isCollection} from '../multistatus/selection.ts'
import {openStream} from '../multistatus/source.ts'
import {messageOf} from '../protocol/errors.ts'
import {isObject, memberOf} from '../protocol/members.ts'
import {encodePath} from '../protocol/path.ts'
import {SyncState} from '../sync/state.ts'
import type {DeleteTarget} from '../verbs/delete.ts'
import type {FromTo} from '../verbs/two-ends.ts'
import {readFolder} from './folder.ts'
import {Filler} from './fill.ts'
import {depthOf, keyOfUrl} from './items.ts'
import type {
  CopyJob,
  DeleteJob,
  DiffJob,
  DiffSide,
  Job,
  JobOptions,
  ListJob,
  MoveJob,
  PutJob,
  StoredOptions,
  StoredSide,
} from './job.ts'
import {readJob, readJobOptions, readSettings} from './job.ts'
import type {Ledger} from './ledger.ts'
import {LedgerError, storeOf} from './ledger.ts'
import type {Row, Store} from './store.ts'
import {textOf} from './store.ts'
import {FILES} from './units.ts'

type Client = DavClient<never> | DavClient

/**
 * Stores a job with all its targets. Nothing is sent. A target that the guards of the client refuse gets its verdict at once, a
 * Failure `refused`.
 *
 * @param options - The kind of the job and its options.
 * @param dav - The client by which targets are resolved and checked. `runJob` needs one with the same URL.
 * @returns The job, for `runJob` in this or any other process.
 * @throws TypeError or RangeError for a wrong option. {@link LedgerError} `state` if another job has this `id`, or if this one has
 *   ended. What the targets throw; the same call with the same `id` then continues.
 * @example
 * ```ts
 * const job = await createJob(ledger, {kind: 'delete', tree: 'archive/2019/'}, dav)
 * ```
 */
export async function createJob(ledger: Ledger, options: JobOptions, dav: DavClient): Promise<Job> {
  const store = storeOf(ledger)
  const given = readJobOptions(options)
  if (typeof memberOf(dav, 'url') !== 'string')
    throw new TypeError('createJob: give a DavClient as the third argument')
  const {kind, id = crypto.randomUUID()} = given
  const plan = await planOf(given, dav, store)
  const text = JSON.stringify({...readSettings(given), ...plan.options})
  const known = await store.transaction(async (sql) => {
    const {insert, now, run, all} = sql
    const columns = ['id', 'kind', 'base', 'options', 'state', 'created', 'ended', 'incomplete']
    const row = [id, kind, dav.url, text, 'filling', 0, 0, '[]']
    await insert('job', columns, [row])
    await run(`update job set created = ${now} where id = ? and created = 0`, [id])
    const [stored] = await all('select kind, base, options from job where id = ?', [id])
    const other = findOther(stored, {kind, url: dav.url, options: text})
    if (other !== undefined) {
      const help = 'repeat the call as it was, or use another id'
      throw new LedgerError(
        'state',
        `The ledger has another job ${id}, with another ${other}; ${help}`,
      )
    }
    return readJob(sql, id)
  })
  const job = {id, kind}
  if (known.state === 'open') return job
  if (known.state !== 'filling') {
    const help =
      'for its verdicts there is inspectJob, for its failures retryJob, for a new job another id'
    throw new LedgerError('state', `The job ${id} is ${known.state}: ${help}`)
  }
  const filler = new Filler(store, known)
  try {
    await plan.store(filler)
    await filler.end()
  } catch (error) {
    // Another process has made the same call, and was done first.
    if (!filler.isOvertaken) throw error
  }
  return job
}

/** Finds a member in which a stored job differs from a given one. */
function findOther(
  stored: Row | undefined,
  given: {readonly kind: string; readonly url: string; readonly options: string},
): string | undefined {
  if (textOf(stored, 'kind') !== given.kind) return 'kind'
  if (textOf(stored, 'base') !== given.url) return 'url of the client'
  const [one, other] = [textOf(stored, 'options'), given.options].map((text) => JSON.parse(text))
  const names = Object.keys({...one, ...other})
  return names.find((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
}

/** The stored options of a job, and the function that stores its targets. */
interface Plan {
  readonly options: Partial<StoredOptions>
  store(filler: Filler): Promise<void>
}

/** Plans a job of any kind. */
async function planOf(options: JobOptions, dav: Client, store: Store): Promise<Plan> {
  const {kind} = options
  if (kind === 'delete') return planDelete(options, dav)
  if (kind === 'list') return planList(options, dav)
  if (kind === 'diff') return planDiff(options, dav, store)
  if (kind === 'put') return planPut(options, dav)
  return planPairs(options, dav)
}

async function planDelete(job: DeleteJob, dav: Client): Promise<Plan> {
  const {targets, tree, ifUnchanged, verify, unguarded} = job
  if ((targets === undefined) === (tree === undefined))
    throw new TypeError('createJob: a delete job has either targets or a tree')
  const {ifMissing = tree === undefined ? 'failure' : 'success'} = job
  const options = {
    ifMissing,
    ...(verify === true && {verify}),
    ...(unguarded === true && {unguarded}),
    ...(ifUnchanged === true && {ifUnchanged}),
  }
  const rules = {...options, dryRun: true}
  const asked = (target: DeleteTarget): Promise<DavResult> => dav.delete(target, rules)
  if (tree !== undefined) {
    if (ifUnchanged === true)
      throw new TypeError('createJob: ifUnchanged needs targets, which are results of a listing')
    const root = collectionUrl('tree', tree, dav)
    const plan = await asked(root)
    if (!plan.ok) throw new TypeError(`createJob: ${plan.description ?? 'the tree is refused'}`)
    return {
      options: {...options, root},
      async store(filler) {
        await filler.add(await asked(root), depthOf(keyOfUrl(root)))
        await filler.flush()
        await filler.addListing(root)
      },
    }
  }
  assertIterable('targets', targets)
  return {
    options,
    async store(filler) {
      for await (const target of iterate<DeleteTarget>(targets)) {
        const plan = await settle(() => asked(target), target, dav)
        const isFile =
          memberOf(target, 'ok') === true &&
          isCollection(target as DavResult) === false &&
          !plan.url.endsWith('/')
        const level = isFile ? FILES : depthOf(keyOfUrl(plan.url))
        // A walk reports a collection in its parent, and again if it could not be listed. Its members have no verdicts, so it stays.
        if (isUnlisted(target)) await filler.keep(plan, level)
        else await filler.add(plan, level)
      }
      await filler.flush()
      if (isResultStream(targets)) await filler.noteIncomplete((await targets.summary).incomplete)
    },
  }
}

function planList({tree, properties}: ListJob, dav: Client): Plan {
  const root = collectionUrl('tree', tree, dav)
  if (properties?.length === 0) throw new TypeError('createJob: properties has a name at least')
  return {
    options: {root, ...(properties !== undefined && {properties})},
    store: (filler) => filler.addListing(root),
  }
}

async function planDiff({before, after, by}: DiffJob, dav: Client, store: Store): Promise<Plan> {
  const state = before instanceof SyncState ? before : undefined
  if (state?.isDeep === false)
    throw new TypeError('createJob: a SyncState to compare has the level infinity')
  const first =
    before instanceof SyncState
      ? ({root: rootOfState(before), job: '', tree: 0, isState: true} as const)
      : await sideOf(before, 0, dav, store)
  const sides = [first, await sideOf(after, 1, dav, store)] as const
  const names = ['getetag', 'getcontentlength', 'getlastmodified']
  if (by?.length === 0 || by?.some((name) => !names.includes(name)) === true)
    throw new TypeError(`createJob: by has some of ${names.join(', ')}`)
  const isSame = keyOfUrl(sides[0].root) === keyOfUrl(sides[1].root)
  return {
    options: {sides, by: by ?? [isSame ? 'getetag' : 'getcontentlength']},
    async store(filler) {
      if (state !== undefined) await filler.addState(state)
      for (const side of sides)
        if (side.job === '' && !('isState' in side)) await filler.addListing(side.root, side.tree)
      await filler.addComparison()
    },
  }
}

function rootOfState(state: SyncState): string {
  const [header] = state.lines()
  if (header === undefined) throw new TypeError('createJob: the SyncState has seen no collection')
  return asCollection(String(memberOf(JSON.parse(header), 'url')))
}

async function sideOf(
  side: DiffSide,
  tree: number,
  dav: Client,
  store: Store,
): Promise<StoredSide> {
  if (isObject(side) && 'tree' in side && Object.keys(side).length === 1)
    return {job: '', tree, root: collectionUrl('tree', side.tree, dav)}
  if (!(isObject(side) && 'job' in side && Object.keys(side).length === 1))
    throw new TypeError('createJob: a side of a diff is {tree}, {job}, or a SyncState before')
  const {kind, options, state} = await store.read((sql) => readJob(sql, side.job))
  if (kind !== 'list' || state !== 'done' || options.root === undefined)
    throw new TypeError(`createJob: ${side.job} is no finished list job`)
  return {job: side.job, tree: 0, root: options.root}
}

async function planPut({folder, to, create, verify}: PutJob, dav: Client): Promise<Plan> {
  if (typeof folder !== 'string' || folder === '')
    throw new TypeError('createJob: folder is the path of a local folder')
  const root = collectionUrl('to', to, dav)
  const local = resolve(folder)
  const isFolder = await stat(local).then(
    (facts) => facts.isDirectory(),
    () => false,
  )
  if (!isFolder) throw new TypeError(`createJob: ${local} is no folder that can be read`)
  const rules = {create, verify, dryRun: true}
  return {
    options: {
      root,
      folder: local,
      ...(verify === true && {verify}),
      ...(create === true && {create}),
    },
    async store(filler) {
      const addCollection = async (url: string): Promise<void> => {
        const plan = await settle(() => dav.mkcol(url, {parents: true, dryRun: true}), url, dav)
        await filler.add(plan, FILES - depthOf(keyOfUrl(url)))
      }
      // The client's own collection, and those around it, are there.
      if (root !== dav.url && root.startsWith(dav.url)) await addCollection(root)
      for await (const {names, kind} of readFolder(local)) {
        const name = names.join('/')
        const url = encoded(root, names)
        if (url === undefined || kind === 'other') {
          const why = kind === 'other' ? 'is no file' : 'is no well-formed name'
          const own = root + encodePath(name.toWellFormed())
          await filler.add(refuse(`${name} ${why}`, {url: own}), 0)
        } else if (kind === 'folder') await addCollection(`${url}/`)
        else await filler.add(await settle(() => dav.put(url, '', rules), url, dav), 0)
      }
      await filler.flush()
    },
  }
}

function encoded(root: string, names: readonly string[]): string | undefined {
  const name = names.join('/')
  // Node writes U+FFFD for bytes of a name that are not UTF-8. Such a name finds no file.
  return name.isWellFormed() && !name.includes('\uFFFD') ? root + encodePath(name) : undefined
}

function planPairs({kind, pairs, overwrite, parents}: CopyJob | MoveJob, dav: Client): Plan {
  assertIterable('pairs', pairs)
  const rules = {overwrite, parents, dryRun: true}
  const asked = ({from, to, ...conditions}: FromTo): Promise<DavResult> =>
    kind === 'copy'
      ? dav.copy(from, to, {...rules, ...conditions})
      : dav.move(from, to, {...rules, ...conditions})
  return {
    options: {...(overwrite === true && {overwrite}), ...(parents === true && {parents})},
    async store(filler) {
      for await (const pair of iterate<FromTo>(pairs)) {
        const plan = await settle(() => asked(pair), memberOf(pair, 'from'), dav)
        await filler.add(plan, 0)
      }
      await filler.flush()
      await filler.assertApart()
    },
  }
}

/** Asks for the plan of a target. An invalid target becomes a Failure. */
async function settle(
  ask: () => Promise<DavResult>,
  target: unknown,
  dav: Client,
): Promise<DavResult> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    return refuse(error.message, targetPlaceOf(target, new URL(dav.url)))
  }
}

function refuse(
  description: string,
  place: {readonly url: string; readonly href?: string},
): DavResult {
  return createFailure({...place, status: 0, reason: 'refused', description})
}

/**
 * Resolves a collection, with its slash.
 *
 * @throws TypeError for an invalid target, with the name of the option.
 */
function collectionUrl(option: string, target: Target, dav: Client): string {
  try {
    const {href, search} = resolveTarget(target, new URL(dav.url))
    if (search !== '') throw new TypeError(`${href} has a query, and is no collection`)
    return asCollection(href)
  } catch (error) {
    throw new TypeError(`createJob: ${option}: ${messageOf(error)}`, {cause: error})
  }
}

function asCollection(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

function assertIterable(name: string, value: unknown): void {
  const isIterable =
    isObject(value) &&
    (Symbol.iterator in value || Symbol.asyncIterator in value || 'getReader' in value)
  if (!isIterable) throw new TypeError(`createJob: ${name} is an iterable`)
}

function iterate<T>(source: unknown): AsyncIterable<T> | Iterable<T> {
  if (isObject(source) && 'getReader' in source)
    return {[Symbol.asyncIterator]: () => openStream(source as ReadableStream<T>)}
  return source as AsyncIterable<T> | Iterable<T>
}
