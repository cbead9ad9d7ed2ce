// How fast a listing is read, side by side in one run: this package and `webdav` 5.11, best of interleaved rounds, and
// how much memory it takes to stream it. Run by `npm run bench`.

import {execFileSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'

import {MultiStatusParser, parseMultiStatus} from 'multistatus/parser'
import {parseXML} from 'webdav'

import {apacheListing} from './body.ts'

const RESPONSES = 100_000
const ROUNDS = 3
const url = 'http://localhost/files/archive/'

const chunks = [...apacheListing(RESPONSES)]
const text = Buffer.concat(chunks).toString()
const megabytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0) / 1e6

const contenders: Record<string, () => Promise<number>> = {
  MultiStatusParser: async () => {
    const parser = new MultiStatusParser({url})
    let results = 0
    for (const chunk of chunks) results += parser.write(chunk).length
    parser.end()
    return results
  },
  'for await, parseMultiStatus': async () => {
    let results = 0
    for await (const result of parseMultiStatus(chunks, {url})) results += Number(result.ok)
    return results
  },
  'webdav 5.11, parseXML': async () => (await parseXML(text)).multistatus.response.length,
}

const best = new Map<string, number>()
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, read] of Object.entries(contenders)) {
    const begin = performance.now()
    const results = await read()
    const milliseconds = performance.now() - begin
    if (results !== RESPONSES) throw new Error(`${name} read ${results} of ${RESPONSES} responses`)
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, milliseconds))
  }
}

const slowest = best.get('webdav 5.11, parseXML') ?? Number.NaN
console.log(
  `${RESPONSES} responses as Apache writes them, ${megabytes.toFixed(1)} MB, best of ${ROUNDS} rounds`,
)
for (const [name, milliseconds] of best) {
  const speed = (megabytes / milliseconds) * 1000
  console.log(
    `${name.padEnd(30)} ${milliseconds.toFixed(0).padStart(7)} ms ${speed.toFixed(1).padStart(7)} MB/s ${(slowest / milliseconds).toFixed(1).padStart(6)} times webdav`,
  )
}
const memory = execFileSync(process.execPath, [
  '--expose-gc',
  fileURLToPath(new URL('memory.ts', import.meta.url)),
])
console.log(
  `streamed in a process of its own, MB of growth at the peak: ${memory.toString().trim()}`,
)
