// Lists a collection, a line for each member as it arrives, and says if the listing is complete.

import {basicAuth, DavClient, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const stream = dav.propfind('', {depth: 1, properties: ['getcontentlength', 'resourcetype']})
for await (const result of stream) {
  // An href is the server's text. It may hold an escape sequence that a terminal obeys.
  const href = visible(result.href)
  if (!result.ok) console.log(result.status, href, result.reason)
  else if (result.properties.resourcetype?.includes('collection')) console.log('collection', href)
  else console.log(result.properties.getcontentlength ?? '?', 'bytes', href)
}

const {complete, incomplete} = await stream.summary
console.log(
  complete ? 'That is all of it.' : `There may be more: ${visible(JSON.stringify(incomplete))}`,
)
