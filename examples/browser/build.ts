// `npm run page:build -- FOLDER PATH` writes the static files of the page into FOLDER. PATH is the path of the collection on the
// server that will serve them, such as /dav/.

import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'

import {buildPage} from './server/files.ts'

const [folder, dav = '/'] = process.argv.slice(2)
if (folder === undefined) throw new Error('Name a folder: npm run page:build -- FOLDER PATH')
await mkdir(folder, {recursive: true})
for (const [name, text] of await buildPage(dav)) await writeFile(join(folder, name), text)
console.log(`The page for ${dav} is in ${folder}.`)
