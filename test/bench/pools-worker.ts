// Deletes 500 resources by turns with connections of their own, as the fetch transport sends unsafe requests, and
// with those of the platform's pool. Prints the times of each round as JSON. Runs on Bun and Deno.

import {DavClient} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'

const [url = ''] = process.argv.slice(2)
const own = new DavClient({url, transport: fetchTransport()})
const pooled = new DavClient({
  url,
  transport: fetchTransport({
    fetch: (asked, {method, headers, redirect, signal}) =>
      fetch(asked, {
        ...(method !== undefined && {method}),
        ...(headers !== undefined && {headers}),
        ...(redirect !== undefined && {redirect}),
        ...(signal !== undefined && signal !== null && {signal}),
      }),
  }),
})
const names = Array.from({length: 500}, (_, number) => `f${number}`)

async function measure(dav: DavClient): Promise<number> {
  const began = performance.now()
  const {failures} = await dav.deleteMany(names).collect()
  if (failures.length > 0) throw new Error(`${failures.length} failed`)
  return performance.now() - began
}

const rounds: {own: number; pooled: number}[] = []
for (let round = 0; round < 8; round++) {
  rounds.push({own: await measure(own), pooled: await measure(pooled)})
}
console.log(JSON.stringify(rounds))
