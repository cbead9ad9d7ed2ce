// The demo: a real server, a locked member, a bulk DELETE, its verdicts, the retry. `npm run demo` runs it on a server in this
// process, and exits with 0 only if every verdict was right.
//
// `npm run demo -- URL` lists a collection of your own server and changes nothing. Credentials come from DAV_USERNAME and
// DAV_PASSWORD, or from DAV_TOKEN.

import {styleText} from 'node:util'

import {DavHttpError, visible} from 'multistatus'

import {listServer} from './demo/list.ts'
import {tellStory} from './demo/story.ts'

const [url] = process.argv.slice(2)
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort(new Error('Interrupted.')))
process.stdout.on('error', () => interrupt.abort(new Error('Nobody reads the output any more.')))

try {
  if (url === undefined) await tellStory(interrupt.signal)
  else await listServer(url, process.env, interrupt.signal)
} catch (error) {
  // A wrong verdict, a refused connection, a bad URL: the message explains each of them.
  const message = error instanceof Error ? error.message : String(error)
  const isUnauthorized = DavHttpError.is(error) && error.status === 401
  const hint = isUnauthorized ? ': set DAV_USERNAME and DAV_PASSWORD, or DAV_TOKEN' : ''
  console.error(styleText('red', visible(message + hint), {stream: process.stderr}))
  process.exitCode = 1
}
