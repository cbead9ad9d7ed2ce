// Builds the static files of the page: index.html for a collection, its style, its icon, and one script.

import {readFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'

import {build} from 'esbuild'

const source = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** Builds the files of the page by name. `dav` is the path of the collection on the origin of the page. */
export async function buildPage(dav: string): Promise<ReadonlyMap<string, string>> {
  const {outputFiles} = await build({
    entryPoints: [source('page.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    write: false,
    logLevel: 'silent',
    // The package's own conditions count, not the paths of our type check.
    tsconfigRaw: '{}',
  })
  const html = await readFile(source('index.html'), 'utf8')
  return new Map([
    [
      'index.html',
      html.replace(/(name="dav-url" content=")[^"]*/, (_, begin) => begin + escaped(dav)),
    ],
    ['page.css', await readFile(source('page.css'), 'utf8')],
    ['icon.svg', await readFile(source('icon.svg'), 'utf8')],
    ['page.js', outputFiles[0]?.text ?? ''],
  ])
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
