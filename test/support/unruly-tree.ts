// The tree behind the unruly server, grown from a seed: files and collections. Some are locked or forbidden, some are
// deleted only after several tries, and some never existed. It records each real deletion with its DELETE. Knows no
// HTTP. RFC 4918, section 9.6.

import {Random} from '../fuzz/random.ts'

/** Effect of a DELETE. `slow` succeeds after some tries, `locked` after the release of the locks. */
export type Fate = 'plain' | 'slow' | 'locked' | 'forbidden' | 'moved' | 'missing'

export interface Resource {
  /** Index among the targets; `undefined` for a member of one. */
  readonly number: number | undefined
  /** Decoded path, without a slash at the end. */
  readonly path: string
  /** Escaped path; that of a collection ends with a slash. */
  readonly href: string
  readonly isCollection: boolean
  readonly parent: Resource | undefined
  readonly members: Resource[]
  readonly fate: Fate
  /** Status of a refusal. */
  readonly status: number
  /** Number of further tries that are refused. */
  refusals: number
  /** Number of the server's DELETE that removed it; 0 for a resource that never existed. */
  goneAt: number | undefined
  /** Number of DELETEs for the resource itself, without redirected ones. */
  deletes: number
  /** The final state that its client was told: gone, or refused for good. */
  known: 'gone' | 'refused' | undefined
}

export interface Tree {
  /** Path of the collection with all resources, with the slash. */
  readonly root: string
  readonly targets: readonly Resource[]
  /** Finds the resource with this decoded path, with or without a slash at its end. */
  find(path: string): Resource | undefined
  /** All resources, members too. */
  all(): Iterable<Resource>
}

/** A resource that refused its deletion. */
export interface Refused {
  readonly resource: Resource
  readonly status: number
}

/** One target in this many is a collection. */
const COLLECTION_EVERY = 30

const ROOT = '/job/'
const ODD_ENDS = [
  '',
  '',
  '',
  ' a b',
  ' 100%',
  ' #1',
  '?x=1',
  '&amp;',
  ' é',
  ' 日本',
  "'",
  '+;=',
  '%41',
]
const PASSING = [423, 424, 425, 429, 500, 502, 503, 504, 507] as const

/** Grows a tree with this many targets. The same seed grows the same tree. */
export function growTree(seed: number, count: number): Tree {
  const random = new Random(seed)
  const byPath = new Map<string, Resource>()
  const add = (place: Place, fate: Fate): Resource => {
    const resource = sprout(place, fate, random)
    place.parent?.members.push(resource)
    byPath.set(resource.path, resource)
    return resource
  }
  const targets = Array.from({length: count}, (_, number) => {
    const end = random.pick(ODD_ENDS)
    if (number % COLLECTION_EVERY !== seed % COLLECTION_EVERY) {
      const path = `${ROOT}d${number % 50}/f${number}${end}`
      return add({number, path, isCollection: false}, fateOfFile(random))
    }
    const own: Fate = random.oneIn(20) ? 'locked' : random.oneIn(30) ? 'missing' : 'plain'
    const collection = add({number, path: `${ROOT}c${number}${end}`, isCollection: true}, own)
    if (own !== 'missing') fill(collection, random, add)
    return collection
  })
  return {
    root: ROOT,
    targets,
    find: (path) => byPath.get(path.replace(/\/+$/, '')),
    all: () => byPath.values(),
  }
}

interface Place {
  readonly number?: number
  readonly path: string
  readonly isCollection: boolean
  readonly parent?: Resource
}

function sprout({number, path, isCollection, parent}: Place, fate: Fate, random: Random): Resource {
  const href = path.split('/').map(encodeURIComponent).join('/')
  const refusals = {plain: 0, slow: 1 + random.below(6), moved: 0, missing: 0}
  return {
    number,
    path,
    href: isCollection ? `${href}/` : href,
    isCollection,
    parent,
    members: [],
    fate,
    status: fate === 'forbidden' ? 403 : fate === 'slow' ? random.pick(PASSING) : 423,
    refusals: fate === 'locked' || fate === 'forbidden' ? Number.POSITIVE_INFINITY : refusals[fate],
    goneAt: fate === 'missing' ? 0 : undefined,
    deletes: 0,
    known: undefined,
  }
}

/** Adds members to a collection: files, and in half of the cases a collection with files. */
function fill(
  collection: Resource,
  random: Random,
  add: (place: Place, fate: Fate) => Resource,
): void {
  const fateOfMember = (): Fate =>
    random.oneIn(16)
      ? 'slow'
      : random.oneIn(40)
        ? 'locked'
        : random.oneIn(50)
          ? 'forbidden'
          : 'plain'
  const addFiles = (parent: Resource, most: number): void => {
    for (let left = 1 + random.below(most); left > 0; left--) {
      const path = `${parent.path}/m${left}${random.pick(ODD_ENDS)}`
      add({path, isCollection: false, parent}, fateOfMember())
    }
  }
  addFiles(collection, 6)
  if (!random.oneIn(2)) return
  const inner = {path: `${collection.path}/in é`, isCollection: true, parent: collection}
  addFiles(add(inner, 'plain'), 3)
}

function fateOfFile(random: Random): Fate {
  const dice = random.below(1000)
  if (dice < 30) return 'slow'
  if (dice < 40) return 'locked'
  if (dice < 45) return 'forbidden'
  if (dice < 50) return 'missing'
  return dice < 53 ? 'moved' : 'plain'
}

/** Deletes a resource as far as possible. Returns the resources that refused. */
export function remove(resource: Resource, at: number): Refused[] {
  if (resource.goneAt !== undefined) return []
  const own = refuse(resource)
  if (own !== undefined) return [own]
  const refused = resource.members.flatMap((member) => remove(member, at))
  if (refused.length > 0) return refused
  resource.goneAt = at
  return []
}

/** Finds the resources that refuse the DELETE of a server that removes all or nothing. */
export function refuseWhole(resource: Resource): Refused[] {
  if (resource.goneAt !== undefined) return []
  const own = refuse(resource)
  return own === undefined ? resource.members.flatMap(refuseWhole) : [own]
}

function refuse(resource: Resource): Refused | undefined {
  if (resource.refusals === 0) return undefined
  resource.refusals--
  return {resource, status: resource.status}
}

/** Ends all locks and all delays. */
export function release(tree: Tree): void {
  for (const resource of tree.all()) if (resource.fate !== 'forbidden') resource.refusals = 0
}

/** True for a forbidden or redirected resource, and for a collection with such a member. */
export function isUndeletable({fate, members}: Resource): boolean {
  return fate === 'forbidden' || fate === 'moved' || members.some(isUndeletable)
}

/** Lists the collections above a resource, the innermost first. */
export function ancestorsOf({parent}: Resource): Resource[] {
  return parent === undefined ? [] : [parent, ...ancestorsOf(parent)]
}
