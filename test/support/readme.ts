// Keeps the pages true. Programs are those of examples/, and regions those of the tests. Other snippets compile, links lead
// somewhere, and the README stays short. With --write it copies the programs, the regions and the output of the demo. That output is
// not compared: it holds a port, a folder and the time.

import {execFileSync} from 'node:child_process'
import {existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const MAX_README_LINES = 220
const PROGRAM = /(<!-- (examples\/[\w/.-]+\.(?:ts|conf)) -->\s+```\w+\n)[^]*?(```\n)/g
// The parts of a test between `// #region name` and `// #endregion`.
const REGION = /(<!-- (test\/[\w/.-]+\.ts)#([\w-]+) -->\s+```ts\n)[^]*?(```\n)/g
const DEMO = /(<!-- demo -->\s+```text\n)[^]*?(```\n)/
const SNIPPET = /^```ts\n([^]*?)^```$/gm

const isWriting = process.argv.includes('--write')
const names = globSync(['*.md', '.changeset/*.md', 'examples/*.md', 'guide/*.md'], {cwd: root})
const pages = ['README.md', ...names.filter((name) => name !== 'README.md')].map((name) => {
  const text = readFileSync(join(root, name), 'utf8')
  const current = text
    .replace(PROGRAM, (_, begin: string, program: string, end: string) => {
      return begin + readFileSync(join(root, program), 'utf8') + end
    })
    .replace(REGION, (_, begin: string, test: string, region: string, end: string) => {
      return begin + partsOf(test, region) + end
    })
  return {name, text, current: isWriting ? withDemo(current) : current}
})
const problems = [
  ...pages.flatMap(({name, text, current}) => {
    if (isWriting) writeFileSync(join(root, name), current)
    const isStale = !isWriting && current !== text
    return isStale
      ? [`${name} differs from examples/ or test/: run node test/support/readme.ts --write`]
      : []
  }),
  ...unshown(),
  ...pages.flatMap(({name, text}) => brokenLinks(name, text)),
  ...(lines(pages[0]?.text) > MAX_README_LINES
    ? [`README.md has more than ${MAX_README_LINES} lines`]
    : []),
  ...compileSnippets(),
]
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exitCode = 1

/** Runs the demo for the page that shows its output. */
function withDemo(page: string): string {
  if (!DEMO.test(page)) return page
  const options = {env: {...process.env, NO_COLOR: '1'}, encoding: 'utf8'} as const
  const output = execFileSync(process.execPath, [join(root, 'examples/demo.ts')], options)
  return page.replace(DEMO, (_, begin: string, end: string) => `${begin}${output.trim()}\n${end}`)
}

/** The parts of a test with one name, an empty line between them. */
function partsOf(test: string, region: string): string {
  const parts = readFileSync(join(root, test), 'utf8').matchAll(
    new RegExp(`^( *)// #region ${region}\\n([^]*?)^ *// #endregion$`, 'gm'),
  )
  return Array.from(parts, ([, indent = '', code = '']) =>
    code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  ).join('\n')
}

/** Finds programs that no page shows, or that the index of examples does not name. */
function unshown(): string[] {
  const programs = globSync(['examples/{*,testing/*}.ts', 'examples/cors/*.conf'], {
    cwd: root,
  }).filter((path) => !path.endsWith('demo.ts'))
  const index = pages.find(({name}) => name === 'examples/README.md')?.text ?? ''
  return [
    ...programs
      .filter((program) => !pages.some(({text}) => text.includes(`<!-- ${program} -->`)))
      .map((program) => `${program} is on no page`),
    ...globSync('examples/*', {cwd: root})
      .filter(
        (path) =>
          path !== 'examples/README.md' && !RegExp(`\\]\\(${basename(path)}[/)]`).test(index),
      )
      .map((path) => `examples/README.md does not name ${path}`),
  ]
}

/** Finds links to files and headings that are not there. */
function brokenLinks(name: string, text: string): string[] {
  return Array.from(text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)).flatMap(
    ([, path = '', heading]) => {
      const file = path === '' ? join(root, name) : join(root, dirname(name), path)
      const isThere =
        existsSync(file) &&
        (heading === undefined || headings(readFileSync(file, 'utf8')).includes(heading))
      return isThere ? [] : [`${name}: the link to ${path}${heading ?? ''} is broken`]
    },
  )
}

/** The headings of a page as GitHub names them in links. */
function headings(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\d\s-]/gu, '')
      .replaceAll(/\s/g, '-'),
  )
}

/** Compiles the snippets that are no programs. Each is a module of its own, in which `dav` is a client. */
function compileSnippets(): string[] {
  const folder = join(root, 'dist/snippets')
  mkdirSync(folder, {recursive: true})
  try {
    for (const {name, current} of pages) {
      const snippets = current.replaceAll(PROGRAM, '').replaceAll(REGION, '').matchAll(SNIPPET)
      for (const [index, [, code = '']] of Array.from(snippets).entries())
        writeFileSync(join(folder, `${name.replaceAll(/\W/g, '-')}-${index + 1}.ts`), code)
    }
    const client =
      "import type {DavClient} from 'multistatus'\ndeclare global {\n  const dav: DavClient\n}\n"
    writeFileSync(join(folder, 'client.ts'), client)
    const config = {
      extends: '../../tsconfig.json',
      compilerOptions: {noUnusedLocals: false},
      include: ['*.ts'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const compiler = fileURLToPath(
      new URL('bin/tsc', import.meta.resolve('@typescript/native/package.json')),
    )
    execFileSync(process.execPath, [compiler, '-p', folder], {encoding: 'utf8'})
    return []
  } catch (error) {
    return [`A snippet does not compile:\n${Reflect.get(Object(error), 'stdout') || String(error)}`]
  } finally {
    rmSync(folder, {recursive: true})
  }
}

function lines(text = ''): number {
  return text.split('\n').length - 1
}
