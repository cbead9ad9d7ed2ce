// A server that misbehaves while it deletes: resets, stalls, throttles, and wrong 207s, all drawn from its seed. It
// records the truth: deleted resources, and requests after its final answer. A test compares the verdicts of a client
// with it. RFC 4918, section 9.6; RFC 6585, section 4.

import {type Answer, answer207, listing, NEVER, RESET} from './fault-server.ts'
import {type ModelRequest, openModel, type OpenModel, type Reply} from './model-transport.ts'
import {
  ALL_OR_NOTHING,
  type Deletion,
  FAULT_ANSWERS,
  PART,
  refusal,
  WHOLE,
} from './unruly-answers.ts'
import {draw, type FaultName, FAULTS, Faults} from './unruly-faults.ts'
import {
  ancestorsOf,
  growTree,
  refuseWhole,
  release,
  remove,
  type Resource,
  type Tree,
} from './unruly-tree.ts'

export interface UnrulyServer extends Omit<OpenModel, 'url'> {
  /** URL of the collection with all targets. */
  readonly url: string
  readonly tree: Tree
  /** Number of times for each fault and each kind of answer, by name. */
  readonly met: ReadonlyMap<string, number>
  /** Resources requested after the client knew that they are gone, or refused for good. */
  readonly needless: readonly Resource[]
  /**
   * Resources requested after the client knew that a collection above them is gone, with the outermost such collection.
   */
  readonly covered: readonly {readonly resource: Resource; readonly by: Resource}[]
  /** Requests for anything else than targets and their members. */
  readonly strange: readonly string[]
  /** Ends all faults and locks; forbidden resources stay forbidden. */
  behave(): void
}

/** Names of all faults and kinds of answers. Collections take the kinds of answers in turn. */
export const MISDEEDS: readonly string[] = [
  ...FAULTS,
  ...Object.keys(WHOLE).map((name) => `whole: ${name}`),
  ...Object.keys(PART).map((name) => `part: ${name}`),
  'wrapped',
  'slash',
  'moved',
]

export interface UnrulyOptions {
  /** Number of targets. */
  readonly targets: number
  /** Number of times that a client may send each target. By then the server has shown the truth. */
  readonly attempts: number
  /** Number of targets without an answer to the first request. Each takes a client's timeout. Default: 10. */
  readonly stalls?: number
  /** True for a server in this process. Default: on loopback. */
  readonly isLocal?: boolean
}

/** Starts a server. The same seed misbehaves in the same way. */
export async function startUnrulyServer(
  seed: number,
  options: UnrulyOptions,
): Promise<UnrulyServer> {
  const tree = growTree(seed, options.targets)
  const faults = new Faults(seed, options)
  const turns = turnsOf(tree)
  const met = new Map<string, number>()
  const needless: Resource[] = []
  const covered: {resource: Resource; by: Resource}[] = []
  const strange: string[] = []
  let isBehaving = false
  let clock = 0

  const meet = (name: string): void => void met.set(name, (met.get(name) ?? 0) + 1)

  const respond = ({method, url}: ModelRequest): Reply => {
    const resource = tree.find(decodeURIComponent(url))
    // A client looks for a resource after a lost answer.
    if (method === 'PROPFIND' && resource !== undefined)
      return resource.goneAt === undefined ? answer207(listing(resource.href)) : {status: 404}
    if (method !== 'DELETE' || resource === undefined) {
      strange.push(`${method} ${url}`)
      return {status: 404}
    }
    if (resource.isCollection && !url.endsWith('/')) {
      meet('slash')
      return {status: 301, headers: {location: slashed(resource)}}
    }
    clock++
    resource.deletes++
    if (resource.known !== undefined) needless.push(resource)
    const by = ancestorsOf(resource).findLast(({known}) => known === 'gone')
    if (by !== undefined) covered.push({resource, by})
    const fault = isBehaving ? undefined : faults.of(resource)
    return (fault && replyTo(fault, resource)) ?? answerTo(resource)
  }

  /** Answers with a fault; `undefined` for a fault that the resource does not allow. */
  const replyTo = (fault: FaultName, resource: Resource): Reply | undefined => {
    const answer = FAULT_ANSWERS[fault]
    if (fault.endsWith(', done')) {
      // A 202 is a completed job, and a gateway is late after a deletion. A refused resource allows neither.
      const isNotDone = resource.goneAt !== undefined || remove(resource, clock).length > 0
      if (answer !== undefined && isNotDone) return undefined
      if (answer?.status === 202) resource.known = 'gone'
    }
    meet(fault)
    return answer ?? (fault.startsWith('stall') ? NEVER : RESET)
  }

  const answerTo = (resource: Resource): Answer => {
    const dice = draw(seed, `answer ${resource.path}`, resource.deletes)
    if (resource.goneAt !== undefined) {
      // The first such answer is a refusal. A repeated one tells the client that the resource is gone.
      resource.known = resource.deletes > 1 ? 'gone' : 'refused'
      return {status: dice.pick([404, 410])}
    }
    if (resource.fate === 'moved') {
      meet('moved')
      resource.known = 'refused'
      return {status: 301, headers: {location: '/login'}}
    }
    const isPlain = isBehaving || !resource.isCollection
    const order = isPlain ? 0 : (turns.get(resource) ?? 0) + resource.deletes
    const [partName, answerPart] = pickFrom(PART, order)
    const deletion = act(resource, partName === ALL_OR_NOTHING)
    const [first] = deletion.refused
    if (first?.resource === resource) {
      const isWrapped = !isBehaving && dice.oneIn(4)
      if (isWrapped) meet('wrapped')
      if (first.status === 403) resource.known = 'refused'
      return refusal(first, isWrapped)
    }
    const [wholeName, answerWhole] = pickFrom(WHOLE, order)
    if (!isPlain) meet(first === undefined ? `whole: ${wholeName}` : `part: ${partName}`)
    const {answer, gone} = first === undefined ? answerWhole(deletion) : answerPart(deletion)
    for (const one of gone) one.known = 'gone'
    return answer
  }

  const act = (target: Resource, isAllOrNothing: boolean): Deletion => {
    const blocking = isAllOrNothing ? refuseWhole(target) : []
    const refused = blocking.length > 0 ? blocking : remove(target, clock)
    const removed = [...below(target)].filter(({goneAt}) => goneAt === clock)
    const other = tree.targets[((target.number ?? 0) + 41) % tree.targets.length]
    return {target, refused, removed, elsewhere: other?.href ?? '/'}
  }

  const {url: root, transport, close} = await openModel(respond, options.isLocal === true)
  return {
    url: new URL(tree.root, root).href,
    transport,
    tree,
    met,
    needless,
    covered,
    strange,
    behave() {
      isBehaving = true
      release(tree)
    },
    close,
  }
}

/** Numbers the collections, blocked and free ones apart, so that every kind of answer occurs. */
function turnsOf({targets}: Tree): ReadonlyMap<Resource, number> {
  const turns = new Map<Resource, number>()
  let [free, heldUp] = [0, 0]
  for (const target of targets) {
    const isHeldUp = [...below(target)].some(({refusals}) => refusals > 0)
    // A collection that is locked itself, or never existed, has no members to name.
    if (target.isCollection && target.fate === 'plain')
      turns.set(target, isHeldUp ? heldUp++ : free++)
  }
  return turns
}

function* below(resource: Resource): Generator<Resource> {
  for (const member of resource.members) {
    yield member
    yield* below(member)
  }
}

/** Formats the redirect to the path with the slash: a path only, or with the inner host of the server. */
function slashed({href, path}: Resource): string {
  return path.length % 2 === 0 ? href : `http://inner.example:8080${href}`
}

function pickFrom<T>(ways: Readonly<Record<string, T>>, order: number): readonly [string, T] {
  const all = Object.entries(ways)
  const way = all[order % all.length]
  if (way === undefined) throw new RangeError('no way to answer')
  return way
}
