// Programs that share a model server: they lock and change its resources, lose answers, and go on after restarts. After each call
// their verdicts, locks and requests are compared with the server. RFC 4918, sections 6, 7, 9.10, 9.11 and 10.4.

import {vi} from 'vitest'

import {isAtOrBelow} from './lock-rules.ts'
import {type LockedCall, LockingProgram} from './locking-program.ts'
import {LockingServer} from './locking-server.ts'
import {
  isTooMany,
  isUnclear,
  problemsOfLocks,
  problemsOfRequest,
  problemsOfTree,
} from './locking-verdicts.ts'
import {draw} from './unruly-faults.ts'

const PROGRAMS = 3

/** The outcome of a seed. */
export interface LockCampaign {
  readonly problems: readonly string[]
  /** Faults by method and name, verdicts by verb and kind, and events. */
  readonly met: ReadonlySet<string>
}

/** Runs this many operations of a seed. The clock of the process is the model's while they run. */
export async function runLockCampaign(seed: number, operations: number): Promise<LockCampaign> {
  vi.useFakeTimers({toFake: ['Date'], now: Date.UTC(2026, 0, 1)})
  try {
    const campaign = new Campaign(seed)
    for (let number = 1; number <= operations; number++) await campaign.run(number)
    await campaign.end()
    return campaign
  } finally {
    vi.useRealTimers()
  }
}

class Campaign implements LockCampaign {
  readonly problems: string[] = []
  readonly met: Set<string> = new Set()
  readonly #seed: number
  readonly #server: LockingServer
  readonly #programs: readonly LockingProgram[]
  /** Locks that no client can remove: the answer that named them was lost, or the UNLOCK of a deleted resource. */
  readonly #orphans = new Set<string>()

  constructor(seed: number) {
    this.#seed = seed
    const server = new LockingServer(seed)
    const programs = Array.from(
      {length: PROGRAMS},
      (_, number) => new LockingProgram(number, server),
    )
    server.onRequest = (request) => {
      const program = programs[request.client]
      if (program !== undefined) this.#report(problemsOfRequest(request, program, server))
    }
    this.#server = server
    this.#programs = programs
  }

  /** Runs the operation with a number. */
  async run(number: number): Promise<void> {
    const dice = draw(this.#seed, 'operation', number)
    const server = this.#server
    if (dice.oneIn(8)) vi.setSystemTime(Date.now() + 1000 * dice.below(400))
    const broken = server.locks.find(() => dice.oneIn(150))
    if (broken !== undefined) server.breakLock(broken)
    const program = dice.pick(this.#programs)
    server.begin(String(number))
    if (dice.oneIn(12)) program.restart()
    const {locks: held} = program.dav
    if (isTooMany(held)) this.met.add('more locks than an If header has room for')
    const live = new Set(server.locks.map(({token}) => token))
    const tree = new Map(server.resources)
    const call = await program.act(dice)
    const words = this.#wordsOf(program, call)
    this.#report(
      [
        ...problemsOfTree(call, tree, server.resources),
        ...problemsOfLocks(program, call, {tree, held, live}, server),
        ...this.#problemsOfOrphans(program, call),
      ],
      words,
    )
    this.#note(call)
  }

  /** Ends: all programs unlock everything that they hold, and the server answers well. */
  async end(): Promise<void> {
    const server = this.#server
    server.isUnruly = false
    server.begin('end')
    for (const {dav} of this.#programs) {
      for (const lock of dav.locks) {
        const isLive = server.locks.some(({token}) => token === lock.token)
        const result = await lock.unlock()
        if (isLive && !result.ok) this.#report([`${lock.token} is not unlocked: ${result.status}`])
      }
      await dav.close()
    }
    const left = server.locks.filter(({token, holder}) => holder >= 0 && !this.#orphans.has(token))
    this.#report(left.map(({token, root}) => `${token} of ${root} is left`))
    for (const name of server.met) this.met.add(name)
  }

  /** Finds locks that a program took and does not hold, although no verdict says that an answer was lost. */
  #problemsOfOrphans(
    {number, dav}: LockingProgram,
    {verb, results, error}: LockedCall,
  ): readonly string[] {
    const {log, locks} = this.#server
    const kept = new Set(dav.locks.map(({token}) => token))
    const left = locks.filter(
      ({token, holder}) => holder === number && !kept.has(token) && !this.#orphans.has(token),
    )
    for (const {token} of left) this.#orphans.add(token)
    if (left.length === 0) return []
    const isTold =
      error !== undefined ||
      results.some((result) => isUnclear(result) || (!result.ok && result.reason === 'malformed'))
    if (verb.startsWith('lock') && isTold) return []
    return left
      .filter(({root}) => {
        const unlocks = log.filter((one) => one.method === 'UNLOCK' && isAtOrBelow(root, one.path))
        return !unlocks.some(({faults, status}) => faults.length > 0 || status >= 400)
      })
      .map(({token, root}) => `${token} of ${root} is left behind`)
  }

  /** Notes the verdicts of a call, with and without faults, so that a test can ask for each kind. */
  #note({verb, results, error}: LockedCall): void {
    const hasFaults = this.#server.log.some(({faults}) => faults.length > 0)
    const when = hasFaults ? ' after a fault' : ''
    for (const result of results) {
      this.met.add(`${verb}: ${result.ok ? 'success' : result.reason}${when}`)
      const {description = ''} = result
      if (!result.ok && result.lostLocks !== undefined) this.met.add('a lock is lost')
      if (description.includes('given up')) this.met.add('a lock was given up')
      if (description.includes('found by its owner')) this.met.add('a lock was found')
      if (description.includes('no room')) this.met.add('a refusal for want of room')
    }
    if (error !== undefined) this.met.add(`${verb}: error`)
  }

  #report(problems: readonly string[], words = `operation ${this.#server.operation}`): void {
    this.problems.push(...problems.map((problem) => `seed ${this.#seed}, ${words}: ${problem}`))
  }

  #wordsOf({number}: LockingProgram, {verb, targets, results, error}: LockedCall): string {
    const {log, operation, dialect} = this.#server
    const faults = log.flatMap(({method, faults: names}) =>
      names.map((name) => `${method}: ${name}`),
    )
    const named = targets.map(({path, to}) => (to === undefined ? path : `${path} to ${to}`))
    const given = results.map(
      (result) => `${result.status} ${result.ok ? '' : result.reason} ${result.description ?? ''}`,
    )
    const thrown = error instanceof Error ? error.message : ''
    return `operation ${operation} of program ${number}, ${JSON.stringify(dialect)}: ${verb} ${named.join(', ')} [${faults.join(', ')}] ${given.join('; ')}${thrown}`
  }
}
