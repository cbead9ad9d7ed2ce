// A server of trees that are made while they are listed, in the markup of Apache's allprop listing: `/1000000/0/` has so many files,
// and `/24/200/` has 200 collections of 200 collections of 24 files. Runs as a process of its own. It tells its parent the port, and
// ends with it.

import {once} from 'node:events'
import {createServer} from 'node:http'

import {BLOCK} from './body.ts'
import {APACHE, makeMember} from './responses.ts'

const PIECE = 65_536

/** The responses of a thousand different members, each cut at its href. */
const COLLECTIONS: string[][] = []
const FILES: string[][] = []
for (let number = 0; number < BLOCK; number++) {
  const kind = makeMember(number).isCollection ? COLLECTIONS : FILES
  kind.push(APACHE.response(number).split(/(?<=<D:href>).*(?=<\/D:href>)/))
}

const server = createServer(async ({url = ''}, response) => {
  response.writeHead(207, {'content-type': 'text/xml; charset="utf-8"'})
  let piece = APACHE.prologue + responseOf(COLLECTIONS, 0, url)
  for (const one of membersOf(url)) {
    piece += one
    if (piece.length < PIECE) continue
    if (!response.write(piece)) await once(response, 'drain')
    piece = ''
  }
  response.end(piece + APACHE.epilogue)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address !== null ? address.port : undefined)
})
process.once('disconnect', () => process.exit())

function* membersOf(url: string): Generator<string> {
  const [, files = '', width = '', ...below] = url.slice(0, -1).split('/')
  if (width === '0' || below.length === 2)
    for (let number = 0; number < Number(files); number++)
      yield responseOf(FILES, number, `${url}IMG%20${number}.jpg`)
  else
    for (let number = 0; number < Number(width); number++)
      yield responseOf(COLLECTIONS, number, `${url}${number}/`)
}

function responseOf(kind: readonly string[][], number: number, href: string): string {
  return (kind[number % kind.length] ?? []).join(href)
}
