// Deletes what is named on the command line, eight at a time, and says what happened to each.

import {basicAuth, DavClient, encodePath, type Failure, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

// Plain names such as `100% #1?.jpg`: encodePath makes references of them that mean the same resource.
const targets = process.argv.slice(2).map((name) => encodePath(name))

for await (const result of dav.deleteMany(targets, {concurrency: 8})) {
  const {url, status} = result
  if (!result.ok) process.exitCode = 1
  if (result.ok) console.log('deleted', url)
  else if (result.relation === 'self') console.log('failed ', url, status, result.reason)
  else console.log('  in it:', url, status, wordsOf(result))
}

/** The server's own words as one line: a line feed in them could forge a line of ours. */
function wordsOf({description, conditions}: Failure): string {
  return visible(description ?? conditions.join(', '), 200)
}
