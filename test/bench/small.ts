// The speed of reading 2,000 small listings of one server beside one large one with the same responses: with a `KnownMarkup`, and
// without one. Run by `npm run bench:small`. It measures `dist`: build first. CPU time counts, in rounds that take turns.

import {KnownMarkup, MultiStatusParser} from 'multistatus/parser'
import type {ParserOptions} from 'multistatus/parser'

import {CHUNK} from './body.ts'
import {APACHE, NEXTCLOUD} from './responses.ts'
import type {Wire} from './responses.ts'

const ROUNDS = 8
const BODIES = 2000
const RESPONSES = 26

for (const wire of [APACHE, NEXTCLOUD]) compare(wire)

function compare(wire: Wire): void {
  const numbers = Array.from({length: BODIES * RESPONSES}, (_, number) => number)
  const small = Array.from({length: BODIES}, (_, index) =>
    bodyOf(wire, numbers.slice(index * RESPONSES, (index + 1) * RESPONSES)),
  )
  const large = bodyOf(wire, numbers)
  const options = {url: wire.url, method: wire.method}
  const readers: Readonly<Record<string, {readonly bytes: number; readonly read: () => number}>> = {
    'one large listing': {bytes: large.length, read: () => read(large, options)},
    'small ones, with a KnownMarkup': {
      bytes: lengthOf(small),
      read() {
        const markup = new KnownMarkup()
        return small.reduce((sum, body) => sum + read(body, {...options, markup}), 0)
      },
    },
    'small ones, each by itself': {
      bytes: lengthOf(small),
      read: () => small.reduce((sum, body) => sum + read(body, options), 0),
    },
  }
  const best = new Map<string, number>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, reader] of Object.entries(readers)) {
      const before = process.cpuUsage()
      if (reader.read() !== numbers.length) throw new Error(`${name}: results are missing`)
      const {user, system} = process.cpuUsage(before)
      best.set(name, Math.max(best.get(name) ?? 0, reader.bytes / (user + system)))
    }
  }
  console.log(`\n${wire.title}: ${BODIES} of ${RESPONSES} responses. Best of ${ROUNDS} rounds.`)
  const [first = Number.NaN] = best.values()
  for (const [name, speed] of best)
    console.log(
      `${name.padEnd(32)} ${speed.toFixed(0).padStart(5)} MB/s  ${(speed / first).toFixed(2)}`,
    )
}

function bodyOf({prologue, epilogue, response}: Wire, numbers: readonly number[]): Uint8Array {
  return new TextEncoder().encode(prologue + numbers.map(response).join('') + epilogue)
}

function lengthOf(bodies: readonly Uint8Array[]): number {
  return bodies.reduce((sum, {length}) => sum + length, 0)
}

/** Returns the number of results. */
function read(body: Uint8Array, options: ParserOptions): number {
  const parser = new MultiStatusParser(options)
  let results = 0
  for (let at = 0; at < body.length; at += CHUNK)
    results += parser.write(body.subarray(at, at + CHUNK)).length
  parser.end()
  return results
}
