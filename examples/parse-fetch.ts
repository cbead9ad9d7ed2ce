// The reader alone, on a plain `fetch`: results while the answer is still arriving, in flat memory.

import {parseMultiStatus} from 'multistatus/parser'

const {DAV_URL: url = 'http://localhost:8080/'} = process.env

const response = await fetch(url, {
  method: 'PROPFIND',
  headers: {depth: '1', 'content-type': 'application/xml'},
  body: '<propfind xmlns="DAV:"><prop><getetag/><getlastmodified/></prop></propfind>',
})

for await (const result of parseMultiStatus(response, {url})) {
  if (result.ok) console.log(result.status, result.href, result.properties.getetag ?? 'no ETag')
  else console.log(result.status, result.href, result.reason)
}
