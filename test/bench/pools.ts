// Measures the cost of a connection for each DELETE on Bun and Deno. In one run, the median of its rounds is divided by the median
// with the platform's pool.

import {execFile} from 'node:child_process'
import {once} from 'node:events'
import {createServer} from 'node:http'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

let connections = 0
const server = createServer((request, response) => {
  request.resume()
  response.writeHead(204).end()
})
server.on('connection', () => connections++)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
if (address === null || typeof address === 'string') throw new Error('no port')
const parameters = ['test/bench/pools-worker.ts', `http://127.0.0.1:${address.port}/`]

for (const [command, ...options] of [
  ['bun', 'run', '--tsconfig-override=test/runtimes/bun.tsconfig.json'],
  ['deno', 'run', '--allow-all', '--no-lock', '--node-modules-dir=manual'],
] as const) {
  connections = 0
  const {stdout} = await run(`node_modules/.bin/${command}`, [...options, ...parameters], {
    cwd: root,
  })
  const rounds: {own: number; pooled: number}[] = JSON.parse(stdout)
  const [own, pooled] = [
    median(rounds.map((round) => round.own)),
    median(rounds.map((round) => round.pooled)),
  ]
  console.log(
    `${command}: 500 DELETEs took ${own.toFixed(0)} ms with connections of their own, ${pooled.toFixed(0)} ms with a pool: ${(own / pooled).toFixed(1)} times (${connections} connections)`,
  )
}
server.close()
server.closeAllConnections()

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN
}
