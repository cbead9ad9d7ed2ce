// Sets the author of a file, and knows that the server keeps it: node set-property.ts notes.txt Ana

import {basicAuth, DavClient, encodePath} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})
const [name = '', author = ''] = process.argv.slice(2)

const result = await dav.proppatch(encodePath(name), {
  set: {'{urn:example}author': author},
  remove: ['{urn:example}draft'],
  verify: true,
})
if (result.ok) console.log('set    ', result.url)
else {
  process.exitCode = 1
  console.log('not set', result.url, result.status, result.reason)
  // Some servers answer 200 and keep nothing. Then the status here is that 200.
  for (const property of result.missing)
    console.log(' ', property.name, property.status, property.description ?? '')
}
