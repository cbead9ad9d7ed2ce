// Bundles imports of the package for browsers as an application would. Fails for a bundle over its budget, for one that
// pulls in a package it must not, and for one that needs Node.

import {fileURLToPath} from 'node:url'
import {gzipSync} from 'node:zlib'

import {build} from 'esbuild'

interface Budget {
  /** The program: a whole door, or the names that are imported from it. */
  readonly program: string
  /** The size in bytes, minified and gzipped. */
  readonly limit: number
  /** Packages that the bundle must not contain. */
  readonly without: readonly string[]
}

const PARSERS = ['undici', 'fast-xml-parser']
const ALL = [...PARSERS, 'p-limit']

// The tests of an application have no budget: 'multistatus/testing' brings fast-xml-parser with it.
const BUDGETS: readonly Budget[] = [
  {program: "export * from 'multistatus'", limit: 111_000, without: PARSERS},
  {program: "export {DavClient} from 'multistatus'", limit: 91_500, without: PARSERS},
  {program: "export {isFailure} from 'multistatus'", limit: 500, without: ALL},
  {program: "export {encodePath, keyOf} from 'multistatus'", limit: 1210, without: ALL},
  {program: "export {basicAuth} from 'multistatus'", limit: 500, without: ALL},
  {program: "export {aclDecoders} from 'multistatus'", limit: 1730, without: ALL},
  {program: "export {principalDecoders} from 'multistatus'", limit: 1360, without: ALL},
  {program: "export {versioningDecoders} from 'multistatus'", limit: 1150, without: ALL},
  {program: "export {calendarDecoders} from 'multistatus'", limit: 2800, without: ALL},
  {program: "export {addressbookDecoders} from 'multistatus'", limit: 1670, without: ALL},
  {program: "export {discover} from 'multistatus'", limit: 7200, without: ALL},
  {program: "export * from 'multistatus/parser'", limit: 23_150, without: ALL},
  {program: "export {MultiStatusParser} from 'multistatus/parser'", limit: 19_400, without: ALL},
  {program: "export * from 'multistatus/fetch'", limit: 2920, without: ALL},
]

for (const {program, limit, without} of BUDGETS) {
  const result = await build({
    stdin: {contents: program, resolveDir: fileURLToPath(new URL('../..', import.meta.url))},
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
  if (output === undefined) throw new Error(`${program}: esbuild gave no bundle`)
  const size = gzipSync(output.contents).length
  const inputs = Object.values(result.metafile.outputs).flatMap((bundle) =>
    Object.entries(bundle.inputs).filter(([, {bytesInOutput}]) => bytesInOutput > 0),
  )
  const pulled = without.filter((name) =>
    inputs.some(([input]) => input.includes(`node_modules/${name}/`)),
  )
  const problems = [
    ...(size > limit ? [`is over its budget of ${limit} bytes`] : []),
    ...pulled.map((name) => `pulls in ${name}`),
  ]
  console.log(
    `${program}: ${size} bytes minified and gzipped${problems.map((problem) => `; ${problem}`).join('')}`,
  )
  if (problems.length > 0) process.exitCode = 1
}
