/**
 * The tables of the guide: one row for each step, one column for each server, and a sentence for each fault. Each cell is a test,
 * and the guide has to hold the table of the run.
 */
import {expect, it} from 'vitest'
import {expectInGuide, formatRows} from '../../support/guide.ts'
import type {Cell, TableTraits} from './cells.ts'
import {describeMissing} from './missing.ts'
import type {ServerRecipe} from './recipe.ts'
import type {Server} from './server.ts'
import {describeServers} from './suite.ts'

/** A table of the guide. */
export interface Table<Row extends string> {
  /** Its name in the guide. The tests of its steps are in a file of this name. */
  readonly name: string
  readonly rows: readonly Row[]
  readonly servers: readonly ServerRecipe[]
  readonly traitsOf: (recipe: ServerRecipe) => TableTraits<Row> | undefined
  /** Does a step. Returns its outcome: a cell, or what a fault has in `seen`. */
  readonly run: (row: Row, server: Server) => Promise<string | number>
}

interface Column<Row extends string> {
  readonly heading: string
  readonly cells: ReadonlyMap<Row, Cell>
}

/** Declares a test for each cell of a table, and one for the table in the guide. */
export function describeTable<Row extends string>(table: Table<Row>): void {
  const {name, rows, servers, traitsOf, run} = table
  const columns: Column<Row>[] = []

  describeServers(servers, (server) => {
    const traits = traitsOf(server.recipe)
    if (traits === undefined) throw new Error(`${server.recipe.name} has no column`)
    const expected = rows.map((row): [Row, Cell] => [row, traits.cells[row] ?? 'right'])
    const isSkipped = ([, cell]: [Row, Cell]): boolean => cell === 'not tested'
    const cells = new Map(expected.filter(isSkipped))
    columns.push({heading: traits.heading, cells})

    it.for(expected.filter((cell) => !isSkipped(cell)))('%s', async ([row, cell]) => {
      const outcome = await run(row, server)
      expect(outcome).toBe(typeof cell === 'object' ? cell.seen : cell)
      cells.set(row, cell)
    })
  })

  const isWhole = servers.every((recipe) => describeMissing(recipe) === undefined)
  const command = `WRITE_TABLES=1 npm run test:servers -- ${name}`

  it.skipIf(!isWhole)(`guide/servers.md has the table of ${name} of this run`, async () => {
    await expectInGuide({chapter: 'servers.md', name, command}, formatTable(rows, columns))
  })
}

/** Formats a table, and the faults below it. */
function formatTable<Row extends string>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): string {
  const faults = [
    ...new Set(
      rows.flatMap((row) =>
        columns.flatMap(({cells}) => {
          const cell = cells.get(row)
          return typeof cell === 'object' ? [cell.fault] : []
        }),
      ),
    ),
  ]
  const format = (cell: Cell | undefined): string => {
    if (cell === undefined) throw new Error('a cell is missing')
    if (typeof cell === 'object') {
      const isTold = !cell.seen.startsWith('success')
      return `fault ${faults.indexOf(cell.fault) + 1}${isTold ? ', told' : ''}`
    }
    return cell === 'not tested' ? '–' : `${cell}`
  }
  const table = formatRows([
    ['step', ...columns.map(({heading}) => heading)],
    ...rows.map((row) => [row, ...columns.map(({cells}) => format(cells.get(row)))]),
  ])
  if (faults.length === 0) return table
  const list = faults.map((fault, index) => `- Fault ${index + 1}: ${fault}.`)
  return [table, '', ...list].join('\n')
}
