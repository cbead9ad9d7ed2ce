// Prints the size that each verb adds to a bundle of `DavClient`: the bundle with all verbs, less the bundle in which the
// file of that verb has empty functions. Both are minified and gzipped. Parts that several verbs share count for none of them.

import {readdirSync, readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {gzipSync} from 'node:zlib'

import type {Plugin} from 'esbuild'
import {build} from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))
const verbs = readdirSync(`${root}src/verbs`)

/** Replaces a module by one with the same names. Each is an empty function. */
function without(file: string): Plugin {
  return {
    name: 'without',
    setup(bundling) {
      bundling.onLoad(
        {filter: new RegExp(`/src/verbs/${file.replaceAll('.', '\\.')}$`)},
        ({path}) => {
          const text = readFileSync(path, 'utf8')
          const names = Array.from(
            text.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm),
            ([, name]) => `export function ${name}() {}`,
          )
          return {contents: names.join('\n'), loader: 'ts'}
        },
      )
    },
  }
}

async function sizeOf(plugins: Plugin[]): Promise<number> {
  const result = await build({
    stdin: {contents: "export {DavClient} from './src/index.ts'", resolveDir: root},
    alias: {'#default-transport': `${root}src/transport/default.ts`},
    tsconfigRaw: '{}',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
    plugins,
  })
  const [output] = result.outputFiles
  if (output === undefined) throw new Error('esbuild gave no bundle')
  return gzipSync(output.contents).length
}

const whole = await sizeOf([])
console.log(`all of DavClient: ${whole} bytes`)
for (const file of verbs) {
  const size = await sizeOf([without(file)])
  console.log(`${file.padEnd(20)} ${String(whole - size).padStart(6)} bytes`)
}
