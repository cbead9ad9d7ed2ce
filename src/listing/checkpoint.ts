/** A listing of everything below, written down, so that another process can go on with it. */

import type {Incomplete} from '../multistatus/summary.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepth, assertDepthOrWalk, isWalk} from '../protocol/depth.ts'
import {visible} from '../protocol/errors.ts'
import {isWithin} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, NUMBER, readOptions, TEXT} from '../protocol/options.ts'
import type {Frontier} from './frontier.ts'
import type {Listing, ListingQuery} from './query.ts'
import {resolveTarget} from '../call/target.ts'

/** What is left of a listing: plain JSON, without results. It is as long as the collections that are known and not yet listed. */
export interface Checkpoint {
  /** The version of this form. */
  readonly version: 1
  /** The resource that is listed. */
  readonly url: string
  /** The URL to which `relation` of the results is meant: another one where the first was redirected. */
  readonly root: string
  /** What was asked for. */
  readonly depth: Depth | Walk
  /** What is still to be listed, with the Depth of each request; empty where the listing has ended. */
  readonly left: readonly CheckpointListing[]
  /** What is known not to be whole so far. */
  readonly incomplete: readonly Incomplete[]
}

/** One collection, or another resource, that is still to be listed. */
export interface CheckpointListing {
  /** The URL, absolute. */
  readonly url: string
  /** The Depth of its request. */
  readonly depth: Depth
}

/** The members of a checkpoint. Their values are checked together. */
const CHECKPOINT: Rules<Checkpoint> = {
  version: ANY,
  url: ANY,
  root: ANY,
  depth: ANY,
  left: ANY,
  incomplete: ANY,
}
const CHECKPOINT_LISTING: Rules<CheckpointListing> = {url: TEXT, depth: ANY}
const INCOMPLETE: Rules<Incomplete> = {href: TEXT, reason: TEXT, status: NUMBER}

/** Writes down what is left. */
export function makeCheckpoint(
  {url, root, depth}: ListingQuery,
  frontier: Frontier,
  incomplete: readonly Incomplete[],
): Checkpoint {
  const left = frontier.left.map((listing) => ({url: listing.url, depth: listing.depth}))
  return {version: 1, url, root, depth, left, incomplete: [...incomplete]}
}

/**
 * The depth of a listing that is gone on with.
 *
 * @throws TypeError where something else is asked for than the checkpoint is of, or it is none at all.
 */
export function resumeDepth(checkpoint: Checkpoint, depth: unknown): Depth | Walk {
  if (isObject(checkpoint)) readOptions('resume', checkpoint, CHECKPOINT)
  if (!isCheckpoint(checkpoint))
    throw new TypeError('resume is what checkpoint() of a listing gave')
  for (const one of checkpoint.left) readOptions('resume.left', one, CHECKPOINT_LISTING)
  for (const one of checkpoint.incomplete) readOptions('resume.incomplete', one, INCOMPLETE)
  assertDepthOrWalk(checkpoint.depth)
  if (depth !== undefined && !isSameDepth(depth, checkpoint.depth))
    throw new TypeError(
      `The checkpoint is one of a listing with depth ${JSON.stringify(checkpoint.depth)}, not ${visible(JSON.stringify(depth) ?? typeof depth, 100)}`,
    )
  return checkpoint.depth
}

/**
 * The listings that are left, held against the same rules as what a caller asks for: a checkpoint may come from anywhere.
 *
 * @throws TypeError where it is one of another listing.
 */
export function resumeListings(
  {url, root, left}: Checkpoint,
  query: ListingQuery,
  base: URL,
): Listing[] {
  const asked = resolveTarget({url}, base)
  if (!isSame(asked, new URL(query.url)))
    throw new TypeError(`The checkpoint is one of ${asked.href}, not of ${query.url}`)
  const answered = resolveTarget({url: root}, base)
  query.root = answered.href
  return left.map((listing) => {
    assertDepth(listing.depth)
    const at = resolveTarget({url: listing.url}, base)
    const isFirst = isSame(at, asked) || isSame(at, answered)
    if (!isFirst && !isWithin(at.pathname, answered.pathname))
      throw new TypeError(`The checkpoint names ${at.href}, which is not in ${answered.href}`)
    return {query, url: at.href, depth: listing.depth, isFirst}
  })
}

function isSameDepth(one: unknown, other: Depth | Walk): boolean {
  return isWalk(one) && isWalk(other) ? one.levels === other.levels : one === other
}

function isCheckpoint(value: unknown): boolean {
  if (!isObject(value)) return false
  const {version, url, root, left, incomplete} = value
  return (
    version === 1 &&
    typeof url === 'string' &&
    typeof root === 'string' &&
    Array.isArray(left) &&
    left.every((one) => isObject(one) && typeof one['url'] === 'string') &&
    Array.isArray(incomplete) &&
    incomplete.every(
      (one) =>
        isObject(one) && typeof one['href'] === 'string' && typeof one['reason'] === 'string',
    )
  )
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isSame(one: URL, other: URL): boolean {
  return isWithin(one.pathname, other.pathname) && isWithin(other.pathname, one.pathname)
}
