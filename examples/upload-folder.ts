// Uploads a folder, four files at a time, and draws the progress. A file that is there already is left alone, so the same call
// again goes on after a break. `safely` makes that true on each server: no name has a half file, and `create` is obeyed.

import {opendir} from 'node:fs/promises'
import {join, relative, sep} from 'node:path'

import {logUpdateStderr as draw} from 'log-update'
import {basicAuth, DavClient, encodePath, type Progress, type Upload} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})
const [folder = '.', given = 'uploads'] = process.argv.slice(2)
const target = given === '' || given.endsWith('/') ? given : `${given}/`

const uploads: Upload[] = []
for await (const entry of await opendir(folder, {recursive: true})) {
  if (!entry.isFile()) continue
  const path = join(entry.parentPath, entry.name)
  const name = relative(folder, path).split(sep).join('/')
  uploads.push({href: encodePath(`${target}${name}`), body: {path}, create: true})
}

const onProgress = ({done, failed, total = 0}: Progress): void => {
  const filled = total === 0 ? 30 : Math.floor((done / total) * 30)
  const bar = '█'.repeat(filled).padEnd(30, '░')
  if (process.stderr.isTTY) draw(`${bar} ${done} of ${total} files, ${failed} failed`)
}

const options = {parents: true, safely: true, concurrency: 4, retry: 4, onProgress}
for await (const result of dav.putMany(uploads, options)) {
  if (result.ok) continue
  draw.clear()
  if (result.status === 412) console.log('there already', result.url)
  else {
    process.exitCode = 1
    console.log('failed', result.url, result.status, result.description ?? result.reason)
  }
}
draw.done()
console.log(`${uploads.length} files`)
