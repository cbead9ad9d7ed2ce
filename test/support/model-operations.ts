// Operations on a lane of a model server, drawn from a seed and the lane's tree: the verb, its targets and its options, and
// the requests that they allow. Sends nothing. RFC 4918, section 9.

import type {Random} from '../fuzz/random.ts'
import {type Asked, isAtOrBelow, isDraft, type Lane, type Permission} from './model-server.ts'
import {below, find, type Path} from './model-tree.ts'
import {draw} from './unruly-faults.ts'

/** A target with everything that belongs to it alone. */
export interface ModelTarget {
  readonly path: Path
  /** The destination of a COPY or MOVE. */
  readonly to?: Path
  /** The content of a PUT. */
  readonly bytes?: Buffer<ArrayBuffer>
  readonly ifMatch?: string
  readonly create?: boolean
}

export type VerbName =
  | 'get'
  | 'put'
  | 'mkcol'
  | 'copy'
  | 'move'
  | 'proppatch'
  | 'delete'
  | 'options'

/** An operation of one verb on one target or, with `isMany`, on several. */
export interface Operation extends Permission {
  readonly verb: VerbName
  readonly isMany: boolean
  readonly targets: readonly ModelTarget[]
  /** Number of attempts that the retry policy allows; `undefined` without a policy. */
  readonly attempts?: number
  readonly overwrite: boolean
  readonly parents: boolean
  readonly verify: boolean
  readonly safely: boolean
  readonly requireConditions: boolean
  readonly resume: boolean
  readonly depth: 0 | 'infinity'
  readonly range?: {readonly start: number; readonly end?: number}
  readonly ifNoneMatch?: string
  /** Texts to set by name, in the caller's order. */
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
  /** True for a target that the client must refuse. */
  readonly isNonsense: boolean
  /** True for the retry of failures, some of which an earlier call has done in part. */
  readonly isRetry: boolean
  /** Chooses the forms of targets and bodies. */
  readonly form: number
}

const NAMES = [
  'a',
  'b c',
  'd.txt',
  'é',
  '日本',
  '100%',
  '#1',
  '?x=1',
  'a&b<c',
  '%41',
  "o'",
  '+=',
] as const
const MAX_DEPTH = 4
const PROPERTIES = ['{urn:m}a', '{urn:m}b', '{http://example.com/ns/}long-name', '{}none'] as const
const TEXTS = ['', 'plain', ' blanks \n kept\t', '<&>"\'', '𝄞 😀', ']]>', 'e\u0301 é'] as const
// Names with their weights: reads, writes and structure in about equal parts.
const VERBS: readonly (readonly [VerbName, isMany: boolean, weight: number])[] = [
  ['get', false, 22],
  ['put', false, 16],
  ['put', true, 8],
  ['mkcol', false, 10],
  ['copy', false, 8],
  ['copy', true, 4],
  ['move', false, 10],
  ['move', true, 4],
  ['proppatch', false, 9],
  ['delete', false, 4],
  ['delete', true, 3],
  ['options', false, 2],
]
/** Resources of a lane above which deletions are preferred. */
const FULL = 40

/** Draws the operation with a number. */
export function drawOperation(seed: number, lane: Lane, number: number): Operation {
  const dice = draw(seed, `operation ${lane.number}`, number)
  const [verb, isMany] = drawVerb(dice, below(lane.tree).length)
  const isNonsense = (verb === 'copy' || verb === 'move' || verb === 'delete') && dice.oneIn(12)
  const options = {
    number,
    verb,
    isMany: isMany && !isNonsense,
    isNonsense,
    isRetry: false,
    overwrite: dice.oneIn(2),
    parents: dice.oneIn(3),
    verify: dice.oneIn(2),
    safely: verb === 'put' && !isMany && dice.oneIn(4),
    resume: dice.oneIn(2),
    depth: dice.oneIn(4) ? (0 as const) : ('infinity' as const),
    ...(dice.oneIn(2) && {attempts: 2 + dice.below(3)}),
    ...drawProperties(dice),
    form: dice.below(1000),
  }
  const count = options.isMany ? 2 + dice.below(5) : 1
  const targets: ModelTarget[] = []
  for (let tries = 0; tries < count * 3 && targets.length < count; tries++) {
    const target = isNonsense
      ? drawNonsense(verb, lane, dice)
      : drawTarget(verb, lane, dice, options.parents)
    if (!targets.some((other) => isRelated(target, other))) targets.push(target)
  }
  const [first] = targets
  const isConditional = first?.create === true || first?.ifMatch !== undefined
  const requireConditions = verb === 'put' && isConditional && !options.isMany && dice.oneIn(2)
  const more = verb === 'get' && first !== undefined ? drawReading(first, lane, dice) : {}
  return {
    ...options,
    ...more,
    targets,
    requireConditions,
    permits: (asked) =>
      !isNonsense &&
      targets.some((target) => isPermitted(asked, target, {...options, requireConditions})),
  }
}

/** Makes the operation that retries these targets or members of another one. */
export function retryOf(
  operation: Operation,
  requests: readonly Pick<ModelTarget, 'path' | 'to'>[],
): Operation {
  const {number, targets} = operation
  const again = requests.map((request): ModelTarget => ({
    ...targets.find(({path}) => isEqual(path, request.path)),
    ...request,
  }))
  return {
    ...operation,
    // Faults are drawn anew.
    number: -number,
    isMany: true,
    isRetry: true,
    targets: again,
    permits: (asked) => again.some((target) => isPermitted(asked, target, operation)),
  }
}

function drawVerb(dice: Random, size: number): readonly [VerbName, boolean] {
  if (size > FULL && dice.oneIn(4)) return ['delete', dice.oneIn(2)]
  let left = dice.below(100)
  for (const [verb, isMany, weight] of VERBS) {
    left -= weight
    if (left < 0) return [verb, isMany]
  }
  return ['get', false]
}

function drawTarget(verb: VerbName, lane: Lane, dice: Random, parents: boolean): ModelTarget {
  switch (verb) {
    case 'mkcol':
      return {path: dice.oneIn(6) ? drawSome(lane, dice) : drawNew(lane, dice, parents)}
    case 'put': {
      const path = dice.oneIn(2) ? drawNew(lane, dice, parents) : drawSome(lane, dice)
      const length = dice.oneIn(40) ? 100_000 + dice.below(100_000) : dice.below(400)
      const bytes = contentOf(dice.below(2 ** 30), length)
      const create = dice.oneIn(5)
      return {path, bytes, ...(create ? {create} : pickIfMatch(path, lane, dice))}
    }
    case 'copy':
    case 'move': {
      const path = drawSome(lane, dice)
      let to = dice.oneIn(4) ? drawSome(lane, dice) : drawNew(lane, dice, parents)
      while (isAtOrBelow(to, path) || isAtOrBelow(path, to)) to = [`x${dice.below(1000)}`]
      return {path, to, ...pickIfMatch(path, lane, dice)}
    }
    case 'delete': {
      const path = drawSome(lane, dice)
      return {path, ...pickIfMatch(path, lane, dice)}
    }
    default:
      return {path: drawSome(lane, dice)}
  }
}

/** Draws a path that exists, or seldom one that does not. */
function drawSome(lane: Lane, dice: Random): Path {
  const existing = below(lane.tree)
  return existing.length === 0 || dice.oneIn(15)
    ? drawNew(lane, dice, false)
    : split(dice.pick(existing))
}

/** Draws a path in a collection that exists or, with `parents`, below missing ones. */
function drawNew(lane: Lane, dice: Random, parents: boolean): Path {
  const collections = below(lane.tree)
    .map(split)
    .filter((path) => path.length < MAX_DEPTH && find(lane.tree, path)?.isCollection === true)
  const parent = dice.pick([[], ...collections])
  const missing = parents ? Array.from({length: dice.below(3)}, () => `n${dice.below(9)}`) : []
  // One name in a few is taken already, and one parent is missing.
  const gap = dice.oneIn(15) ? ['missing'] : []
  return [...parent, ...gap, ...missing, dice.pick(NAMES) + (dice.oneIn(2) ? dice.below(9) : '')]
}

/** Draws the right ETag of a file, seldom a stale one, mostly none. */
function pickIfMatch(path: Path, lane: Lane, dice: Random): {ifMatch?: string} {
  const node = find(lane.tree, path)
  if (!dice.oneIn(5) || node?.isCollection !== false || !node.etag.startsWith('"')) return {}
  return {ifMatch: dice.oneIn(2) ? node.etag : '"stale"'}
}

/** Draws a target that would lose something: itself, inside of itself, its parent, or outside of the base. */
function drawNonsense(verb: VerbName, lane: Lane, dice: Random): ModelTarget {
  const path = drawSome(lane, dice)
  const outside = ['..', `lane${lane.number + 1}`, 'a']
  if (verb === 'delete') return {path: dice.pick([[], ['..'], outside])}
  return {path, to: dice.pick([path, [...path, 'in'], path.slice(0, -1), outside, []])}
}

function drawReading({path}: ModelTarget, lane: Lane, dice: Random): Partial<Operation> {
  const node = find(lane.tree, path)
  if (node?.isCollection !== false) return {}
  const {bytes, etag} = node
  if (dice.oneIn(6) && etag !== '') return {ifNoneMatch: dice.oneIn(3) ? '"stale"' : etag}
  if (!dice.oneIn(3)) return {}
  const start = dice.below(bytes.byteLength + 2)
  return {range: {start, ...(dice.oneIn(2) && {end: start + dice.below(bytes.byteLength + 1)})}}
}

function drawProperties(dice: Random): Pick<Operation, 'set' | 'remove'> {
  const set: Record<string, string> = {}
  const remove: string[] = []
  for (const name of PROPERTIES) {
    if (dice.oneIn(2)) set[name] = dice.pick(TEXTS)
    else if (dice.oneIn(3)) remove.push(name)
  }
  if (Object.keys(set).length + remove.length === 0) set[PROPERTIES[0]] = dice.pick(TEXTS)
  return {set, remove}
}

/** Makes bytes that differ at each place, so that a shift or a mixture shows. */
export function contentOf(seed: number, length: number): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Splits a joined path. */
export function split(path: string): Path {
  return path.split('/')
}

function isRelated(one: ModelTarget, other: ModelTarget): boolean {
  return endsOf(one).some((path) =>
    endsOf(other).some((end) => isAtOrBelow(path, end) || isAtOrBelow(end, path)),
  )
}

function endsOf({path, to}: ModelTarget): readonly Path[] {
  return to === undefined ? [path] : [path, to]
}

type Rights = Pick<Operation, 'verb' | 'parents' | 'overwrite' | 'safely' | 'requireConditions'>

/** True for a request that an operation on a target may send. */
function isPermitted(
  {method, path, to, overwrites}: Asked,
  target: ModelTarget,
  {verb, parents, overwrite, safely, requireConditions}: Rights,
): boolean {
  const end = target.to ?? target.path
  if (method === 'MKCOL') {
    if (verb === 'mkcol' && isEqual(path, target.path)) return true
    const isParent = path.length < end.length && isAtOrBelow(end, path)
    return parents && (verb === 'delete' || verb === 'proppatch' ? false : isParent)
  }
  switch (verb) {
    case 'put': {
      if (method === 'PUT' && isEqual(path, target.path)) return true
      const isBeside =
        isEqual(path.slice(0, -1), target.path.slice(0, -1)) && isDraft(path.at(-1) ?? '')
      if (!isBeside || !(safely || requireConditions)) return false
      return method === 'MOVE'
        ? safely && isEqual(to, target.path)
        : method === 'PUT' || method === 'DELETE'
    }
    case 'proppatch':
    case 'delete': {
      const isOwn = method === verb.toUpperCase()
      return isOwn && (verb === 'delete' ? isAtOrBelow : isEqual)(path, target.path)
    }
    case 'copy':
    case 'move': {
      if (method !== verb.toUpperCase() || !isAtOrBelow(path, target.path)) return false
      const suffix = path.slice(target.path.length)
      return isEqual(to, [...(target.to ?? []), ...suffix]) && (overwrite || !overwrites)
    }
    default:
      return false
  }
}

function isEqual(one: Path | undefined, other: Path): boolean {
  return one?.length === other.length && isAtOrBelow(one, other)
}
