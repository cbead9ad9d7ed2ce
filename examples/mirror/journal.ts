// The memory of the mirror: a journal of JSON lines, in which later lines win. A line is written before the next step begins, so a
// kill at any point loses nothing. The state of `dav.sync` is in the same file: neither can get ahead of the other.

import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'

import {SyncState} from 'multistatus'

/** The content of a file, by its ETag on the server and its hash. */
interface Version {
  readonly etag: string
  readonly hash: string
}

/** The known facts about one file. */
export interface Entry {
  /** The ETag that the last sync told. Empty if it was no strong one; absent if nothing is there. */
  readonly remote?: string | undefined
  /** The last version that was on both sides, as a sync told. */
  readonly base?: Version | undefined
  /**
   * The last upload. Its ETag is empty without an answer. It becomes the base when a sync tells the same ETag. Never before: a
   * server that does not list the file would seem to have deleted it, and it would be deleted here.
   */
  readonly sent?: Version | undefined
  /** The hash of the local file while it has this stamp. */
  readonly seen?: {readonly stamp: string; readonly hash: string} | undefined
}

/** A path with its facts, or lines of the state of `dav.sync`. */
type Line = readonly [path: string, entry: Entry] | string

export class Journal {
  readonly state: SyncState
  readonly #entries: Map<string, Entry>
  readonly #file: string
  readonly #isKept: boolean

  private constructor(
    file: string,
    entries: Map<string, Entry>,
    state: SyncState,
    isKept: boolean,
  ) {
    this.#file = file
    this.#entries = entries
    this.state = state
    this.#isKept = isKept
  }

  /** Reads a journal and writes it anew, without the lines that later ones replaced. Without `isKept`, nothing is ever written. */
  static async open(file: string, isKept: boolean): Promise<Journal> {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    // A kill may have torn the last line.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    const lines: Line[] = whole
      .split('\n')
      .filter((line) => line !== '')
      .map((line, index) => parseLine(line, `${file}:${index + 1}`))
    const entries = new Map(lines.filter((line) => typeof line !== 'string'))
    for (const [path, entry] of entries) if (Object.keys(entry).length === 0) entries.delete(path)
    const state = await SyncState.read(
      lines.filter((line) => typeof line === 'string').flatMap((page) => page.split('\n')),
    )
    const journal = new Journal(file, entries, state, isKept)
    if (isKept) journal.#compact()
    return journal
  }

  /** The facts by path below the folder. */
  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries
  }

  get(path: string): Entry {
    return this.#entries.get(path) ?? {}
  }

  /** Changes some facts about a path. */
  change(path: string, facts: Entry): void {
    const entry = {...this.get(path), ...facts}
    this.#entries.set(path, entry)
    this.#append([path, entry])
  }

  /** Forgets a file that is on neither side. */
  forget(path: string): void {
    this.#entries.delete(path)
    this.#append([path, {}])
  }

  /** Saves a page of `dav.sync`. */
  savePage(lines: string): void {
    this.#append(lines)
  }

  #append(line: Line): void {
    if (!this.#isKept) return
    const {size} = statSync(this.#file)
    try {
      appendFileSync(this.#file, `${JSON.stringify(line)}\n`)
    } catch (error) {
      // A full disk may have taken a part of the line, and the next one would follow it.
      truncateSync(this.#file, size)
      throw error
    }
  }

  #compact(): void {
    const lines: Line[] = [...this.state.lines(), ...this.#entries]
    writeFileSync(`${this.#file}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    renameSync(`${this.#file}.new`, this.#file)
  }
}

/** Parses a line. Without one in the middle, a file that is gone there would seem to be there. */
function parseLine(line: string, place: string): Line {
  try {
    return JSON.parse(line)
  } catch (cause) {
    const advice = 'Without the journal, all files are compared anew, and deleted ones come back'
    throw new SyntaxError(`${place} is damaged. ${advice}`, {cause})
  }
}
