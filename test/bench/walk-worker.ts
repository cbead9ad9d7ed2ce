// Lists a tree once and prints a line for each resource in it, as `rclone lsf` does: `walk`, `infinity`, `webdav` or `bare`, the
// URL, and the concurrency. `bare` only downloads the answers of all collections: their paths come by a file.

import {readFileSync} from 'node:fs'

import {formatPropfind} from '../../src/properties/propfind-body.ts'

const [kind, url = '', concurrency = '8', file = ''] = process.argv.slice(2)
let lines = ''
// After the imports.
let begin = 0

if (kind === 'bare') {
  const {Agent, request} = await import('undici')
  begin = performance.now()
  const dispatcher = new Agent({headersTimeout: 0, bodyTimeout: 0})
  const paths = readFileSync(file, 'utf8').split('\n')
  const body = formatPropfind({})
  const headers = {depth: '1', 'content-type': 'application/xml; charset=utf-8'}
  let bytes = 0
  const next = async (): Promise<void> => {
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      const answer = await request(url + path, {
        method: 'PROPFIND',
        dispatcher,
        headers,
        body,
      })
      for await (const chunk of answer.body) bytes += chunk.length
    }
  }
  await Promise.all(Array.from({length: Number(concurrency)}, next))
  print(`${bytes} bytes`)
} else if (kind === 'webdav') {
  const {createClient} = await import('webdav')
  begin = performance.now()
  const members = await createClient(url).getDirectoryContents('/', {deep: true})
  if (!Array.isArray(members)) throw new Error('there is no list')
  for (const {filename} of members) print(filename)
} else {
  const {DavClient} = await import('multistatus')
  // undici is loaded before the clock starts, as the bare loop loads it. By default it is loaded with the first request.
  const {undiciTransport} = await import('multistatus/undici')
  begin = performance.now()
  const dav = new DavClient({url, transport: undiciTransport()})
  const stream = dav.propfind('', {
    depth: kind === 'walk' ? {walk: true} : 'infinity',
    concurrency: Number(concurrency),
  })
  for await (const {ok, href, relation} of stream) {
    if (!ok) throw new Error(`${href} failed`)
    if (relation !== 'self') print(href)
  }
  const {complete, incomplete} = await stream.summary
  if (!complete) throw new Error(JSON.stringify(incomplete))
}
process.stdout.write(lines)
const {user, system} = process.cpuUsage()
process.stderr.write(
  `cpu ${Math.round((user + system) / 1000)}\njob ${Math.round(performance.now() - begin)}\n`,
)

function print(line: string): void {
  lines += `${line}\n`
  if (lines.length < 65_536) return
  process.stdout.write(lines)
  lines = ''
}
