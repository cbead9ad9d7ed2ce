// A real WebDAV server (npm nephele) in this process, on a temporary folder and a free loopback port. Tests and the demo
// use it instead of a mock. It holds locks, answers a DELETE that a locked member stopped with 207, and writes full-URL
// hrefs and unquoted ETags. It writes nothing to the console: every error is an answer.

import {mkdtemp, realpath, rm} from 'node:fs/promises'
import {createServer, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {Adapter} from '@nephele/adapter-file-system'
import {Authenticator} from '@nephele/authenticator-none'
import express, {type ErrorRequestHandler} from 'express'
import {createServer as nephele} from 'nephele'

/** A running server and its folder. */
export interface EmbeddedServer {
  /** The root collection, with its slash: `http://127.0.0.1:PORT/`. */
  readonly url: string
  /** The served folder: the server lists its content. */
  readonly folder: string
  /** Node's server. Its `request` event gives each response, which shows how an exchange ended. */
  readonly http: Server
  /** Stops the server, breaks the open connections and removes the folder. */
  close(): Promise<void>
}

/** Starts a server on an empty folder. */
export async function startEmbeddedServer(): Promise<EmbeddedServer> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'multistatus-')))
  const app = express()
  app.use(nephele({adapter: new Adapter({root: folder}), authenticator: new Authenticator()}))
  app.use(answerQuietly)

  const http = createServer(app)
  const port = await listen(http)

  return {
    url: `http://127.0.0.1:${port}/`,
    folder,
    http,
    async close() {
      const stopped = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await stopped
      await rm(folder, {recursive: true, force: true})
    },
  }
}

// express writes an unhandled error to stderr, with its stack.
const answerQuietly: ErrorRequestHandler = (
  error: {status?: number},
  _request,
  response,
  _next,
) => {
  if (response.headersSent) response.destroy()
  else response.status(error.status ?? 500).end()
}

function listen(http: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(0, '127.0.0.1', () => {
      const address = http.address()
      if (address === null || typeof address === 'string') reject(new Error('No port was given.'))
      else resolve(address.port)
    })
  })
}
