// The tree of the job campaign, and the record that its server keeps.

/** The setting of the server. */
export interface JobServerOptions {
  readonly seed: number
  readonly files: number
  readonly collections: number
  /** The longest usual time of a DELETE in milliseconds. */
  readonly latency: number
}

/** One resource in the record of the server. */
export interface RecordedResource {
  readonly href: string
  readonly isThere: boolean
  /** DELETE requests that arrived. */
  readonly arrivals: number
  /** Those that were answered with 2xx. */
  readonly deleted: number
  /** Those that were broken or refused by a fault. */
  readonly faults: number
  /** True if each DELETE is refused with 423. */
  readonly isLocked: boolean
}

/** The record of the server. */
export interface JobRecord {
  readonly resources: readonly RecordedResource[]
  /** Rules of the order that a DELETE broke. */
  readonly problems: readonly string[]
  readonly propfinds: number
}

/** Collections that lie in one group. */
const GROUP = 20
export const ROOT = '/tree/'

/** Lists the hrefs of the tree, collections before their members. */
export function* treeOf({
  files,
  collections,
}: Pick<JobServerOptions, 'files' | 'collections'>): Generator<string> {
  yield ROOT
  const each = Math.ceil(files / collections)
  let file = 0
  for (let number = 0; number < collections; number++) {
    const group = `${ROOT}g${Math.floor(number / GROUP)}/`
    if (number % GROUP === 0) yield group
    const collection = `${group}c%20${number}/`
    yield collection
    for (let left = each; left > 0 && file < files; left--)
      yield `${collection}${file++ % 3 === 0 ? '%C3%BC' : 'f'}${file}`
  }
}
