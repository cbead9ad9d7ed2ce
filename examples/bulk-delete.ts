// Deletes the files that are named on the command line, eight at a time, and prints the outcome for each.

import {basicAuth, DavClient, encodePath, type Failure, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

// encodePath makes references of plain names such as `100% #1?.jpg`.
const targets = process.argv.slice(2).map((name) => encodePath(name))

for await (const result of dav.deleteMany(targets, {concurrency: 8})) {
  const {url, status} = result
  if (!result.ok) process.exitCode = 1
  if (result.ok) console.log('deleted', url)
  else if (result.relation === 'self') console.log('failed ', url, status, result.reason)
  else console.log('  in it:', url, status, wordsOf(result))
}

/** Returns the server's words in one line, because a line feed could forge a line of this program. */
function wordsOf({description, conditions}: Failure): string {
  return visible(description ?? conditions.join(', '), 200)
}
