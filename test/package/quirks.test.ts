// Keeps the page of quirks true: each line names a test that exists, and words that stand in it, outside of its comments.

import {existsSync, readFileSync} from 'node:fs'

import {describe, expect, it} from 'vitest'

const page = readFileSync('guide/quirks.md', 'utf8')
const lines = page.split('\n').filter((line) => line.startsWith('|'))
const rows = lines.flatMap((line) => {
  const [, file = '', words = ''] = /`(test\/[\w/.-]+\.ts)`: `+(.+?)`+ *\|$/.exec(line) ?? []
  return file === '' ? [] : [[file, words] as const]
})

const COMMENT = /^\s*(?:\/\/|\/?\*).*$/gm

describe('the page of quirks', () => {
  it('has a test in each line', () => {
    expect(rows.length).toBeGreaterThan(40)
    expect(rows).toHaveLength(lines.length - 2)
  })

  it.each(rows)('%s has the words: %s', (file, words) => {
    expect(existsSync(file)).toBe(true)
    expect(readFileSync(file, 'utf8').replaceAll(COMMENT, '')).toContain(words)
  })
})
