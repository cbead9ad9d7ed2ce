// Lists a collection with an OAuth token that is kept in a file. A refused token is refreshed once, also by several processes:
// node refresh-token.ts token.json

import {mkdir, readFile, rename, rmdir, stat, writeFile} from 'node:fs/promises'
import {setTimeout as delay} from 'node:timers/promises'

import {bearerAuth, DavAuthError, DavClient, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', TOKEN_URL = '', CLIENT_ID = 'example'} = process.env
const [file = 'token.json'] = process.argv.slice(2)

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
}

async function read(): Promise<Tokens> {
  return JSON.parse(await readFile(file, 'utf8'))
}

/** Replaces the file at once, readable by its owner only. */
async function write(tokens: Tokens): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(tokens), {mode: 0o600})
  await rename(`${file}.new`, file)
}

/** Runs a function while no other process does. A lock that is a minute old was left by a process that died. */
async function locked<T>(run: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  while (!(await mkdir(lock).then(...isMade))) {
    const {mtimeMs} = await stat(lock).catch(() => ({mtimeMs: Date.now()}))
    if (Date.now() - mtimeMs > 60_000) await rmdir(lock).catch(() => {})
    await delay(100)
  }
  try {
    return await run()
  } finally {
    await rmdir(lock)
  }
}

const isMade = [
  () => true,
  (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    return false
  },
] as const

async function refresh(refused: string): Promise<string> {
  const old = await read()
  // Another process was first, and the old refresh token is used up.
  if (old.access_token !== refused) return old.access_token
  const form = {grant_type: 'refresh_token', refresh_token: old.refresh_token, client_id: CLIENT_ID}
  const signal = AbortSignal.timeout(30_000)
  const answer = await fetch(TOKEN_URL, {method: 'POST', body: new URLSearchParams(form), signal})
  const told = await answer.json()
  // The code `invalid_grant` ends the session.
  if (!answer.ok) throw Object.assign(new Error(`status ${answer.status}`), {code: told.error})
  await write({refresh_token: old.refresh_token, ...told})
  return told.access_token
}

const auth = bearerAuth({
  token: async () => (await read()).access_token,
  refresh: (refused) => locked(() => refresh(refused)),
})
const dav = new DavClient({url: DAV_URL, auth})
try {
  for await (const {url} of dav.propfind('', {depth: 1})) console.log(visible(url))
} catch (error) {
  if (!DavAuthError.is(error)) throw error
  process.exitCode = 1
  console.log(error.reason === 'ended' ? 'Sign in again.' : `Later again: ${String(error.cause)}`)
}
