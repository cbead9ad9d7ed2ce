// Shows the sizes of files, all at once, and asks for the password on the terminal when the server wants one. The requests wait
// for one answer: node ask-password.ts notes.txt old/a.txt

import {createInterface} from 'node:readline/promises'
import {Writable} from 'node:stream'

import {type Auth, basicAuth, DavClient, encodePath, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME = 'ana', DAV_PASSWORD} = process.env

let known: Auth = () => undefined
let asking: Promise<void> | undefined

const auth: Auth = async (request, refused) => {
  if (refused === undefined) return known(request)
  // Perhaps another request has brought the password since this one was sent.
  if ((await known(request)) === refused.sent) await (asking ??= ask(refused.realm))
  return known(request)
}

/** Asks once for all requests. It stays settled after an empty answer, so that nobody is asked again. */
async function ask(realm = ''): Promise<void> {
  const isWrong = (await known({method: '', url: '', headers: {}})) !== undefined
  if (isWrong) console.log('The password is wrong.')
  console.log(`The password of ${DAV_USERNAME} for ${visible(realm)}:`)
  // An answer from the environment is given once.
  const password = isWrong && DAV_PASSWORD !== undefined ? '' : (DAV_PASSWORD ?? (await read()))
  if (password === '') return
  known = basicAuth(DAV_USERNAME, password)
  asking = undefined
}

/** Reads a line of the terminal without an echo. */
async function read(): Promise<string> {
  const silent = new Writable({write: (_chunk, _encoding, done) => done()})
  const terminal = createInterface({input: process.stdin, output: silent, terminal: true})
  try {
    return await terminal.question('')
  } finally {
    terminal.close()
  }
}

const dav = new DavClient({url: DAV_URL, auth})
const stats = process.argv.slice(2).map((name) => dav.stat(encodePath(name)))
for (const result of await Promise.all(stats)) {
  const {ok, url} = result
  if (ok) console.log(visible(url), result.properties.getcontentlength ?? '', 'bytes')
  else console.log(visible(url), result.status, visible(result.description ?? ''))
  if (!ok) process.exitCode = 1
}
