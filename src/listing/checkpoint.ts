/**
 * Checkpoints: the rest of a listing as plain JSON, with which another process can continue. A checkpoint may come from anywhere,
 * so its URLs obey the rules for a caller's targets.
 */

import {resolveTarget} from '../call/target.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepth, assertDepthOrWalk, isWalk} from '../protocol/depth.ts'
import {isWithin} from '../protocol/href.ts'
import type {Rule, Rules} from '../protocol/options.ts'
import {ANY, assertMembers, NUMBER, TEXT} from '../protocol/options.ts'
import type {Frontier} from './frontier.ts'
import type {Listing, ListingQuery} from './query.ts'

/** The rest of a listing: plain JSON without results. Its size grows with the collections that are known and not yet listed. */
export interface Checkpoint {
  /** The version of the format. */
  readonly version: 1
  /** The URL of the listed resource. */
  readonly url: string
  /** The URL to which `relation` refers. After a redirect it is not `url`. */
  readonly root: string
  /** The depth of the listing. */
  readonly depth: Depth | Walk
  /** The remaining listings, with the Depth of each request; empty at the end. */
  readonly left: readonly CheckpointListing[]
  /** The known gaps. */
  readonly incomplete: readonly Incomplete[]
  /** In the checkpoint of a sync, the token of the last page that you took. Give it to `sync`, which continues there. */
  readonly token?: string
}

/** A collection, or another resource, that is still to be listed. */
export interface CheckpointListing {
  /** The absolute URL. */
  readonly url: string
  /** The Depth of its request. */
  readonly depth: Depth
}

const LIST: Rule = {words: 'an array', accepts: (value) => Array.isArray(value)}
const CHECKPOINT: Rules<Checkpoint> = {
  version: {words: '1', accepts: (value) => value === 1},
  url: TEXT,
  root: TEXT,
  depth: ANY,
  left: LIST,
  incomplete: LIST,
  token: {words: 'for sync, which takes it as its token', accepts: () => false},
}
const CHECKPOINT_LISTING: Rules<CheckpointListing> = {url: TEXT, depth: ANY}
const INCOMPLETE: Rules<Incomplete> = {href: TEXT, reason: TEXT, status: NUMBER}

/** Makes the checkpoint of a listing from its frontier. */
export function makeCheckpoint(
  {url, root, depth}: ListingQuery,
  frontier: Frontier,
  incomplete: readonly Incomplete[],
): Checkpoint {
  const left = frontier.left.map((listing) => ({url: listing.url, depth: listing.depth}))
  return {version: 1, url, root, depth, left, incomplete: [...incomplete]}
}

/**
 * Reads the depth of a continued listing.
 *
 * @param depth - The depth in the options of the call, if any.
 * @throws TypeError for a value that is no checkpoint, and for a depth that differs from the checkpoint.
 */
export function resumeDepth(checkpoint: Checkpoint, depth: unknown): Depth | Walk {
  assertMembers('resume', checkpoint, CHECKPOINT, 'token')
  for (const one of checkpoint.left) assertMembers('resume.left', one, CHECKPOINT_LISTING)
  for (const one of checkpoint.incomplete)
    assertMembers('resume.incomplete', one, INCOMPLETE, 'status')
  assertDepthOrWalk(checkpoint.depth)
  if (depth !== undefined && !isSameDepth(depth, checkpoint.depth))
    throw new TypeError('The checkpoint has another depth')
  return checkpoint.depth
}

/**
 * Makes the remaining listings of a checkpoint. None may leave the listed collection, wherever the checkpoint comes from.
 *
 * @throws TypeError for a checkpoint of another listing.
 */
export function resumeListings(
  {url, root, left}: Checkpoint,
  query: ListingQuery,
  base: URL,
): Listing[] {
  const asked = resolveTarget({url}, base)
  if (!isSame(asked, new URL(query.url)))
    throw new TypeError(`The checkpoint is of ${asked.href}, not of ${query.url}`)
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

function isSame(one: URL, other: URL): boolean {
  return isWithin(one.pathname, other.pathname) && isWithin(other.pathname, one.pathname)
}
