// Runs one job on a server, and prints as JSON its time and the growth of memory. Arguments: `ours`, `bare` or `webdav`; the job;
// the URL; the number of small files; the bytes of the large one; the concurrency; the path of the large file, beside which its
// copy is written.

import {createReadStream, createWriteStream} from 'node:fs'
import {pipeline} from 'node:stream/promises'

import pLimit from 'p-limit'

const [kind = '', job = '', url = '', files = '0', bytes = '0', many = '16', source = ''] =
  process.argv.slice(2)
const concurrency = Number(many)
const large = Number(bytes)
const names = Array.from({length: Number(files)}, (_, index) => `${index}.bin`)
const small = new Uint8Array(1024).fill(120)
const LARGE = 'files/large.bin'
const copy = `${source}.copy`
// Flushed, as the file of `download` is.
const saved = () => createWriteStream(copy, {flush: true})

/** The jobs of one contender. */
type Jobs = Readonly<Record<string, () => Promise<void>>>

const CONTENDERS: Readonly<Record<string, () => Promise<Jobs>>> = {
  ours: async () => {
    const {DavClient, unwrap} = await import('multistatus')
    // undici is loaded before the clock starts, as the bare loop loads it. By default it is loaded with the first request.
    const {undiciTransport} = await import('multistatus/undici')
    const dav = new DavClient({url, concurrency, transport: undiciTransport()})
    const all = async (stream: AsyncIterable<{readonly ok: boolean}>): Promise<void> => {
      let done = 0
      for await (const result of stream) {
        if (!result.ok) throw new Error(JSON.stringify(result))
        done++
      }
      if (done !== names.length) throw new Error(`${done} verdicts`)
    }
    return {
      put: () => all(dav.putMany(names.map((name) => ({href: `files/${name}`, body: small})))),
      get: () =>
        each(async (name) => (await unwrap(await dav.get(`files/${name}`)).bytes()).length),
      move: () =>
        all(dav.moveMany(names.map((name) => ({from: `files/${name}`, to: `moved/${name}`})))),
      'put-large': async () => void unwrap(await dav.put(LARGE, {path: source})),
      'get-large': async () => count(unwrap(await dav.get(LARGE)).body),
      'download-large': async () => void unwrap(await dav.download(LARGE, copy)),
    }
  },
  bare: async () => {
    const {Agent, request} = await import('undici')
    // As the transport of this package makes it.
    const dispatcher = new Agent({headersTimeout: 0, bodyTimeout: 0, connect: {timeout: 10_000}})
    const put = async (
      href: string,
      body: Uint8Array | ReturnType<typeof createReadStream>,
      length: number,
    ): Promise<void> => {
      const headers = {'content-length': String(length)}
      const answer = await request(url + href, {method: 'PUT', dispatcher, body, headers})
      await answer.body.dump()
      if (answer.statusCode >= 300) throw new Error(`${href} answered ${answer.statusCode}`)
    }
    const get = async (href: string) => {
      const {body, statusCode} = await request(url + href, {dispatcher})
      if (statusCode !== 200) throw new Error(`${href} answered ${statusCode}`)
      return body
    }
    return {
      put: () => eachDone((name) => put(`files/${name}`, small, small.length)),
      get: () =>
        each(async (name) => (await (await get(`files/${name}`)).arrayBuffer()).byteLength),
      move: () =>
        eachDone(async (name) => {
          const headers = {destination: `${url}moved/${name}`, overwrite: 'F'}
          const answer = await request(`${url}files/${name}`, {method: 'MOVE', dispatcher, headers})
          await answer.body.dump()
          if (answer.statusCode >= 300) throw new Error(`${name} answered ${answer.statusCode}`)
        }),
      'put-large': () => put(LARGE, createReadStream(source), large),
      'get-large': async () => count(await get(LARGE)),
      'download-large': async () => pipeline(await get(LARGE), saved()),
    }
  },
  webdav: async () => {
    const {createClient} = await import('webdav')
    const client = createClient(url)
    const read = (): AsyncIterable<Uint8Array> =>
      client.createReadStream(`/${LARGE}`) as unknown as AsyncIterable<Uint8Array>
    return {
      put: () =>
        eachDone(async (name) => {
          if (!(await client.putFileContents(`/files/${name}`, Buffer.from(small))))
            throw new Error(`${name} was not stored`)
        }),
      get: () =>
        each(async (name) => {
          const content = await client.getFileContents(`/files/${name}`)
          if (!(content instanceof ArrayBuffer || content instanceof Uint8Array))
            throw new Error('no bytes')
          return content.byteLength
        }),
      move: () => eachDone((name) => client.moveFile(`/files/${name}`, `/moved/${name}`)),
      'put-large': async () => {
        const options = {contentLength: large}
        if (!(await client.putFileContents(`/${LARGE}`, createReadStream(source), options)))
          throw new Error('it was not stored')
      },
      'get-large': () => count(read()),
      'download-large': () => pipeline(read(), saved()),
    }
  },
}

const run = (await CONTENDERS[kind]?.())?.[job]
if (run === undefined) throw new TypeError(`there is no ${kind} or no job ${job}`)
// The memory of a large transfer is that beyond a small one, so the code of both is there already.
if (job.endsWith('large')) await warmUp()
globalThis.gc?.()
const before = process.memoryUsage.rss()
const begin = performance.now()
await run()
const milliseconds = performance.now() - begin
// The operating system has seen each moment; in kilobytes.
const growth = process.resourceUsage().maxRSS * 1024 - before
console.log(JSON.stringify({milliseconds, growth}))
process.exit()

/** Uploads and downloads a small file. */
async function warmUp(): Promise<void> {
  const href = 'warm.bin'
  if (kind === 'ours') {
    const {DavClient, unwrap} = await import('multistatus')
    const dav = new DavClient({url})
    unwrap(await dav.put(href, small))
    await unwrap(await dav.get(href)).bytes()
  } else if (kind === 'webdav') {
    const {createClient} = await import('webdav')
    const client = createClient(url)
    await client.putFileContents(`/${href}`, Buffer.from(small))
    await client.getFileContents(`/${href}`)
  } else {
    const {request} = await import('undici')
    await (await request(url + href, {method: 'PUT', body: small})).body.dump()
    await (await request(url + href)).body.arrayBuffer()
  }
}

/** Reads a large body. A short one is an error. */
async function count(body: AsyncIterable<Uint8Array>): Promise<void> {
  let read = 0
  for await (const chunk of body) read += chunk.length
  if (read !== large) throw new Error(`${read} bytes`)
}

/** Reads each small file. A short one is an error. */
function each(read: (name: string) => Promise<number>): Promise<void> {
  return eachDone(async (name) => {
    if ((await read(name)) !== small.length) throw new Error(`${name} is short`)
  })
}

/** The loop around a client that has none of its own. */
async function eachDone(work: (name: string) => Promise<void>): Promise<void> {
  const limit = pLimit(concurrency)
  await Promise.all(names.map((name) => limit(() => work(name))))
}
