// Compares the time to import the package under Node with that of undici alone, which it imports too. Each import has a process of
// its own, and the two alternate. CPU time counts, because other processes disturb it less than the time of the clock.

import {spawnSync} from 'node:child_process'
import {fileURLToPath} from 'node:url'

const ROUNDS = 21
const NAMES = ['undici', 'multistatus'] as const

const cwd = fileURLToPath(new URL('../..', import.meta.url))

/** Imports a package in a new process. Returns the milliseconds of its CPU time. */
function timeOf(name: string): number {
  const program = `
    const before = process.cpuUsage()
    await import('${name}')
    const {user, system} = process.cpuUsage(before)
    console.log((user + system) / 1000)
  `
  const {stdout, stderr, status} = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', program],
    {cwd, encoding: 'utf8'},
  )
  if (status !== 0) throw new Error(stderr)
  return Number(stdout)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

const times = NAMES.map((): number[] => [])
// The first round fills the caches of the disk, and does not count.
for (const name of NAMES) timeOf(name)
for (let round = 0; round < ROUNDS; round++)
  for (const [index, name] of NAMES.entries()) times[index]?.push(timeOf(name))

const [alone = [], whole = []] = times
for (const [index, name] of NAMES.entries())
  console.log(`import '${name}': ${median(times[index] ?? []).toFixed(1)} ms`)
const ratios = whole.map((time, round) => time / (alone[round] ?? Number.NaN))
console.log(`Ratio, median of ${ROUNDS} rounds: ${median(ratios).toFixed(2)}`)
