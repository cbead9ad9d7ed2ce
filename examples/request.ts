// Sends raw requests, whose answers come as they are: makes a collection, stores a file in it, and reads the file.

import {text} from 'node:stream/consumers'

import {basicAuth, DavClient} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

// The answer may have any status, because an error status is an answer too. A body that is not read holds its connection.
const made = await dav.request('MKCOL', 'reports/')
await made.body?.cancel?.()
console.log('MKCOL', made.status)

const headers = {'content-type': 'text/plain', 'if-none-match': '*'}
const stored = await dav.request('PUT', 'reports/today.txt', {headers, body: 'All is well.'})
await stored.body?.cancel?.()
console.log('PUT', stored.status)

const {status, body} = await dav.request('GET', 'reports/today.txt')
console.log('GET', status, body === null ? '' : await text(body))
