import {basicAuth, DavClient} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME = '', DAV_PASSWORD = ''} = process.env
const dav = new DavClient({url: DAV_URL, auth: basicAuth(DAV_USERNAME, DAV_PASSWORD)})

for await (const result of dav.deleteMany(['notes.txt', 'drafts/'], {retry: 3})) {
  if (result.ok) {
    console.log('deleted', result.url)
  } else {
    console.log('kept   ', result.url, result.status, result.cause ?? result.reason)
  }
}
