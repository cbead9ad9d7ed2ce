// Reads a 207 answer from a plain `fetch`, without the client. Results come while the answer arrives, in flat memory.

import {parseMultiStatus, visible} from 'multistatus/parser'

const {DAV_URL: url = 'http://localhost:8080/'} = process.env

const response = await fetch(url, {
  method: 'PROPFIND',
  headers: {depth: '1', 'content-type': 'application/xml'},
  body: '<propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>',
})
if (!response.ok) throw new Error(`PROPFIND was answered ${response.status}`)

for await (const result of parseMultiStatus(response, {url})) {
  const href = visible(result.href)
  if (result.ok) console.log(result.status, href, visible(result.properties.getetag ?? 'no ETag'))
  else console.log(result.status, href, result.reason)
}
