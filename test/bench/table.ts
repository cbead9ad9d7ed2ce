// The table of one body, and the targets that it is held against.

/** The measurements of one contender after its rounds. */
export interface Row {
  readonly column: string
  readonly title: string
  readonly megabytes: number
  milliseconds: number
  responses: number
  peak: number
  properties: number | undefined
  problem: string | undefined
}

/** The least ratio of our speed to the other's. */
const TARGETS: readonly (readonly [string, number])[] = [
  ['neon', 0.9],
  ['webdav', 12],
  ['saxes', 1.6],
]

const HEADS = ['', 'MB read', 'ms', 'MB/s', 'results/s', 'peak MB', 'ratio']

/** Speeds side by side; below them, ours as a multiple of those that there are targets for. */
export function formatTable(rows: readonly Row[]): string {
  const ours = rows.find(({column}) => column === 'ours')
  const table = [HEADS, ...rows.map((row) => cells(row, ours))]
  const widths = HEADS.map((_, index) => Math.max(...table.map((line) => line[index]?.length ?? 0)))
  const lines = table.map((line) =>
    line
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join('  '),
  )
  for (const {title, problem} of rows)
    if (problem !== undefined) lines.push(`${title} cannot read it: ${problem}`)
  if (ours !== undefined) lines.push(...judge(rows, ours))
  return `${lines.join('\n')}\n`
}

function cells(row: Row, ours: Row | undefined): string[] {
  if (row.problem !== undefined) return [row.title, '-', '-', '-', '-', '-', '-']
  return [
    row.title,
    row.megabytes.toFixed(1),
    row.milliseconds.toFixed(0),
    speedOf(row).toFixed(1),
    row.column === 'decoder' ? '-' : ((row.responses / row.milliseconds) * 1000).toFixed(0),
    row.peak.toFixed(0),
    ours === undefined ? '-' : (speedOf(row) / speedOf(ours)).toFixed(2),
  ]
}

function judge(rows: readonly Row[], ours: Row): string[] {
  const multiples: string[] = []
  for (const [column, target] of TARGETS) {
    const other = rows.find((row) => row.column === column && row.problem === undefined)
    if (other === undefined) continue
    const multiple = speedOf(ours) / speedOf(other)
    multiples.push(
      `${multiple.toFixed(2)} of ${column} (${target}: ${multiple >= target ? 'yes' : 'NO'})`,
    )
  }
  const iterate = rows.find(({column}) => column === 'iterate')
  if (iterate !== undefined) {
    const part = speedOf(iterate) / speedOf(ours)
    multiples.push(`for await ${part.toFixed(2)} of ours (0.8: ${part >= 0.8 ? 'yes' : 'NO'})`)
  }
  const differing = rows.filter(
    ({properties}) => properties !== undefined && properties !== ours.properties,
  )
  return [
    ...(multiples.length > 0 ? [`ours is ${multiples.join(', ')}`] : []),
    ...differing.map(
      ({title, properties}) =>
        `NOT THE SAME WORK: ${title} saw ${properties} properties in a block, ours ${ours.properties}`,
    ),
  ]
}

function speedOf({megabytes, milliseconds}: Row): number {
  return (megabytes / milliseconds) * 1000
}
