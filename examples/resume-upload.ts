// Uploads the file that is named on the command line, in chunks if the server is Nextcloud, ownCloud Infinite Scale or OpenCloud.
// The state is kept in a file beside it. After a break or a crash, the same call sends only the chunks that are missing.

import {existsSync} from 'node:fs'
import {readFile, rename, rm, writeFile} from 'node:fs/promises'
import {basename} from 'node:path'

import {logUpdateStderr as draw} from 'log-update'
import {
  basicAuth,
  DavClient,
  encodePath,
  type TransferProgress,
  type UploadState,
} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})
const [path = 'film.bin'] = process.argv.slice(2)
const name = basename(path)
const state = `${path}.upload.json`

const upload = await readState()
if (upload !== undefined) console.log(`goes on with the upload of ${upload.size} bytes`)
const onUpload = async (now: UploadState): Promise<void> => {
  await writeFile(`${state}.new`, JSON.stringify(now))
  await rename(`${state}.new`, state)
}
const onProgress = ({bytes, total = bytes}: TransferProgress): void => {
  if (process.stderr.isTTY) draw(`${bytes} of ${total} bytes`)
}

// The answer tells if the server takes chunks.
await dav.options('')
const verdict = await dav.put(encodePath(name), {path}, {upload, onUpload, onProgress, retry: 4})
draw.done()
if (verdict.ok) {
  await rm(state, {force: true})
  console.log(`uploaded ${name}`)
} else {
  console.log(`no ${name}: ${verdict.status} ${verdict.reason} ${verdict.description ?? ''}`)
  process.exitCode = 1
}

/** Reads the state that an earlier run has left; `undefined` if there is none, or it cannot be read. */
async function readState(): Promise<UploadState | undefined> {
  if (!existsSync(state)) return undefined
  try {
    return JSON.parse(await readFile(state, 'utf8'))
  } catch {
    console.log(`begins anew: ${state} cannot be read`)
    return undefined
  }
}
