// States the truth of the journal of the example mirror on a full disk, which takes a part of a line.

import fs from 'node:fs'
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {syncBuiltinESMExports} from 'node:module'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {Journal} from '../../examples/mirror/journal.ts'

let work: string
let file: string

beforeEach(async () => {
  work = await mkdtemp(join(tmpdir(), 'multistatus-journal-'))
  file = join(work, 'journal.jsonl')
})

afterEach(async () => {
  await rm(work, {recursive: true})
})

describe('the journal of the example mirror', () => {
  it('takes a line back of which a full disk took a part, and goes on', async () => {
    const journal = await Journal.open(file, true)
    journal.change('a.txt', {remote: '"1"'})
    vi.spyOn(fs, 'appendFileSync').mockImplementation((path, line) => {
      fs.writeFileSync(path, String(line).slice(0, 5), {flag: 'a'})
      throw new Error('ENOSPC: no space left on device')
    })
    syncBuiltinESMExports()
    expect(() => journal.change('b.txt', {remote: '"2"'})).toThrow('ENOSPC')
    vi.restoreAllMocks()
    syncBuiltinESMExports()
    journal.change('c.txt', {remote: '"3"'})

    const {entries} = await Journal.open(file, true)
    expect(entries).toEqual(
      new Map([
        ['a.txt', {remote: '"1"'}],
        ['c.txt', {remote: '"3"'}],
      ]),
    )
  })

  it('names a damaged line, and leaves the journal as it is', async () => {
    const text = '["a.txt",{}]\n["b.t["c.txt",{}]\n["d.txt",{}]\n'
    await writeFile(file, text)
    await expect(Journal.open(file, true)).rejects.toThrow(`${file}:2 is damaged. Without`)
    expect(await readFile(file, 'utf8')).toBe(text)
  })
})
