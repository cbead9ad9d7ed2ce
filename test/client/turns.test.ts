// States that timers and signals get their turn during a bulk call that sends nothing. An abort ends it soon, not after a million
// targets. RFC 4918, section 9.6.

import {
  DavClient,
  type DavResult,
  type DeleteManyOptions,
  type DeleteTarget,
  type Transport,
} from 'multistatus'
import {describe, expect, it} from 'vitest'

const url = 'https://dav.example/files/'
const transport: Transport = async () => new Response(null, {status: 204})

/** More than can be done within a test. */
function* endless(target: (number: number) => DeleteTarget): Generator<DeleteTarget> {
  for (let number = 0; number < 1e9; number++) yield target(number)
}

async function* later(targets: Iterable<DeleteTarget>): AsyncGenerator<DeleteTarget> {
  for (const target of targets) yield target
}

const kinds: readonly (readonly [string, (number: number) => DeleteTarget, DeleteManyOptions])[] = [
  ['duplicates', () => 'a', {}],
  ['refused targets', (number) => `b#${number}`, {}],
  ['refused targets that are named again', () => 'b#1', {}],
  ['targets of a dry run', (number) => `c${number}`, {dryRun: true}],
  ['targets that go with their collection', (number) => (number === 0 ? 'd/' : `d/${number}`), {}],
]

describe.each(kinds)('%s', (_, target, options) => {
  it.each([
    ['a generator', (targets: Iterable<DeleteTarget>) => targets],
    ['an asynchronous one', later],
  ])('from %s do not delay an abort', async (_name, from) => {
    const controller = new AbortController()
    const {signal} = controller
    const reason = new Error('enough')
    let turns = 0
    const ticking = setInterval(() => {
      if (++turns === 3) controller.abort(reason)
    }, 5)
    let count = 0
    let last: DavResult | undefined
    const reading = async (): Promise<void> => {
      const dav = new DavClient({url, transport})
      for await (const result of dav.deleteMany(from(endless(target)), {...options, signal})) {
        count++
        last = result
      }
    }
    await expect(reading()).rejects.toBe(reason)
    clearInterval(ticking)
    expect(count).toBeGreaterThan(0)
    expect(last?.relation).toBe('self')
  })
})
