// Measures the memory of a thousand clients in one process, each of which has listed the same collection. Prints JSON: KB of a client
// that was only made, of one whose connection is open, and of one whose connection has been closed. Arguments: `ours` or `bare`,
// and the URL of the collection. `bare` is an Agent of undici for each client.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient} from 'multistatus'
import {Agent, request} from 'undici'

import {readConnections} from '../servers/support/port.ts'
import {collectGarbage} from '../support/garbage.ts'

const CLIENTS = 1000

/** Memory of one client, in KB. */
interface Weight {
  /** Of the heap and beside it, after a garbage collection. */
  readonly used: number
  /** Of the resident set. */
  readonly resident: number
}

export interface Weights {
  readonly clients: number
  readonly connections: number
  readonly made: Weight
  readonly connected: Weight
  readonly idle: Weight
}

/** One client: lists the collection. */
type Client = () => Promise<unknown>

const [contender, url = ''] = process.argv.slice(2)
const make = contender === 'bare' ? makeAgent : makeClient

// The first client brings code, which is there once.
await make()()
await untilClosed()
const before = memory()
const clients = Array.from({length: CLIENTS}, make)
const made = weigh()
for (const list of clients) await list()
const connections = await countConnections()
const connected = weigh()
await untilClosed()
const idle = weigh()
// The clients stay reachable until here.
const weights: Weights = {clients: clients.length, connections, made, connected, idle}
console.log(JSON.stringify(weights))

function makeClient(): Client {
  const dav = new DavClient({url})
  return async () => {
    for await (const {ok, href} of dav.propfind('', {depth: 1}))
      if (!ok) throw new Error(`${href} failed`)
  }
}

function makeAgent(): Client {
  const dispatcher = new Agent()
  return async () => {
    const {body} = await request(url, {method: 'PROPFIND', dispatcher, headers: {depth: '1'}})
    await body.dump()
  }
}

function weigh(): Weight {
  const {used, resident} = memory()
  return {
    used: (used - before.used) / CLIENTS / 1000,
    resident: (resident - before.resident) / CLIENTS / 1000,
  }
}

function memory(): Weight {
  collectGarbage()
  collectGarbage()
  const {heapUsed, external, rss} = process.memoryUsage()
  return {used: heapUsed + external, resident: rss}
}

async function countConnections(): Promise<number> {
  return (await readConnections(Number(new URL(url).port))).size
}

async function untilClosed(): Promise<void> {
  while ((await countConnections()) > 0) await delay(100)
}
