/** A compiler in JavaScript, for many programs. The declarations that they share are parsed once. */

import {createRequire} from 'node:module'
import {join} from 'node:path'

import type TypeScript from 'typescript'

type FileCache = Map<string, TypeScript.SourceFile | undefined>

export class Compiler {
  readonly #package: string
  /** The parsed files of all programs, by the options that change the parsing. */
  readonly #files = new Map<string, FileCache>()
  #typescript: typeof TypeScript | undefined

  constructor(name: string) {
    this.#package = name
  }

  /** Compiles the programs of a folder with a `tsconfig.json`. Returns the errors as `tsc --pretty false` prints them. */
  compile(folder: string): string {
    const ts: typeof TypeScript = (this.#typescript ??= createRequire(import.meta.url)(
      this.#package,
    ))
    const config = ts.getParsedCommandLineOfConfigFile(join(folder, 'tsconfig.json'), undefined, {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({messageText}) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'))
      },
    })
    if (config === undefined) throw new Error(`no tsconfig.json in ${folder}`)
    const {fileNames, options, errors} = config
    const plain = ts.createCompilerHost(options)
    const host: TypeScript.CompilerHost = {
      ...plain,
      getCurrentDirectory: () => folder,
      getSourceFile: (name, settings, ...others) => {
        const files = this.#filesFor(settings)
        if (!files.has(name)) files.set(name, plain.getSourceFile(name, settings, ...others))
        return files.get(name)
      },
    }
    const program = ts.createProgram(fileNames, options, host)
    return ts.formatDiagnostics([...errors, ...ts.getPreEmitDiagnostics(program)], host)
  }

  #filesFor(settings: TypeScript.ScriptTarget | TypeScript.CreateSourceFileOptions): FileCache {
    const {languageVersion, impliedNodeFormat} =
      typeof settings === 'object'
        ? settings
        : {languageVersion: settings, impliedNodeFormat: undefined}
    const key = `${languageVersion} ${impliedNodeFormat}`
    const files: FileCache = this.#files.get(key) ?? new Map()
    this.#files.set(key, files)
    return files
  }
}
