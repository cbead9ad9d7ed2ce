/** Locks set and removed without the client. */
import type {Server} from './server.ts'

const LOCKINFO = `<?xml version="1.0" encoding="utf-8"?>
<lockinfo xmlns="DAV:">
  <lockscope><exclusive/></lockscope>
  <locktype><write/></locktype>
  <owner>somebody else</owner>
</lockinfo>`

/** Locks a file for writing, as another user would. Returns a function that removes the lock. */
export async function lock(server: Server, path: string): Promise<() => Promise<void>> {
  const url = server.url() + path
  const answer = await fetch(url, {method: 'LOCK', headers: {timeout: 'Second-60'}, body: LOCKINFO})
  await answer.text()
  const token = answer.headers.get('lock-token')
  if (!answer.ok || token === null) throw new Error(`LOCK ${url} answered ${answer.status}`)
  return async () => {
    const unlocked = await fetch(url, {method: 'UNLOCK', headers: {'lock-token': token}})
    if (unlocked.status !== 204) throw new Error(`UNLOCK ${url} answered ${unlocked.status}`)
  }
}
