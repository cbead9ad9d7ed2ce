/** The table of verbs in the guide: one row for each step, one column for each server, and a sentence for each fault. */
import {readFile, writeFile} from 'node:fs/promises'
import type {Cell, VerbRow} from './rows.ts'
import {verbRows} from './rows.ts'

/** The cells of a server, by row. */
export interface Column {
  readonly heading: string
  readonly cells: ReadonlyMap<VerbRow, Cell>
}

const GUIDE = new URL('../../../guide/servers.md', import.meta.url)
const BEGIN = '<!-- verbs: written by `WRITE_VERBS=1 npm run test:servers -- verbs` -->'
const END = '<!-- end of verbs -->'

/** Formats the table as the formatter of the project does. */
export function formatMatrix(columns: readonly Column[]): string {
  const faults = [
    ...new Set(
      verbRows.flatMap((row) =>
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
  const lines = [
    ['step', ...columns.map(({heading}) => heading)],
    ...verbRows.map((row) => [row, ...columns.map(({cells}) => format(cells.get(row)))]),
  ]
  const [head = [], ...rows] = lines
  const widths = head.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  const join = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`
  const table = [join(head), join(widths.map((width) => '-'.repeat(width))), ...rows.map(join)]
  const list = faults.map((fault, index) => `- Fault ${index + 1}: ${fault}.`)
  return [...table, '', ...list].join('\n')
}

/** Reads the table of the guide. */
export async function readMatrix(): Promise<string> {
  const {text, from, to} = await readGuide()
  return text.slice(from, to).trim()
}

/** Writes the table of the guide. */
export async function writeMatrix(matrix: string): Promise<void> {
  const {text, from, to} = await readGuide()
  await writeFile(GUIDE, `${text.slice(0, from)}\n\n${matrix}\n\n${text.slice(to)}`)
}

async function readGuide(): Promise<{text: string; from: number; to: number}> {
  const text = await readFile(GUIDE, 'utf8')
  const begin = text.indexOf(BEGIN)
  const to = text.indexOf(END)
  if (begin < 0 || to < begin) throw new Error('guide/servers.md has no place for the table')
  return {text, from: begin + BEGIN.length, to}
}
