// Measures the memory of a process while it streams an Apache listing that is made on the fly. Run with --expose-gc and the number
// of responses, a whole number of thousands. Prints the peak of the resident set above its beginning, in MB, as JSON.

import {parseMultiStatus} from 'multistatus/parser'

import {BLOCK, chunksOf, makeBody} from './body.ts'

const responses = Number(process.argv[2] ?? 100_000)
if (responses % BLOCK !== 0) throw new RangeError(`responses is a multiple of ${BLOCK}`)
const body = makeBody('apache')
let peak = 0
// The first thousand responses bring code, which is there once.
await read(BLOCK)
globalThis.gc?.()
const before = process.memoryUsage.rss()
peak = before
const count = await read(responses)
console.log(JSON.stringify({responses: count, growth: Math.round((peak - before) / 1e5) / 10}))

async function read(many: number): Promise<number> {
  let results = 0
  for await (const result of parseMultiStatus(chunksOf(body, many / BLOCK), {url: body.url})) {
    if (!result.ok) throw new Error(`unexpected ${JSON.stringify(result)}`)
    if (++results % 1000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
  }
  return results
}
