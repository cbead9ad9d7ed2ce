// LOCK and UNLOCK with the platform's fetch, as another program that holds a resource.
// RFC 4918, sections 9.10 and 9.11.

const LOCKINFO = `<?xml version="1.0" encoding="utf-8"?>
<lockinfo xmlns="DAV:">
  <lockscope><exclusive/></lockscope>
  <locktype><write/></locktype>
  <owner>the demo</owner>
</lockinfo>`

/** Takes an exclusive write lock on one resource for a minute, and returns its token as in the Lock-Token header. */
export async function lock(url: string): Promise<string> {
  const response = await fetch(url, {
    method: 'LOCK',
    headers: {'Content-Type': 'application/xml', Depth: '0', Timeout: 'Second-60'},
    body: LOCKINFO,
  })
  await response.body?.cancel()
  const token = response.headers.get('Lock-Token')
  if (token === null) throw new Error(`LOCK ${url} answered ${response.status} without a token.`)
  return token
}

/** Releases the lock. */
export async function unlock(url: string, token: string): Promise<void> {
  const response = await fetch(url, {method: 'UNLOCK', headers: {'Lock-Token': token}})
  await response.body?.cancel()
  // A refused UNLOCK may come wrapped in a 207, so only 204 is a success.
  if (response.status !== 204) throw new Error(`UNLOCK ${url} answered ${response.status}.`)
}
