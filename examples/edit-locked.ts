// Adds a line to a file, under a lock: node edit-locked.ts notes.txt 'A line'. Nobody else can write between the reading and the
// writing.

import {basicAuth, DavClient, encodePath, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const [name = '', line = ''] = process.argv.slice(2)
const href = encodePath(name)

const lock = await dav.lock(href, {depth: 0, renew: true})
if (lock.ok) {
  // Unlocks at the end of this block, whatever happens in it.
  await using held = lock
  console.log('locked for', Math.round(held.timeout / 1000), 'seconds by', held.owner)
  const file = await dav.get(href, {signal: held.signal})
  const text = file.ok ? await file.text() : ''
  // A new file has no text yet. After any other refusal, an upload would remove the text that is there.
  const isRead = file.ok || file.status === 404
  // The client submits the token by itself. The signal ends the upload if the lock is lost.
  const written = isRead ? await dav.put(href, `${text}${line}\n`, {signal: held.signal}) : file
  console.log(
    written.ok
      ? 'written'
      : `not written: ${written.status} ${visible(written.description ?? '', 200)}`.trimEnd(),
  )
  if (!written.ok) process.exitCode = 1
} else {
  process.exitCode = 1
  const words =
    lock.status === 423 ? 'somebody else has locked it' : (lock.description ?? lock.reason)
  console.log('not locked:', lock.status, visible(words, 200))
}
console.log(dav.locks.length, 'locks left')
