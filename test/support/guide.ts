// The tables that tests write into the guide, and compare with it.

import {readFile, writeFile} from 'node:fs/promises'

import {expect} from 'vitest'

/** Formats rows as the formatter of the project does. The first row is the head. */
export function formatRows(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const widths = head.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  const join = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`
  return [join(head), join(widths.map((width) => '-'.repeat(width))), ...body.map(join)].join('\n')
}

/** A part of a chapter, between two comments. */
export interface GuidePart {
  readonly chapter: string
  readonly name: string
  /** The command that writes it. */
  readonly command: string
}

/** Compares a part of the guide with its text in this run. With `WRITE_TABLES=1` it is written first. */
export async function expectInGuide(
  {chapter, name, command}: GuidePart,
  text: string,
): Promise<void> {
  const place = new URL(`../../guide/${chapter}`, import.meta.url)
  const begin = `<!-- ${name}: written by \`${command}\` -->`
  const end = `<!-- end of ${name} -->`
  const read = async (): Promise<readonly [before: string, part: string, after: string]> => {
    const whole = await readFile(place, 'utf8')
    const start = whole.indexOf(begin)
    const to = whole.indexOf(end)
    if (start < 0 || to < start) throw new Error(`guide/${chapter} has no place for ${begin}`)
    const from = start + begin.length
    return [whole.slice(0, from), whole.slice(from, to).trim(), whole.slice(to)]
  }
  if (process.env['WRITE_TABLES'] === '1') {
    const [before, , after] = await read()
    await writeFile(place, `${before}\n\n${text}\n\n${after}`)
  }
  const [, part] = await read()
  expect(part, `write it by: ${command}`).toBe(text)
}
