// Deletes the files `0.txt`, `1.txt`, … of a collection. Prints, as JSON, the number of verdicts and the time from the first request
// to the last verdict. Arguments: `ours`, `job`, `bare` or `webdav`, the URL of the collection, how many
// files it has, and the concurrency.

import pLimit from 'p-limit'

const [kind, url = '', files = '10000', many = '16'] = process.argv.slice(2)
const concurrency = Number(many)
const names = Array.from({length: Number(files)}, (_, index) => `${index}.txt`)

/** Prepares once, and returns a function that deletes everything and counts the verdicts. */
type Contestant = () => Promise<() => Promise<number>>

const CONTESTANTS: Readonly<Record<string, Contestant>> = {
  ours: async () => {
    const {DavClient} = await import('multistatus')
    // undici is loaded before the clock starts, as the bare loop loads it. By default it is loaded with the first request.
    const {undiciTransport} = await import('multistatus/undici')
    const dav = new DavClient({url, transport: undiciTransport()})
    return async () => {
      let verdicts = 0
      for await (const result of dav.deleteMany(names, {concurrency})) {
        if (!result.ok) throw new Error(JSON.stringify(result))
        if (result.relation === 'self') verdicts++
      }
      return verdicts
    }
  },
  job: async () => {
    const {mkdtempSync, rmSync} = await import('node:fs')
    const {tmpdir} = await import('node:os')
    const {DavClient} = await import('multistatus')
    const {createJob, runJob, sqliteLedger} = await import('multistatus/jobs')
    const {undiciTransport} = await import('multistatus/undici')
    const dav = new DavClient({url, transport: undiciTransport()})
    const folder = mkdtempSync(`${tmpdir()}/multistatus-bench-`)
    const ledger = await sqliteLedger(`${folder}/job.sqlite`)
    return async () => {
      try {
        const job = await createJob(ledger, {kind: 'delete', targets: names}, dav)
        return (await runJob(ledger, job, dav, {concurrency})).successes
      } finally {
        await ledger.close()
        rmSync(folder, {recursive: true})
      }
    }
  },
  bare: async () => {
    const {Agent, request} = await import('undici')
    // As the transport of this package makes it.
    const dispatcher = new Agent({headersTimeout: 0, bodyTimeout: 0, connect: {timeout: 10_000}})
    return () =>
      each(async (name) => {
        const {statusCode, body} = await request(url + name, {method: 'DELETE', dispatcher})
        await body.dump()
        if (statusCode !== 204) throw new Error(`${name} answered ${statusCode}`)
      })
  },
  webdav: async () => {
    const {createClient} = await import('webdav')
    const client = createClient(url)
    return () => each((name) => client.deleteFile(`/${name}`))
  },
}

const contestant = CONTESTANTS[kind ?? '']
if (contestant === undefined) throw new TypeError(`there is no contestant ${kind}`)
const run = await contestant()
const begin = performance.now()
const verdicts = await run()
const milliseconds = performance.now() - begin
console.log(JSON.stringify({verdicts, milliseconds}))

/** The loop around a client that has none of its own. */
async function each(remove: (name: string) => Promise<void>): Promise<number> {
  const limit = pLimit(concurrency)
  let done = 0
  await Promise.all(
    names.map((name) =>
      limit(async () => {
        await remove(name)
        done++
      }),
    ),
  )
  return done
}
