/**
 * All verbs on eight real servers. Each step is compared with the disk, or with a raw request for its properties. Its outcome is
 * right, a refusal that changed nothing, or a known fault of the server. The table of all outcomes is part of the guide.
 */
import {expect, it} from 'vitest'
import {verbServers} from './servers.ts'
import {describeMissing} from './support/missing.ts'
import {describeServers} from './support/suite.ts'
import {formatMatrix, readMatrix, writeMatrix} from './verbs/matrix.ts'
import {moving} from './verbs/moving.ts'
import {proppatch} from './verbs/proppatch.ts'
import {reading} from './verbs/reading.ts'
import {type Cell, type VerbRow, verbRows} from './verbs/rows.ts'
import {makeScene} from './verbs/scene.ts'
import {cellOf, type Step} from './verbs/step.ts'
import {writing} from './verbs/writing.ts'

const steps: Readonly<Record<VerbRow, Step>> = {...reading, ...writing, ...proppatch, ...moving}

const columns = verbServers.map(({verbs}) => {
  const expected = verbRows.map((row): [VerbRow, Cell] => [row, verbs.cells[row] ?? 'right'])
  const isSkipped = ([, cell]: [VerbRow, Cell]): boolean => cell === 'not tested'
  return {
    heading: verbs.heading,
    tested: expected.filter((cell) => !isSkipped(cell)),
    cells: new Map(expected.filter(isSkipped)),
  }
})

describeServers(verbServers, (server) => {
  const column = columns.find(({heading}) => heading === server.recipe.verbs?.heading)
  if (column === undefined) throw new Error(`${server.recipe.name} has no column`)

  it.for(column.tested)('%s', async ([row, cell]) => {
    const outcome = await steps[row].run(await makeScene(server))
    expect(cellOf(steps[row], outcome)).toBe(typeof cell === 'object' ? cell.seen : cell)
    column.cells.set(row, cell)
  })
})

const isWhole = verbServers.every((recipe) => describeMissing(recipe) === undefined)

it.skipIf(!isWhole)('guide/servers.md has the table of this run', async () => {
  const matrix = formatMatrix(columns)
  if (process.env['WRITE_VERBS'] === '1') await writeMatrix(matrix)
  expect(await readMatrix(), 'write it by: WRITE_VERBS=1 npm run test:servers -- verbs').toBe(
    matrix,
  )
})
