// Renames a file or collection without replacing anything, and then looks at both names.

import {basicAuth, DavClient, decodePath, encodePath, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

// encodePath makes references of plain names such as `100% #1?.jpg`.
const [from = '', to = ''] = process.argv.slice(2).map((name) => encodePath(name))

// As a result, a collection is asked for with its slash.
const source = await dav.stat(from, {properties: ['resourcetype']})
const moved = source.ok ? await dav.move(source, to, {parents: true}) : source

if (moved.ok) console.log('renamed to', moved.destination)
else {
  process.exitCode = 1
  const words = moved.status === 412 ? 'the new name is taken' : (moved.description ?? moved.reason)
  console.log('not renamed:', moved.status, visible(words, 200))
  // A collection may be at both names, in part.
  for (const member of moved.members ?? []) console.log(' ', member.status, member.url)
}
for (const name of [from, to])
  console.log(decodePath(name), (await dav.exists(name)) ? 'is there' : 'is not there')
