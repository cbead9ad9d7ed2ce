// Measures the speed of reading Multi-Status bodies: this package beside other clients, parsers and neon in C. Each has a process
// of its own, in rounds that take turns. Run by `npm run bench`; `--only apache,delete,memory`, `--columns ours,neon`, `--rounds 5`
// and `--megabytes 50` make it short. It measures `dist`: build first. `BEFORE=other/dist/parser.js` adds
// another build.

import {mkdtempSync, rmSync} from 'node:fs'
import {cpus, loadavg, tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {blocksFor, BODIES, makeBody, sizeOf} from './body.ts'
import type {Body} from './body.ts'
import {CONTENDERS} from './contenders.ts'
import type {Contender} from './contenders.ts'
import {findNeon, startNeon} from './neon.ts'
import {PROBES} from './probes.ts'
import {startContestant} from './process.ts'
import type {Contestant} from './process.ts'
import {formatTable} from './table.ts'
import type {Row} from './table.ts'

/** Those that take a text at once and keep a tree of it get this part of a body: they would need minutes and gigabytes. */
const WHOLE_PART = 1 / 10

const {values} = parseArgs({
  options: {
    only: {type: 'string', default: [...BODIES, ...Object.keys(PROBES)].join(',')},
    columns: {type: 'string', default: Object.keys(CONTENDERS).join(',')},
    rounds: {type: 'string', default: '5'},
    megabytes: {type: 'string', default: '50'},
  },
})
const only = choose(values.only, [...BODIES, ...Object.keys(PROBES)])
const columns = choose(values.columns, Object.keys(CONTENDERS))
const rounds = positive('rounds', values.rounds)
const bytes = positive('megabytes', values.megabytes) * 1e6

console.log(
  `Node ${process.version}, ${cpus().length} times ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}. Peak MB is the whole process: the floor shows what Node takes by itself.\n`,
)

const folder = mkdtempSync(join(tmpdir(), 'multistatus-bench-'))
try {
  const neon = columns.includes('neon') ? findNeon(folder) : {problem: 'not asked for'}
  if (columns.includes('neon') && 'problem' in neon)
    console.log(`neon is left out, it cannot be built here: ${neon.problem}\n`)
  for (const name of only.filter((one) => BODIES.includes(one)))
    await compare(name, 'program' in neon ? neon.program : undefined)
  for (const name of only) await PROBES[name]?.()
} finally {
  rmSync(folder, {recursive: true})
}

/** Prints the table of one body. */
async function compare(name: string, neon: string | undefined): Promise<void> {
  const body = makeBody(name)
  const rows: (Row & {contestant: Contestant})[] = []
  for (const column of columns) {
    const contender = CONTENDERS[column]
    if (contender === undefined || (column === 'neon' && neon === undefined)) continue
    const {blocks, contestant} = start(column, contender, name, body, neon)
    rows.push({
      column,
      title: contender.title,
      megabytes: sizeOf(body, blocks) / 1e6,
      milliseconds: Number.POSITIVE_INFINITY,
      responses: 0,
      peak: 0,
      properties: undefined,
      problem: undefined,
      contestant,
    })
  }
  for (let round = 0; round <= rounds; round++) {
    for (const row of rows) {
      if (row.problem !== undefined) continue
      try {
        const answer = await row.contestant.ask(round === 0 ? 'check' : 'round')
        row.responses = answer.responses
        row.properties ??= answer.properties
        row.peak = answer.peak
        if (round > 0) row.milliseconds = Math.min(row.milliseconds, answer.milliseconds)
      } catch (error) {
        row.problem = error instanceof Error ? error.message : String(error)
      }
    }
  }
  for (const {contestant} of rows) contestant.close()
  console.log(`${name}: ${body.title}. Best of ${rounds} rounds.`)
  console.log(formatTable(rows))
}

function start(
  column: string,
  contender: Contender,
  name: string,
  body: Body,
  neon: string | undefined,
): {blocks: number; contestant: Contestant} {
  const part = contender.isWhole === true ? bytes * WHOLE_PART : bytes
  const blocks = blocksFor(body, part)
  if (column === 'neon' && neon !== undefined)
    return {blocks, contestant: startNeon(neon, folder, {body, blocks})}
  const worker = fileURLToPath(new URL('worker.ts', import.meta.url))
  return {blocks, contestant: startContestant(process.execPath, [worker, column, name, `${part}`])}
}

function choose(given: string, known: readonly string[]): string[] {
  const chosen = given.split(',')
  for (const one of chosen)
    if (!known.includes(one)) throw new RangeError(`${one} is none of ${known.join(', ')}`)
  return chosen
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!(number > 0)) throw new RangeError(`--${name} is a number above zero`)
  return number
}
