// Lists a collection, a line for each member as it arrives, and says whether the listing is whole.

import {basicAuth, DavClient} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const stream = dav.propfind('', {depth: 1, properties: ['getcontentlength', 'resourcetype']})
for await (const result of stream) {
  if (!result.ok) console.log(result.status, result.href, result.reason)
  else if (result.properties.resourcetype?.includes('collection'))
    console.log('collection', result.href)
  else console.log(result.properties.getcontentlength ?? '?', 'bytes', result.href)
}

const {complete, incomplete} = await stream.summary
console.log(complete ? 'That is all of it.' : `There may be more: ${JSON.stringify(incomplete)}`)
