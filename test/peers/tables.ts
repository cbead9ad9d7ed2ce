// The tables of guide/other-clients.md: a row for each situation, a column for each client. A run has to give the guide's table.

import {readFile, writeFile} from 'node:fs/promises'

import type {FaultServer} from '../support/fault-server.ts'
import {startFaultServer} from '../support/fault-server.ts'
import type {Said, Situation, Task} from './situations.ts'
import {answerPlainly} from './situations.ts'

/** A client with the tasks that it knows. `url` is that of the server's root. */
export interface Client {
  /** Its name and version. */
  readonly heading: string
  readonly tasks: Readonly<Partial<Record<Task, (url: string) => Promise<Said>>>>
}

/** Runs one client in one situation. Returns the words for the table. */
export async function meet(client: Client, situation: Situation): Promise<string> {
  const perform = client.tasks[situation.task]
  if (perform === undefined) return '–'
  const server: FaultServer = await startFaultServer()
  try {
    const asked = new Map<string, number>()
    server.script((request) => {
      const key = `${request.method} ${request.url}`
      const times = (asked.get(key) ?? 0) + 1
      asked.set(key, times)
      return situation.answer(request, times) ?? answerPlainly(request)
    })
    return situation.judge(await perform(server.url), server.requests)
  } finally {
    await server.close()
  }
}

/** Formats the rows as the formatter of the project does. */
export function formatTable(
  clients: readonly Pick<Client, 'heading'>[],
  rows: ReadonlyMap<string, readonly string[]>,
): string {
  const lines = [
    ['situation', ...clients.map(({heading}) => heading)],
    ...Array.from(rows, ([name, cells]) => [name, ...cells]),
  ]
  const [head = [], ...body] = lines
  const widths = head.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)))
  const join = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`
  return [join(head), join(widths.map((width) => '-'.repeat(width))), ...body.map(join)].join('\n')
}

const GUIDE = new URL('../../guide/other-clients.md', import.meta.url)

/** Reads the table of a name in the guide. With `WRITE_TABLES=1`, writes the table of the run first. */
export async function guideTable(name: string, written: string): Promise<string> {
  const text = await readFile(GUIDE, 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
  if (from < begin.length || to < from)
    throw new Error(`guide/other-clients.md has no place for ${name}`)
  if (process.env['WRITE_TABLES'] !== '1') return text.slice(from, to).trim()
  await writeFile(GUIDE, `${text.slice(0, from)}\n\n${written}\n\n${text.slice(to)}`)
  return written
}
