// Bundles each door for browsers like an application. Fails if a bundle is larger than its budget, contains a forbidden
// package, or needs Node.

import {fileURLToPath} from 'node:url'
import {gzipSync} from 'node:zlib'

import {build} from 'esbuild'

interface Budget {
  /** Maximum size in bytes, minified and gzipped. */
  readonly limit: number
  /** Packages that the bundle must not contain. */
  readonly without: readonly string[]
}

const BUDGETS: Readonly<Record<string, Budget>> = {
  multistatus: {limit: 56_000, without: ['undici']},
  'multistatus/parser': {limit: 22_500, without: ['undici', 'p-limit', 'fast-xml-parser']},
  'multistatus/fetch': {limit: 2200, without: ['undici', 'p-limit', 'fast-xml-parser']},
}

for (const [entry, {limit, without}] of Object.entries(BUDGETS)) {
  const result = await build({
    stdin: {
      contents: `export * from '${entry}'`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    // The package's own conditions count, not the paths of our type check.
    tsconfigRaw: '{}',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error(`${entry}: esbuild gave nothing`)
  const size = gzipSync(output.contents).length
  const inputs = Object.keys(result.metafile.inputs)
  const pulled = without.filter((name) =>
    inputs.some((input) => input.includes(`node_modules/${name}/`)),
  )
  const problems = [
    ...(size > limit ? [`is over its budget of ${limit} bytes`] : []),
    ...pulled.map((name) => `pulls in ${name}`),
  ]
  console.log(
    `${entry}: ${size} bytes minified and gzipped${problems.map((problem) => `; ${problem}`).join('')}`,
  )
  if (problems.length > 0) process.exitCode = 1
}
