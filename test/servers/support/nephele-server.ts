/** Serves a folder with nephele: `node nephele-server.ts FOLDER PORT`. */
import {Adapter} from '@nephele/adapter-file-system'
import {Authenticator} from '@nephele/authenticator-none'
import express from 'express'
import {createServer} from 'nephele'

const [root = '', port = ''] = process.argv.slice(2)
const app = express()
// Derived from the content, the ETags of the smallest files are the same on every disk.
const adapter = new Adapter({root, contentEtagMaxBytes: 3})
app.use(createServer({adapter, authenticator: new Authenticator()}))
app.listen(Number(port), '127.0.0.1')
