/** The kinds of jobs and their options. Options are plain data, so that another process finds them in the ledger. */

import type {Target} from '../call/target.ts'
import type {AnyIterable} from '../engine/many.ts'
import {isWholeNumber, memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, oneOf, readOptions, RECORD, TEXT, TEXTS} from '../protocol/options.ts'
import type {SyncState} from '../sync/state.ts'
import type {DeleteTarget} from '../verbs/delete.ts'
import type {FromTo} from '../verbs/two-ends.ts'
import type {Sql} from './store.ts'
import {numberOf, textOf} from './store.ts'
import {LedgerError} from './ledger.ts'

/** The retries of a job. They are spread over workers, so the client's own policy is not used. */
export interface JobRetry {
  /**
   * The most requests for one resource, the first one included.
   *
   * @defaultValue 5
   */
  readonly attempts?: number | undefined
  /**
   * The shortest delay between two attempts in milliseconds. It doubles with each attempt.
   *
   * @defaultValue 1000
   */
  readonly minDelay?: number | undefined
  /**
   * The longest delay in milliseconds. A longer Retry-After of the server is cut to it.
   *
   * @defaultValue 300,000
   */
  readonly maxDelay?: number | undefined
}

/** Options of every job. */
export interface JobSettings {
  /**
   * The name of the job in the ledger. If the process ends while it creates a job, the same call with the same `id` continues. It
   * needs the same targets: those that are stored stay, and once all are stored, no others are read.
   *
   * @defaultValue a new UUID
   */
  readonly id?: string | undefined
  /**
   * The most resources in one unit, which one worker claims at a time. From 1 to 1000.
   *
   * @defaultValue 500
   */
  readonly unitSize?: number | undefined
  /** The retries. */
  readonly retry?: JobRetry | undefined
}

/** Deletes targets, or a tree. */
export interface DeleteJob extends JobSettings {
  /** The kind of the job. */
  readonly kind: 'delete'
  /** The targets, such as URL references or the results of a listing. Not together with `tree`. */
  readonly targets?: AnyIterable<DeleteTarget> | undefined
  /** A collection to delete with everything in it. It is listed first. Members go before their collection. */
  readonly tree?: Target | undefined
  /**
   * The verdict on a missing target.
   *
   * @defaultValue `success` for a tree, else `failure`
   */
  readonly ifMissing?: 'failure' | 'success' | undefined
  /**
   * Deletes a result of a listing only if its ETag is still the same, as in `deleteMany`.
   *
   * @defaultValue `false`
   */
  readonly ifUnchanged?: boolean | undefined
  /**
   * Checks after each success that the target is gone, as in `deleteMany`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
  /**
   * Allows targets that the guards of `deleteMany` refuse.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
}

/** Lists a tree into the ledger. */
export interface ListJob extends JobSettings {
  /** The kind of the job. */
  readonly kind: 'list'
  /** The collection to list with everything in it. */
  readonly tree: Target
  /**
   * The properties to store of each resource. Without `resourcetype`, collections are found by the slash at the end of their URL.
   *
   * @defaultValue `resourcetype`, `getetag`, `getcontentlength` and `getlastmodified`
   */
  readonly properties?: readonly string[] | undefined
}

/** One side of a diff: a tree, which is listed, or a finished list job in the same ledger. */
export type DiffSide = {readonly tree: Target} | {readonly job: string}

/** Compares two trees. */
export interface DiffJob extends JobSettings {
  /** The kind of the job. */
  readonly kind: 'diff'
  /** The earlier or original side. A `SyncState` must be of level `infinity`. */
  readonly before: DiffSide | SyncState
  /** The later side. */
  readonly after: DiffSide
  /**
   * The properties by which two files are equal. A file for which one side lacks such a property is reported as `unknown`.
   *
   * @defaultValue `getetag` for two sides with the same URL, else `getcontentlength`
   */
  readonly by?: readonly ('getetag' | 'getcontentlength' | 'getlastmodified')[] | undefined
}

interface PairsJob extends JobSettings {
  /** The pairs. No resource of a pair may be at, in or above one of another pair, because workers keep no order. */
  readonly pairs: AnyIterable<FromTo>
  /**
   * Replaces resources at the destinations.
   *
   * @defaultValue `false`
   */
  readonly overwrite?: boolean | undefined
  /**
   * Makes missing collections around the destinations.
   *
   * @defaultValue `false`
   */
  readonly parents?: boolean | undefined
}

/** Copies pairs. Pairs may share a source. */
export interface CopyJob extends PairsJob {
  /** The kind of the job. */
  readonly kind: 'copy'
}

/** Moves pairs. */
export interface MoveJob extends PairsJob {
  /** The kind of the job. */
  readonly kind: 'move'
}

/** Uploads a local folder. Each worker needs the folder at the same path. */
export interface PutJob extends JobSettings {
  /** The kind of the job. */
  readonly kind: 'put'
  /** The path of the local folder. Symbolic links in it are Failures `refused`. */
  readonly folder: string
  /** The collection for the content of the folder. It is made if it is missing. */
  readonly to: Target
  /**
   * Writes only where nothing is. A file that is there is a Failure 412.
   *
   * @defaultValue `false`
   */
  readonly create?: boolean | undefined
  /**
   * Compares the stored length of each file, as in `put`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
}

/** A job to create. */
export type JobOptions = DeleteJob | ListJob | DiffJob | CopyJob | MoveJob | PutJob

/** The kind of a job. */
export type JobKind = JobOptions['kind']

/** A job in a ledger. */
export interface Job {
  /** Its name in the ledger. */
  readonly id: string
  /** Its kind. */
  readonly kind: JobKind
}

/**
 * The state of a job. `filling`: its targets are not all stored yet. `open`: there is work left. `reopening`: `retryJob` is at work,
 * or was interrupted and is to be called again.
 */
export type JobState = 'filling' | 'open' | 'done' | 'cancelled' | 'reopening'

const SETTINGS: Rules<JobSettings> = {id: TEXT, unitSize: NUMBER, retry: RECORD}
const KIND = {kind: TEXT}
const PAIRS = {...SETTINGS, ...KIND, pairs: ANY, overwrite: BOOLEAN, parents: BOOLEAN}

const RULES: {readonly [Kind in JobKind]: Rules<Extract<JobOptions, {kind: Kind}>>} = {
  delete: {
    ...SETTINGS,
    ...KIND,
    targets: ANY,
    tree: ANY,
    ifMissing: oneOf('failure', 'success'),
    ifUnchanged: BOOLEAN,
    verify: BOOLEAN,
    unguarded: BOOLEAN,
  },
  list: {...SETTINGS, ...KIND, tree: ANY, properties: TEXTS},
  diff: {...SETTINGS, ...KIND, before: ANY, after: ANY, by: TEXTS},
  copy: PAIRS,
  move: PAIRS,
  put: {...SETTINGS, ...KIND, folder: TEXT, to: ANY, create: BOOLEAN, verify: BOOLEAN},
}

const RETRY: Rules<JobRetry> = {attempts: NUMBER, minDelay: NUMBER, maxDelay: NUMBER}

/** The most resources in one unit. */
const MOST_IN_UNIT = 1000

/**
 * Options of a job as they are stored. Sources of targets are not among them. The requests of targets have their conditions, which
 * are stored here too, so that a repeated call with other ones is refused.
 */
export interface StoredOptions {
  readonly unitSize: number
  readonly retry: Required<{[Name in keyof JobRetry]: number}>
  readonly root?: string
  readonly properties?: readonly string[]
  readonly ifMissing?: 'failure' | 'success'
  readonly verify?: boolean
  readonly unguarded?: boolean
  readonly ifUnchanged?: boolean
  readonly overwrite?: boolean
  readonly parents?: boolean
  readonly create?: boolean
  readonly folder?: string
  readonly sides?: readonly StoredSide[]
  readonly by?: readonly string[]
}

/** A side of a diff: the root of a tree of a job. */
export interface StoredSide {
  /** The list job; empty for the job itself. */
  readonly job: string
  readonly tree: number
  readonly root: string
  /** True for a `SyncState`, which needs no listing. */
  readonly isState?: true
}

/** A job as its row in the ledger says. */
export interface StoredJob extends Job {
  /** The URL of its client. */
  readonly base: string
  /** The origin of that URL. */
  readonly origin: string
  readonly options: StoredOptions
  readonly state: JobState
  /** The time at which it was created, which tells it from a later job of this name. */
  readonly created: number
  /** The time at which it was done or cancelled; 0 before. */
  readonly ended: number
}

/**
 * Checks the options of a job.
 *
 * @throws TypeError for an unknown kind or option, RangeError for a number out of range.
 */
export function readJobOptions(given: JobOptions): JobOptions {
  const kind = (given as JobOptions | undefined)?.kind
  if (kind === undefined || !Object.hasOwn(RULES, kind))
    throw new TypeError(`createJob: kind is one of ${Object.keys(RULES).join(', ')}`)
  const rules = RULES[kind] as Rules<JobOptions>
  const options = readOptions(`a job of kind ${kind}`, given, rules)
  if (options.id !== undefined && !/^[\w.-]{1,200}$/.test(options.id))
    throw new TypeError('createJob: id has 1 to 200 letters, digits, dots, dashes and underscores')
  return options
}

/** Completes the settings that every job has. */
export function readSettings({unitSize = 500, retry = {}}: JobSettings): StoredOptions {
  const {
    attempts = 5,
    minDelay = 1000,
    maxDelay = 300_000,
  } = readOptions('retry of a job', retry, RETRY)
  if (!isWholeNumber(unitSize, 1) || unitSize > MOST_IN_UNIT)
    throw new RangeError(`createJob: unitSize is a whole number from 1 to ${MOST_IN_UNIT}`)
  if (!isWholeNumber(attempts, 1))
    throw new RangeError('createJob: attempts is a whole number above zero')
  if (!(minDelay >= 0 && maxDelay >= minDelay && maxDelay <= 43_200_000))
    throw new RangeError(
      'createJob: minDelay is at least zero, maxDelay at least minDelay, and at most 12 hours',
    )
  return {unitSize, retry: {attempts, minDelay, maxDelay}}
}

/**
 * Reads a job.
 *
 * @throws LedgerError without such a job.
 */
export async function readJob(
  {all}: Sql,
  job: string | Job,
  lock: string = '',
): Promise<StoredJob> {
  const id: unknown = typeof job === 'string' ? job : memberOf(job, 'id')
  if (typeof id !== 'string') throw new TypeError('Give a job of createJob, or its id')
  const [row] = await all(`select * from job where id = ?${lock}`, [id])
  if (row === undefined) throw new LedgerError('missing', `The ledger has no job ${id}`)
  const base = textOf(row, 'base')
  return {
    id,
    kind: textOf(row, 'kind') as JobKind,
    base,
    origin: new URL(base).origin,
    options: JSON.parse(textOf(row, 'options')) as StoredOptions,
    state: textOf(row, 'state') as JobState,
    created: numberOf(row, 'created'),
    ended: numberOf(row, 'ended'),
  }
}
