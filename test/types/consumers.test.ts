// Programs of users, compiled against the built declarations. Three compilers, both ways to resolve modules, and the types of
// Node, of browsers, or of both. Needs `dist`.

import {readFileSync} from 'node:fs'

import {expect, it} from 'vitest'

import {compile, type CompilerOptions, createProject, type Version} from './project.ts'

/** Programs that compile. */
const VALID = {
  'client.ts': `
import {basicAuth, DavClient, members, type Success, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'

const transport: Transport = async ({url, method, headers}) => fetch(url, {method, headers})
const dav = new DavClient({
  url: new URL('https://dav.example/'),
  auth: basicAuth('ana', 'secret'),
  transport: fetchTransport({fetch, credentials: 'same-origin'}),
  signal: AbortSignal.timeout(1000),
})
new DavClient({url: 'https://dav.example/', transport})
for await (const result of members(dav.propfind('a/', {properties: ['getetag', '{urn:x}tags']}))) {
  if (!result.ok) continue
  const etag: string | undefined = result.properties.getetag
  console.log(etag, result.properties['{urn:x}tags'])
}
export const stat: Success = await dav.stat('a', {allprop: true}).then((result) => {
  if (!result.ok) throw new Error(result.reason)
  return result
})
await dav.deleteMany(['a', new URL('https://dav.example/b'), stat]).collect()
await dav.deleteMany(new Set(['a'])).collect()
await dav.deleteMany(dav.propfind('a/')).collect()
await dav.deleteMany(new ReadableStream<string>()).collect()
const {body} = await dav.request('PUT', 'a', {body: new Blob(['text'])})
for await (const bytes of body ?? []) console.log(bytes.length)
await dav.request('PUT', 'a', {body: new Blob(['text']).stream()}).then((response) => response.body?.cancel())
await dav.close()
`,
  'parser.ts': `
import {MultiStatusStream, parseMultiStatus} from 'multistatus/parser'

const response = await fetch('https://dav.example/', {method: 'PROPFIND'})
for await (const result of parseMultiStatus(response)) console.log(result.href)
await parseMultiStatus(new Blob(['text']).stream()).collect()
await parseMultiStatus(new Uint8Array()).collect()
export const results = response.body?.pipeThrough(new MultiStatusStream())
`,
}

/** A program that imports every entry point, or those for browsers. */
function importAll(isForNode: boolean): string {
  const {exports} = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const names = Object.keys(exports).filter((name) => {
    const {types, browser} = exports[name]
    return types !== undefined && (isForNode || browser !== null)
  })
  return names
    .map((name, index) => `import * as _${index} from 'multistatus${name.slice(1)}'`)
    .join('\n')
}

const HEAD = `
import {DavClient, type Failure} from 'multistatus'
import {parseMultiStatus} from 'multistatus/parser'
declare const failure: Failure
const dav = new DavClient({url: 'https://dav.example/'})
const result = await dav.stat('a', {properties: ['getetag'], decoders: {getetag: () => 1}})
if (!result.ok) throw new Error(result.reason)`

/** Statements that do not compile, each with the beginning of its error. */
const MISTAKES: readonly (readonly [statement: string, error: string])[] = [
  [
    `dav.deleteMany(['a'], {ifUnchangd: true})`,
    `TS2561: Object literal may only specify known properties, but 'ifUnchangd' does not exist in type 'DeleteManyOptions'. Did you mean to write 'ifUnchanged'?`,
  ],
  [
    `dav.propfind('a', {propertys: ['getetag']})`,
    `TS2561: Object literal may only specify known properties, but 'propertys' does not exist in type 'PropfindOptions<PropertyNameList, Record<never, never>, false>'. Did you mean to write 'properties'?`,
  ],
  [
    `dav.propfind('a', {properties: ['getetag'], dept: 1})`,
    `TS2561: Object literal may only specify known properties, but 'dept' does not exist in type 'PropfindOptions<readonly ["getetag"], Record<never, never>, false>'. Did you mean to write 'depth'?`,
  ],
  [
    `dav.stat('a', {allprop: true, decodrs: {}})`,
    `TS2561: Object literal may only specify known properties, but 'decodrs' does not exist in type 'StatOptions<PropertyNameList, Record<never, never>, true>'. Did you mean to write 'decoders'?`,
  ],
  [
    `dav.stat('a', {depth: 1})`,
    `TS2353: Object literal may only specify known properties, and 'depth' does not exist in type 'StatOptions<`,
  ],
  [
    `dav.walk('a', {levls: 2})`,
    `TS2561: Object literal may only specify known properties, but 'levls' does not exist in type 'WalkOptions<PropertyNameList, Record<never, never>, false>'. Did you mean to write 'levels'?`,
  ],
  [
    `new DavClient({url: 'https://dav.example/', concurency: 1})`,
    `TS2561: Object literal may only specify known properties, but 'concurency' does not exist in type 'DavClientOptions<Record<never, never>>'. Did you mean to write 'concurrency'?`,
  ],
  [
    `parseMultiStatus('', {malfromed: 'skip'})`,
    `TS2561: Object literal may only specify known properties, but 'malfromed' does not exist in type 'ParserOptions<Record<never, never>>'. Did you mean to write 'malformed'?`,
  ],
  [`dav.propfind('a', {depth: 'infinty'})`, `TS2820: Type '"infinty"' is not assignable to type '`],
  [
    `dav.propfind('a', {properties: 'getetag'})`,
    `TS2322: Type 'string' is not assignable to type 'PropertyNameList'.`,
  ],
  [
    `dav.deleteMany('abc')`,
    `TS2345: Argument of type 'string' is not assignable to parameter of type 'Targets'.`,
  ],
  [
    `dav.deleteMany(failure)`,
    `TS2345: Argument of type 'Failure' is not assignable to parameter of type 'Targets'.`,
  ],
  [`dav.deleteMany(['a', 1])`, `TS2322: Type 'number' is not assignable to type 'DeleteTarget'.`],
  [
    `dav.deleteMany([{href: 'a', ifMatsh: '"1"'}])`,
    `TS2353: Object literal may only specify known properties, and 'ifMatsh' does not exist in type `,
  ],
  [
    `dav.retry(failure)`,
    `TS2345: Argument of type 'Failure' is not assignable to parameter of type '`,
  ],
  [
    `result.properties.getcontentlength`,
    `TS2339: Property 'getcontentlength' does not exist on type '{ readonly getetag?: number | undefined; }'.`,
  ],
  [
    `result.properties.getetag?.length`,
    `TS2339: Property 'length' does not exist on type 'number'.`,
  ],
]

const PROGRAMS = {
  ...VALID,
  'mistakes.ts': [HEAD, ...MISTAKES.map(([statement]) => statement)].join('\n'),
}
const FIRST = HEAD.split('\n').length + 1
const ERRORS = MISTAKES.map(([, error], index) => `mistakes.ts(${FIRST + index}): ${error}`)

const NODE: CompilerOptions = {lib: ['es2023'], types: ['node']}
const BROWSER: CompilerOptions = {lib: ['es2023', 'dom'], types: []}
const BOTH: CompilerOptions = {lib: ['es2023', 'dom'], types: ['node']}
const NODENEXT: CompilerOptions = {module: 'nodenext'}
const BUNDLER: CompilerOptions = {module: 'esnext', moduleResolution: 'bundler'}

it.each<[version: Version, environment: string, options: CompilerOptions]>([
  ['5.4', 'Node, nodenext', {...NODENEXT, ...NODE}],
  ['5.4', 'Node, bundler', {...BUNDLER, ...NODE}],
  ['5.4', 'browser, nodenext', {...NODENEXT, ...BROWSER}],
  ['5.4', 'browser, bundler', {...BUNDLER, ...BROWSER}],
  ['6.0', 'Node, nodenext', {...NODENEXT, ...NODE}],
  ['6.0', 'browser, bundler', {...BUNDLER, ...BROWSER}],
  ['7.0', 'Node, nodenext', {...NODENEXT, ...NODE}],
  ['7.0', 'Node, bundler', {...BUNDLER, ...NODE}],
  ['7.0', 'browser, nodenext', {...NODENEXT, ...BROWSER}],
  ['7.0', 'browser, bundler', {...BUNDLER, ...BROWSER}],
  ['7.0', 'both, nodenext', {...NODENEXT, ...BOTH}],
])(
  'TypeScript %s (%s) reports one line for each mistake, and nothing else',
  async (version, _, options) => {
    const imports = importAll(options['types'] !== BROWSER['types'])
    await using project = await createProject({...PROGRAMS, 'imports.ts': imports})
    const errors = await compile(project, version, options)
    const begun = errors.map((error, index) => error.slice(0, ERRORS[index]?.length))
    expect(begun).toEqual(ERRORS)
    expect(errors.filter((error) => error.includes('\n'))).toEqual([])
  },
)

it.each<[version: Version, inScope: string]>([
  [
    '5.4',
    "mistakes.ts(2): TS2339: Property 'asyncDispose' does not exist on type 'SymbolConstructor'.",
  ],
  [
    '6.0',
    "mistakes.ts(2): TS2550: Property 'asyncDispose' does not exist on type 'SymbolConstructor'.",
  ],
  [
    '7.0',
    "mistakes.ts(2): TS2550: Property 'asyncDispose' does not exist on type 'SymbolConstructor'.",
  ],
])(
  'TypeScript %s takes a client with `await using`, and knows no Symbol.asyncDispose without its library',
  async (version, unknown) => {
    const client = `import {DavClient} from 'multistatus'\n`
    const options = {...NODENEXT, types: []}
    await using scope = await createProject({
      'scope.ts': `${client}await using dav: AsyncDisposable = new DavClient({url: 'https://dav.example/'})`,
    })
    const lib = ['es2023', 'dom', 'esnext.disposable']
    expect(await compile(scope, version, {...options, lib})).toEqual([])
    await using plain = await createProject({
      'mistakes.ts': `${client}console.log(Symbol.asyncDispose, DavClient)`,
    })
    const [error, ...others] = await compile(plain, version, {...options, lib: ['es2023', 'dom']})
    expect(error?.slice(0, unknown.length)).toBe(unknown)
    expect(others).toEqual([])
  },
)
