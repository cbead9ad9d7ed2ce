// `npm run page` shows the page with a WebDAV server in this process. `npm run page -- URL` shows the collection at URL of your own
// server. The browser asks for its login, or DAV_USERNAME and DAV_PASSWORD, or DAV_TOKEN, hold it. PORT sets the port.

import {startPageServer} from './server/page-server.ts'
import {startSample} from './server/sample.ts'

const [url] = process.argv.slice(2)
const {PORT = '0', DAV_USERNAME, DAV_PASSWORD = '', DAV_TOKEN} = process.env

const sample = url === undefined ? await startSample() : undefined
const page = await startPageServer(url ?? sample?.url ?? '', {
  port: Number(PORT),
  ...credentials(),
})
console.log(`${page.url} shows ${url ?? `a sample in ${sample?.folder}`}. Ctrl C ends it.`)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await page.close()
    await sample?.close()
  })
}

function credentials(): {readonly authorization?: string} {
  if (DAV_TOKEN !== undefined) return {authorization: `Bearer ${DAV_TOKEN}`}
  if (DAV_USERNAME === undefined) return {}
  const pair = Buffer.from(`${DAV_USERNAME}:${DAV_PASSWORD}`).toString('base64')
  return {authorization: `Basic ${pair}`}
}
