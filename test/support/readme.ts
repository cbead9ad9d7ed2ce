// Keeps the README's programs and the demo's output equal to examples/. With --write it updates them; else it fails if a
// program differs. The demo's output is not compared, because it has a port, a folder and the time.

import {execFileSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'

const root = new URL('../../', import.meta.url)
const path = fileURLToPath(new URL('README.md', root))
const names = ['list', 'walk', 'bulk-delete', 'progress', 'retry', 'delete-job', 'finish-job']
const programs = [...names, 'parse-fetch'].map((name) => `examples/${name}.ts`)

const readme = readFileSync(path, 'utf8')
let current = readme
for (const program of programs)
  current = replaceBlock(current, program, readFileSync(new URL(program, root), 'utf8'))

if (process.argv.includes('--write')) {
  const options = {env: {...process.env, NO_COLOR: '1'}, encoding: 'utf8'} as const
  const output = execFileSync(
    process.execPath,
    [fileURLToPath(new URL('examples/demo.ts', root))],
    options,
  )
  writeFileSync(path, replaceBlock(current, 'demo', `${output.trim()}\n`))
} else if (current !== readme) {
  console.error(
    'The programs in README.md differ from examples/: run node test/support/readme.ts --write',
  )
  process.exitCode = 1
}

/** Replaces the code block after a comment with this name. */
function replaceBlock(markdown: string, name: string, text: string): string {
  const block = new RegExp(`(<!-- ${name} -->\\s+\`\`\`\\w+\\n)[^]*?(\`\`\`\\n)`)
  if (!block.test(markdown)) throw new Error(`README.md has no block after <!-- ${name} -->`)
  return markdown.replace(block, (_, begin: string, end: string) => begin + text + end)
}
