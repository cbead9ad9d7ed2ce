// A server that misbehaves while it deletes: resets, stalls, throttles, answers with wrong 207s. What it does is drawn from
// its seed, and it keeps the truth: what is gone, and what was asked of it after it had said its last word.
// Whether the verdicts of a client are true is then a matter of comparing. RFC 4918, section 9.6; RFC 6585, section 4.

import {type Answer, NEVER, RESET, startFaultServer} from './fault-server.ts'
import {ALL_OR_NOTHING, type Deed, FAULT_ANSWERS, PART, refusal, WHOLE} from './unruly-answers.ts'
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

export interface UnrulyServer {
  /** The collection that all targets are in. */
  readonly url: string
  readonly tree: Tree
  /** How often it did what, by name. */
  readonly met: ReadonlyMap<string, number>
  /** Resources that were asked for after the client knew that they are gone, or are refused for good. */
  readonly needless: readonly Resource[]
  /** Resources that were asked for after the client knew that a collection that they were in is gone, the outermost. */
  readonly covered: readonly {readonly resource: Resource; readonly by: Resource}[]
  /** Requests for what no target is or holds. */
  readonly strange: readonly string[]
  /** No more faults from now on, and no more locks; what is forbidden stays so. */
  behave(): void
  close(): Promise<void>
}

/** All that such a server does sooner or later; each target that is a collection gets on with the list. */
export const MISDEEDS: readonly string[] = [
  ...FAULTS,
  ...Object.keys(WHOLE).map((name) => `whole: ${name}`),
  ...Object.keys(PART).map((name) => `part: ${name}`),
  'wrapped',
  'slash',
  'moved',
]

type Reply = Answer | typeof RESET | typeof NEVER

export interface UnrulyOptions {
  /** How many targets there are. */
  readonly targets: number
  /** How often a client may send each: by then the server has said what is so. */
  readonly attempts: number
  /** How many of them get no answer the first time, 10 where nothing is said. Each takes a client's timeout. */
  readonly stalls?: number
}

/** Starts a server. The same seed misbehaves in the same way. */
export async function startUnrulyServer(
  seed: number,
  options: UnrulyOptions,
): Promise<UnrulyServer> {
  const server = await startFaultServer()
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

  server.script(({method, url}) => {
    const resource = tree.find(decodeURIComponent(url))
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
    if (resource.told !== undefined) needless.push(resource)
    const by = ancestorsOf(resource).findLast(({told}) => told === 'gone')
    if (by !== undefined) covered.push({resource, by})
    const fault = isBehaving ? undefined : faults.of(resource)
    return (fault && replyTo(fault, resource)) ?? answerTo(resource)
  })

  /** What a fault comes to; nothing where it is one that the resource does not allow. */
  const replyTo = (fault: FaultName, resource: Resource): Reply | undefined => {
    const answer = FAULT_ANSWERS[fault]
    if (fault.endsWith(', done')) {
      // What was accepted is done, and a gateway is late for what is done: neither is so where something refuses to go.
      const isNotDone = resource.goneAt !== undefined || remove(resource, clock).length > 0
      if (answer !== undefined && isNotDone) return undefined
      if (answer?.status === 202) resource.told = 'gone'
    }
    meet(fault)
    return answer ?? (fault.startsWith('stall') ? NEVER : RESET)
  }

  const answerTo = (resource: Resource): Answer => {
    const dice = draw(seed, `answer ${resource.path}`, resource.deletes)
    if (resource.goneAt !== undefined) {
      // The first such answer is a refusal; a repeated one says that the resource is gone.
      resource.told = resource.deletes > 1 ? 'gone' : 'refused'
      return {status: dice.pick([404, 410])}
    }
    if (resource.fate === 'moved') {
      meet('moved')
      resource.told = 'refused'
      return {status: 301, headers: {location: '/login'}}
    }
    const isPlain = isBehaving || !resource.isCollection
    const order = isPlain ? 0 : (turns.get(resource) ?? 0) + resource.deletes
    const [partName, sayPart] = pickFrom(PART, order)
    const deed = act(resource, partName === ALL_OR_NOTHING)
    const [first] = deed.refused
    if (first?.resource === resource) {
      const isWrapped = !isBehaving && dice.oneIn(4)
      if (isWrapped) meet('wrapped')
      if (first.status === 403) resource.told = 'refused'
      return refusal(first, isWrapped)
    }
    const [wholeName, sayWhole] = pickFrom(WHOLE, order)
    if (!isPlain) meet(first === undefined ? `whole: ${wholeName}` : `part: ${partName}`)
    const {answer, gone} = first === undefined ? sayWhole(deed) : sayPart(deed)
    for (const one of gone) one.told = 'gone'
    return answer
  }

  const act = (target: Resource, isAllOrNothing: boolean): Deed => {
    const blocking = isAllOrNothing ? refuseWhole(target) : []
    const refused = blocking.length > 0 ? blocking : remove(target, clock)
    const removed = [...below(target)].filter(({goneAt}) => goneAt === clock)
    const other = tree.targets[((target.number ?? 0) + 41) % tree.targets.length]
    return {target, refused, removed, elsewhere: other?.href ?? '/'}
  }

  return {
    url: new URL(tree.root, server.url).href,
    tree,
    met,
    needless,
    covered,
    strange,
    behave() {
      isBehaving = true
      release(tree)
    },
    close: () => server.close(),
  }
}

/** Gives each collection its turn, those that are held up and the others by themselves, so that each way to answer is met. */
function turnsOf({targets}: Tree): ReadonlyMap<Resource, number> {
  const turns = new Map<Resource, number>()
  let [free, heldUp] = [0, 0]
  for (const target of targets) {
    const isHeldUp = [...below(target)].some(({refusals}) => refusals > 0)
    // One that is locked itself, or never was there, has nothing to tell of members.
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

/** The redirect to the path with the slash: to the path alone, or with the host that the server takes for its own. */
function slashed({href, path}: Resource): string {
  return path.length % 2 === 0 ? href : `http://inner.example:8080${href}`
}

function pickFrom<T>(ways: Readonly<Record<string, T>>, order: number): readonly [string, T] {
  const all = Object.entries(ways)
  const way = all[order % all.length]
  if (way === undefined) throw new RangeError('no way to answer')
  return way
}
