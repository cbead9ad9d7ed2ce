// The built declarations as an editor shows them: types under the pointer, and names that it proposes. Needs `dist`.

import {join} from 'node:path'

import ts from 'typescript'
import {afterAll, describe, expect, it} from 'vitest'

import {createProject} from './project.ts'

const KNOWN = [
  'creationdate',
  'displayname',
  'getcontentlanguage',
  'getcontentlength',
  'getcontenttype',
  'getetag',
  'getlastmodified',
  'resourcetype',
  'quota-available-bytes',
  'quota-used-bytes',
  'sync-token',
  'lockdiscovery',
  'supportedlock',
]

const TEXT = `
import {DavClient} from 'multistatus'
import {parseMultiStatus} from 'multistatus/parser'
const dav = new DavClient({url: 'https://dav.example/'})
const named = dav.propfind('a/', {properties: ['getetag', '{DAV:}getcontentlength', '{urn:x}tags']})
const unnamed = await dav.stat('a')
const decoded = await dav.stat('a', {properties: ['getetag'], decoders: {'{DAV:}getetag': () => 1}})
const all = await dav.stat('a', {allprop: true})
const names = dav.propfind('a/', {propname: true})
const allDecoded = await dav.stat('a', {allprop: true, decoders: {'{urn:x}size': () => 1}})
const walked = dav.walk('a/', {properties: ['getetag'], levels: 2})
const parsed = parseMultiStatus('')
dav.propfind('a/', {properties: ['']})
dav.walk('a/', {properties: ['']})
dav.stat('a', {properties: ['getetag', '']})
dav.stat('a', {allprop: true, include: ['']})
dav.stat('a', {properties: ['getetag', '{urn:x}tags', 'not-known']})
`

describe('an editor', async () => {
  const project = await createProject({'program.ts': TEXT})
  const file = join(project.folder, 'program.ts')
  const service = ts.createLanguageService(serviceHost(project.folder, file))

  afterAll(() => project[Symbol.asyncDispose]())

  it.each<[name: string, text: string]>([
    [
      'named',
      'const named: ListingStream<{ readonly getcontentlength?: number; readonly getetag?: string; readonly "{urn:x}tags"?: RawValue; }>',
    ],
    [
      'unnamed',
      'const unnamed: DavResult<{ readonly getcontentlength?: number; readonly getcontenttype?: string; readonly getetag?: string; readonly getlastmodified?: Date; readonly resourcetype?: readonly string[]; }>',
    ],
    ['decoded', 'const decoded: DavResult<{ readonly getetag?: number; }>'],
    ['all', 'const all: DavResult<Properties>'],
    ['names', 'const names: ListingStream<Properties>'],
    [
      'allDecoded',
      'const allDecoded: DavResult<{ readonly "{urn:x}size"?: number; } & Partial<Omit<LiveProperties, "{urn:x}size">> & OtherProperties>',
    ],
    ['walked', 'const walked: ListingStream<{ readonly getetag?: string; }>'],
    ['parsed', 'const parsed: ResultStream<Properties, DavResult<Properties>>'],
  ])('shows the members of the properties: %s', (name, text) => {
    expect(hover(name)).toBe(text)
  })

  it.each([
    "propfind('a/', {properties: ['",
    "walk('a/', {properties: ['",
    "stat('a', {properties: ['getetag', '",
    "stat('a', {allprop: true, include: ['",
  ])('proposes the known names behind %s', (before) => {
    const position = TEXT.indexOf(`${before}'`) + before.length
    const {entries = []} = service.getCompletionsAtPosition(file, position, {}) ?? {}
    expect(entries.map(({name}) => name)).toEqual(KNOWN)
  })

  it('finds no error in names that are not known', () => {
    expect(service.getSemanticDiagnostics(file)).toEqual([])
  })

  function hover(name: string): string {
    const {displayParts} = service.getQuickInfoAtPosition(file, TEXT.indexOf(`${name} =`)) ?? {}
    return ts.displayPartsToString(displayParts).replaceAll(/\s+/g, ' ')
  }
})

function serviceHost(folder: string, file: string): ts.LanguageServiceHost {
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    types: ['node'],
  }
  return {
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const text = ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => folder,
    getCompilationSettings: () => options,
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
  }
}
