/** Serves a folder with nephele: `node nephele-server.ts FOLDER PORT`, and an origin whose pages may use it. */
import {Adapter} from '@nephele/adapter-file-system'
import {Authenticator} from '@nephele/authenticator-none'
import express from 'express'
import {createServer} from 'nephele'

import {readCorsHeaders} from './cors.ts'

const [root = '', port = '', origin] = process.argv.slice(2)
const app = express()
if (origin !== undefined) {
  const headers = readCorsHeaders(origin)
  app.use((request, response, next) => {
    response.set(headers)
    const {method} = request
    const isPreflight =
      method === 'OPTIONS' && request.get('access-control-request-method') !== undefined
    if (isPreflight) response.status(204).end()
    else next()
  })
}
// Derived from the content, the ETags of the smallest files are the same on every disk.
const adapter = new Adapter({root, contentEtagMaxBytes: 3})
app.use(createServer({adapter, authenticator: new Authenticator()}))
app.listen(Number(port), '127.0.0.1')
