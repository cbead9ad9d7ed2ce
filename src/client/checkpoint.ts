/** A listing of everything below, written down, so that another process can go on with it. */

import type {Incomplete} from '../multistatus/summary.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepth} from '../protocol/depth.ts'
import {isWithin} from '../protocol/href.ts'
import type {Frontier, Listing} from './frontier.ts'
import type {Order} from './order.ts'
import {resolveTarget} from './target.ts'

/** What is left of a listing: plain JSON, without results. It is as long as the collections that are known and not yet listed. */
export interface Checkpoint {
  /** The version of this form. */
  readonly version: 1
  /** The resource that is listed: the URL to which `relation` of the results is meant. */
  readonly url: string
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

/** Writes down what is left. */
export function makeCheckpoint(
  {root, depth}: Order,
  frontier: Frontier,
  incomplete: readonly Incomplete[],
): Checkpoint {
  const left = frontier.left.map((listing) => ({url: listing.url, depth: listing.depth}))
  return {version: 1, url: root, depth, left, incomplete: [...incomplete]}
}

/**
 * The listings that are left, held against the same rules as what a caller asks for: a checkpoint may come from anywhere.
 *
 * @throws TypeError where it is none, or one of another listing.
 */
export function resumeListings(checkpoint: Checkpoint, order: Order, base: URL): Listing[] {
  const {version, url, left, incomplete} = checkpoint
  const isCheckpoint = version === 1 && Array.isArray(left) && Array.isArray(incomplete)
  if (!isCheckpoint || typeof url !== 'string')
    throw new TypeError('resume is what checkpoint() of a listing gave')
  const root = resolveTarget({url}, base)
  if (!isSame(root, new URL(order.url)))
    throw new TypeError(`The checkpoint is one of ${root.href}, not of ${order.url}`)
  order.root = root.href
  return left.map((listing) => {
    assertDepth(listing.depth)
    const at = resolveTarget({url: listing.url}, base)
    if (!isWithin(at.pathname, root.pathname))
      throw new TypeError(`The checkpoint names ${at.href}, which is not in ${root.href}`)
    return {order, url: at.href, depth: listing.depth, isFirst: isSame(at, root)}
  })
}

function isSame(one: URL, other: URL): boolean {
  return isWithin(one.pathname, other.pathname) && isWithin(other.pathname, one.pathname)
}
