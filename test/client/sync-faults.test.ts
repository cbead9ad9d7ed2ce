// States the truth of a mirror that is kept by syncs. The server changes between and during the pages, loses tokens and breaks
// answers; the program is killed, and its journal cut at any byte. RFC 6578.

import {env} from 'node:process'

import {DavClient, type DavResult, encodePath, keyOf, SyncState} from 'multistatus'
import {describe, expect, it, onTestFinished} from 'vitest'

import {Random} from '../fuzz/random.ts'
import {openModel} from '../support/model-transport.ts'
import {numberFrom} from '../support/unruly-caller.ts'
import {type Dialect, DIALECTS, HIDDEN, SyncServer} from '../support/sync-server.ts'

const ONE = env['SEED']
const SEEDS = Array.from(
  {length: numberFrom(env['SYNC_SEEDS'], 30)},
  (_, index) => index + 1,
).filter((seed) => ONE === undefined || String(seed) === ONE)
const SYNCS = 40

/** One seed in this many is run over sockets. */
const SOCKETS_EVERY = 10

const met = new Set<string>()

const KILLED = new Error('killed')

/** A program that mirrors the files of a collection. */
class Mirror {
  readonly files = new Map<string, string>()
  readonly problems: string[] = []
  #journal = Buffer.alloc(0)
  #state = new SyncState()
  /** Files whose results were taken and not saved before a kill. They come again. */
  #unsaved: readonly string[] = []
  readonly #dav: DavClient
  readonly #model: SyncServer
  readonly #random: Random

  constructor(dav: DavClient, model: SyncServer, random: Random) {
    this.#dav = dav
    this.#model = model
    this.#random = random
  }

  /** Runs a sync. Returns true if it was complete. */
  async sync(): Promise<boolean> {
    const model = this.#model
    const random = this.#random
    const killAt = model.isUnruly && random.oneIn(3) ? random.below(8) : -1
    const isKilledWhileSaving = model.isUnruly && random.oneIn(8)
    let isKilled = false
    let taken = 0
    const save = (lines: string): void => {
      const bytes = Buffer.from(lines)
      isKilled ||= isKilledWhileSaving
      const written = isKilled ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes
      this.#journal = Buffer.concat([this.#journal, written])
      if (isKilled) throw KILLED
    }
    model.watch()
    const level = model.isDeep ? 'infinity' : 1
    const stream = this.#dav.sync('c/', {state: this.#state, level, onPage: save})
    let isComplete = false
    try {
      for await (const result of stream) {
        this.#apply(result)
        if (taken++ !== killAt) continue
        isKilled = true
        break
      }
      isComplete = !isKilled && (await stream.summary).complete
    } catch (error) {
      if (
        error !== KILLED &&
        !(error instanceof Error && error.name.startsWith('Dav')) &&
        !String(error).includes('MultiStatus')
      )
        this.problems.push(String(error))
    }
    if (isKilled) met.add('killed')
    await this.#restart(isKilled)
    return isComplete
  }

  #apply(result: DavResult): void {
    const path = decodeURIComponent(new URL(result.url).pathname).replace(/^\/c\//, '')
    if (result.ok) {
      if (result.properties.resourcetype?.includes('collection') === true) return
      const etag = result.properties.getetag ?? ''
      if (etag !== '' && this.files.get(path) === etag && !this.#unsaved.includes(path))
        this.problems.push(`${path} was reported twice`)
      this.files.set(path, etag)
    } else if (result.status === 404) {
      if (this.#model.steady.has(path)) this.problems.push(`${path} was never gone`)
      this.files.delete(path)
    }
  }

  /** Reads the state from the journal. Without a kill, that is the state in memory. */
  async #restart(isKilled: boolean): Promise<void> {
    const read = await SyncState.read(this.#journal.toString().split('\n'))
    const linesOf = (state: SyncState): readonly string[] => [...state.lines()].toSorted()
    if (isKilled) {
      this.#unsaved = [...this.files].flatMap(([path, etag]) => {
        const url = this.#dav.url + encodePath(`c/${path}`)
        return read.get(keyOf({url})) === etag ? [] : [path]
      })
    } else {
      const [memory, disk] = [linesOf(this.#state), linesOf(read)]
      const isUnwritten = disk.length === 0 && memory.length === 1
      if (!isUnwritten && JSON.stringify(memory) !== JSON.stringify(disk))
        this.problems.push(`The journal is not the state: ${disk.join()} is not ${memory.join()}`)
      if (this.#random.oneIn(3)) {
        this.#journal = Buffer.from([...this.#state.lines()].map((line) => `${line}\n`).join(''))
        met.add('compacted')
      }
      if (this.#random.oneIn(2)) return
    }
    this.#state = read
  }
}

function dialectOf(seed: number): Dialect {
  return DIALECTS[seed % DIALECTS.length] ?? 'plain'
}

function expected({etags}: SyncServer): Map<string, string> {
  return new Map(
    [...etags]
      .filter(([path]) => path !== HIDDEN)
      .map(([path, etag]) => [path, etag === '' ? '' : `"${etag}"`]),
  )
}

const sorted = (files: ReadonlyMap<string, string>): readonly string[] =>
  [...files].map((one) => one.join(' ')).toSorted()

describe('a mirror that is kept by syncs', {timeout: 60_000}, () => {
  it.for(SEEDS)(
    'has what the server has, and lost nothing that was there: seed %i',
    async (seed) => {
      const random = new Random(seed)
      const model = new SyncServer(dialectOf(seed), random)
      const isLocal = seed % SOCKETS_EVERY !== 0
      const {close, ...open} = await openModel((request) => model.answer(request), isLocal)
      onTestFinished(close)
      const dav = new DavClient(open)
      const mirror = new Mirror(dav, model, random)
      for (let count = 0; count < SYNCS; count++) {
        const isOld = random.oneIn(4)
        model.change(isOld ? 40 : 6)
        if (random.oneIn(isOld ? 2 : 6)) model.loseTokens()
        model.isUnruly = !random.oneIn(4)
        const {version} = model
        const isComplete = await mirror.sync()
        // A sync that nothing disturbed has everything.
        if (!isComplete || model.version !== version) continue
        expect([count, sorted(mirror.files)]).toEqual([count, sorted(expected(model))])
        met.add('whole')
      }
      model.isUnruly = false
      const isComplete = (await mirror.sync()) || (await mirror.sync())
      expect(isComplete).toBe(true)
      expect(sorted(mirror.files)).toEqual(sorted(expected(model)))
      expect(mirror.problems).toEqual([])
      for (const name of model.met) met.add(name)
    },
  )

  it.skipIf(ONE !== undefined)('meets every fault', () => {
    expect([...met].toSorted()).toEqual([
      '503',
      '507',
      'compacted',
      'cut body',
      'failed member',
      'killed',
      'lost token',
      'no answer',
      'page',
      'whole',
    ])
  })
})
