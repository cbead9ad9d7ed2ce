// Keeps the README's programs and the demo's output the same as what is in examples/. With --write it puts them there, else it
// fails where they differ.

import {execFileSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'

const root = new URL('../../', import.meta.url)
const path = fileURLToPath(new URL('README.md', root))
const readme = readFileSync(path, 'utf8')

const withPrograms = readme.replaceAll(/(<!-- (examples\/[\w-]+\.ts) -->\n```ts\n)[^]*?```/g, (_, begin: string, file: string) => {
  return `${begin}${readFileSync(new URL(file, root), 'utf8')}\`\`\``
})

if (process.argv.includes('--write')) {
  const options = {env: {...process.env, NO_COLOR: '1'}, encoding: 'utf8'} as const
  const output = execFileSync(process.execPath, [fileURLToPath(new URL('examples/demo.ts', root))], options)
  const begin = '<!-- demo -->\n```text\n'
  const end = '```\n<!-- /demo -->'
  const before = withPrograms.slice(0, withPrograms.indexOf(begin) + begin.length)
  writeFileSync(path, `${before}${output.trim()}\n${withPrograms.slice(withPrograms.indexOf(end))}`)
} else if (withPrograms !== readme) {
  console.error('The programs in README.md differ from examples/: run node test/support/readme.ts --write')
  process.exitCode = 1
}
