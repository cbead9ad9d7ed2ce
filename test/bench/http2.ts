// The time of a walk and of a bulk delete over HTTP/2, divided by that over HTTP/1.1: through the same HAProxy or nginx, in pairs that
// take turns, each with connections of its own from their start. Run by `npm run bench:http2`; `--rounds 5`, `--concurrency 16` and
// `--deletes 320` change it. It measures `dist`: build first.

import {fork} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {parseArgs} from 'node:util'

import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'

import {type FrontName, startFront} from '../servers/support/fronts.ts'
import {makeCertificate} from '../support/certificate.ts'
import {startLatencyProxy} from '../support/latency-proxy.ts'

const ROUND_TRIPS = [0, 20, 100]
const FRONTS: readonly FrontName[] = ['haproxy', 'nginx']
/** 6 collections of 6 collections of 24 files: 907 resources in 43 listings. */
const TREE = '24/6/'
const RESOURCES = 907

const {values} = parseArgs({
  options: {
    rounds: {type: 'string', default: '5'},
    concurrency: {type: 'string', default: '16'},
    deletes: {type: 'string', default: '320'},
  },
})
const rounds = Number(values.rounds)
const concurrency = Number(values.concurrency)
const names = Array.from({length: Number(values.deletes)}, (_, number) => `f${number}`)
const certificate = await makeCertificate()

const WORKS = {
  walk: {
    server: 'scale-server.ts',
    run: async (dav: DavClient): Promise<void> => {
      let resources = 0
      for await (const {ok} of dav.walk(TREE, {concurrency})) if (ok) resources++
      if (resources !== RESOURCES) throw new Error(`${resources} resources are listed`)
    },
  },
  delete: {
    server: 'delete-server.ts',
    run: async (dav: DavClient): Promise<void> => {
      const {failures} = await dav.deleteMany(names, {concurrency}).collect()
      if (failures.length > 0) throw new Error(`${failures[0]?.description}`)
    },
  },
} as const

for (const [title, {server, run}] of Object.entries(WORKS)) {
  const child = fork(fileURLToPath(new URL(server, import.meta.url)))
  const [port] = await once(child, 'message')
  for (const name of FRONTS) {
    await using front = await startFront(name, Number(port), certificate)
    for (const roundTrip of ROUND_TRIPS) {
      await using line = await startLatencyProxy(front.port, roundTrip / 2)
      const time = async (http2: boolean): Promise<number> => {
        const transport = undiciTransport({http2, ca: certificate.cert})
        const dav = new DavClient({url: `https://localhost:${line.port}/`, transport})
        const before = performance.now()
        await run(dav)
        const milliseconds = performance.now() - before
        await transport.close()
        return milliseconds
      }
      await time(false)
      await time(true)
      const pairs: (readonly [number, number])[] = []
      for (let round = 0; round < rounds; round++) {
        const isFirst = round % 2 === 0
        const [one, other] = [await time(isFirst), await time(!isFirst)]
        pairs.push(isFirst ? [one, other] : [other, one])
      }
      const ratio = median(pairs.map(([over2, over1]) => over2 / over1))
      const [over2, over1] = [0, 1].map((index) => median(pairs.map((pair) => pair[index] ?? 0)))
      console.log(
        `${title.padEnd(6)} ${name.padEnd(7)} ${String(roundTrip).padStart(3)} ms: HTTP/2 ${over2?.toFixed(0)} ms, HTTP/1.1 ${over1?.toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
      )
    }
  }
  child.disconnect()
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN
}
