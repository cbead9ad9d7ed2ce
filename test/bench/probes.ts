// Measures the memory of a long listing, the time of the first result, and the cost of the import for a program that starts.

import {execFileSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout} from 'node:timers/promises'
import {fileURLToPath, pathToFileURL} from 'node:url'

import {parseMultiStatus} from 'multistatus/parser'

import {BODIES, chunksOf, makeBody} from './body.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const STARTS = 15

/** The probes by the name that `--only` takes. */
export const PROBES: Readonly<Record<string, () => void | Promise<void>>> = {
  memory: () => {
    const parameters = ['--expose-gc', fileURLToPath(new URL('memory.ts', import.meta.url))]
    const output = execFileSync(process.execPath, [...parameters, '1000000'], {encoding: 'utf8'})
    const {responses, growth} = JSON.parse(output)
    console.log(
      `memory: ${responses} responses of Apache made on the fly, for await: growth at the peak ${growth} MB (below 24: ${growth < 24 ? 'yes' : 'NO'})`,
    )
  },
  first: async () => {
    const outcomes: string[] = []
    for (const name of BODIES)
      outcomes.push(`${name} ${(await isFirstResultEarly(name)) ? 'yes' : 'NO'}`)
    console.log(
      `first: the first result is out before the second chunk of 16 KB is written: ${outcomes.join(', ')}`,
    )
  },
  import: () => {
    const folder = mkdtempSync(join(tmpdir(), 'multistatus-import-'))
    const empty = join(folder, 'empty.mjs')
    writeFileSync(empty, 'export {}\n')
    const times = {empty: [] as number[], parser: [] as number[]}
    try {
      for (let start = 0; start < STARTS; start++) {
        times.empty.push(importTime(pathToFileURL(empty).href))
        times.parser.push(importTime('multistatus/parser'))
      }
    } finally {
      rmSync(folder, {recursive: true})
    }
    const [nothing, parser] = [median(times.empty), median(times.parser)]
    const cost = parser - nothing
    console.log(
      `import: a cold import('multistatus/parser') takes ${parser.toFixed(1)} ms, an empty module ${nothing.toFixed(1)}: ${cost.toFixed(1)} ms more (below 15: ${cost < 15 ? 'yes' : 'NO'}); median of ${STARTS} processes`,
    )
  },
}

/** Tests if a reader of a Response has a result while the server has sent no more than its first chunk. */
async function isFirstResultEarly(name: string): Promise<boolean> {
  const body = makeBody(name)
  const chunk = chunksOf(body, 1).next().value
  if (chunk === undefined) throw new Error('the body has no chunk')
  const stream = new ReadableStream<Uint8Array>({start: (controller) => controller.enqueue(chunk)})
  const results = parseMultiStatus(new Response(stream), {url: body.url, method: body.method})
  const timer = new AbortController()
  try {
    return await Promise.race([
      results[Symbol.asyncIterator]()
        .next()
        .then(({done}) => done !== true),
      setTimeout(1000, false, {signal: timer.signal}),
    ])
  } finally {
    timer.abort()
  }
}

/** Milliseconds of one import in a fresh process. */
function importTime(specifier: string): number {
  const program = `const begin = performance.now(); await import(${JSON.stringify(specifier)}); console.log(performance.now() - begin)`
  const parameters = ['--input-type=module', '-e', program]
  return Number(execFileSync(process.execPath, parameters, {cwd: root, encoding: 'utf8'}))
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
