/** Locks of another program with a known token, which a DELETE can send. */
import type {Server} from './server.ts'

const LOCKINFO = `<?xml version="1.0" encoding="utf-8"?>
<lockinfo xmlns="DAV:">
  <lockscope><exclusive/></lockscope>
  <locktype><write/></locktype>
  <owner>somebody else</owner>
</lockinfo>`

export interface Lock {
  /** The token without its angle brackets. */
  readonly token: string
  /** Unlocks the file. Servers differ in their answer for a deleted file. */
  release(resource: {readonly isGone: boolean}): Promise<void>
}

/** Locks a file for writing. The path is encoded, and relative to the root of the server. */
export async function takeLock(server: Server, path: string): Promise<Lock> {
  const url = server.url() + path
  // nephele answers 415 to a body of another type.
  const headers = {timeout: 'Second-300', 'content-type': 'application/xml; charset=utf-8'}
  const answer = await fetch(url, {method: 'LOCK', headers, body: LOCKINFO})
  await answer.text()
  const token = /^<(.+)>$/.exec(answer.headers.get('lock-token') ?? '')?.[1]
  if (!answer.ok || token === undefined) throw new Error(`LOCK ${url} answered ${answer.status}`)
  const release: Lock['release'] = async ({isGone}) => {
    const unlocked = await fetch(url, {method: 'UNLOCK', headers: {'lock-token': `<${token}>`}})
    await unlocked.text()
    if (!isGone && unlocked.status !== 204)
      throw new Error(`UNLOCK ${url} answered ${unlocked.status}`)
  }
  return {token, release}
}
