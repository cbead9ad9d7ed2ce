// The example mirror as a process of its own, which may be killed at any time, and the local side of its mirror.

import {spawn} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import type {Dirent} from 'node:fs'
import {link, mkdir, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises'
import {dirname, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'

const PROGRAM = fileURLToPath(new URL('../../examples/mirror.ts', import.meta.url))

/** The end of a run. */
export interface MirrorRun {
  readonly isKilled: boolean
  /** The exit status; `undefined` after a kill. */
  readonly code: number | undefined
  readonly lines: readonly string[]
}

/** Tells if a run found nothing that it or a later run can do. */
export function isSettled({lines}: MirrorRun): boolean {
  return !lines.some((line) => /^(?:upload|download|compare|delete)|run again$/.test(line))
}

/** A running mirror. */
export interface MirrorProcess {
  kill(): void
  readonly ended: Promise<MirrorRun>
}

/** Starts a mirror of a folder. */
export function startMirror(
  folder: string,
  url: string,
  ...flags: readonly string[]
): MirrorProcess {
  const {DAV_USERNAME: _, DAV_PASSWORD: __, ...inherited} = process.env
  const env = {...inherited, DAV_URL: url, NO_COLOR: '1'}
  const child = spawn(process.execPath, [PROGRAM, folder, ...flags], {env})
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<MirrorRun>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      const lines = output.split('\n').filter((line) => line !== '')
      resolve({isKilled: signal === 'SIGKILL', code: code ?? undefined, lines})
    })
  })
  return {kill: () => child.kill('SIGKILL'), ended}
}

/** One side of a mirror, as its users see it: texts by path. */
export interface Side {
  read(): Promise<Map<string, string>>
  /** Writes a file that is not there. Returns false if there is one. */
  create(path: string, text: string): Promise<boolean>
  /** Takes a file away, and writes the new text if there is one. Returns true if it was written. */
  change(path: string, rewrite: (text: string) => string | undefined): Promise<boolean>
}

/** The local folder. Each change is atomic, so that no user overwrites a file that the mirror has just placed. */
export class LocalSide implements Side {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const entry of await this.#list()) {
      const file = join(entry.parentPath, entry.name)
      const path = relative(this.#folder, file)
      const text =
        entry.isFile() && !path.startsWith('.mirror/') ? await textIfThere(file) : undefined
      if (text !== undefined) found.set(path, text)
    }
    return found
  }

  async create(path: string, text: string): Promise<boolean> {
    const draft = this.#draft()
    const file = join(this.#folder, path)
    await writeFile(draft, text)
    await mkdir(dirname(file), {recursive: true})
    const isNew = await link(draft, file).then(
      () => true,
      () => false,
    )
    await rm(draft)
    return isNew
  }

  async change(path: string, rewrite: (text: string) => string | undefined): Promise<boolean> {
    const draft = this.#draft()
    const isTaken = await rename(join(this.#folder, path), draft).then(
      () => true,
      () => false,
    )
    if (!isTaken) return false
    const text = rewrite(await readFile(draft, 'utf8'))
    await rm(draft)
    return text !== undefined && this.create(path, text)
  }

  /** Lists everything. The mirror may remove a folder meanwhile. */
  async #list(): Promise<Dirent[]> {
    for (;;) {
      try {
        return await readdir(this.#folder, {recursive: true, withFileTypes: true})
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      }
    }
  }

  /** A path on the same disk, outside of the folder. */
  #draft(): string {
    return `${this.#folder}.${randomUUID()}`
  }
}

async function textIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
