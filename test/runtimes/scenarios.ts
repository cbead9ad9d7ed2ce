// Runs listings, a walk, bulk deletions and retries against a server that a test scripts, and prints each scenario's results
// as one line of JSON. Each runtime runs it from the built package. Arguments: the server's URL, and undici or fetch.

import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {
  DavClient,
  type DavClientOptions,
  type DavResult,
  type RequestBody,
  type Transport,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'

const [server = '', which = 'fetch'] = process.argv.slice(2)

async function makeTransport(): Promise<Transport> {
  if (which === 'fetch') return fetchTransport()
  const {undiciTransport} = await import('multistatus/undici')
  return undiciTransport()
}

const transport = await makeTransport()
const retry = {attempts: 3, minDelay: 1, maxDelay: 1}

function open(path: string, options: Omit<DavClientOptions, 'url'> = {}): DavClient {
  return new DavClient({url: new URL(path, server), transport, ...options})
}

/** A result as one line. */
function line(result: DavResult<unknown>): string {
  const {href, relation, status} = result
  const attempts = result.ok ? result.attempts : result.request?.attempts
  return [result.ok ? 'ok' : result.reason, status, relation, href, attempts ?? 1].join(' ')
}

/** All results of a stream as sorted lines, and the error that it throws. */
async function told(stream: AsyncIterable<DavResult<unknown>>): Promise<readonly string[]> {
  const lines: string[] = []
  try {
    for await (const result of stream) lines.push(line(result))
  } catch (error) {
    return [...lines.toSorted(), `thrown ${nameOf(error)}`]
  }
  return lines.toSorted()
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'timeout' in error ? `${error.name} ${String(error.timeout)}` : error.name
}

async function nameOfThrown(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'nothing'
  } catch (error) {
    return nameOf(error)
  }
}

const text = 'Grüße 😀'

/** The bytes of the text in pieces that cut a character. */
async function* pieces(): AsyncGenerator<Uint8Array> {
  const whole = new TextEncoder().encode(text)
  yield whole.slice(0, 3)
  await new Promise((resolve) => setTimeout(resolve, 5))
  yield whole.slice(3)
}

function streamOf(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await source.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
  })
}

const bodies: Readonly<Record<string, RequestBody>> = {
  text,
  bytes: new TextEncoder().encode(text),
  blob: new Blob([text]),
  stream: streamOf(pieces()),
  iterable: pieces(),
}

const closed = new URL(server)
closed.port = process.argv[4] ?? ''

const scenarios: Readonly<Record<string, () => Promise<unknown>>> = {
  package: async () => import.meta.resolve('multistatus').split('/').slice(-2),
  'default transport': () => told(new DavClient({url: new URL('own/', server)}).propfind('')),
  listing: () => told(open('listing/').propfind('')),
  walk: async () => {
    const {successes, summary} = await open('walk/')
      .propfind('', {depth: {walk: true}})
      .collect()
    return [successes.length, summary.complete, summary.requests]
  },
  'listing, cut': () => told(open('cut/').propfind('')),
  'listing, reset': () => told(open('reset/').propfind('')),
  'listing, reset at once': () => told(open('gone/').propfind('')),
  'listing, retried': () => told(open('flaky/', {retry}).propfind('')),
  'listing, moved': () => told(open('moved/').propfind('docs')),
  bulk: () => told(open('bulk/').deleteMany(['a', 'reset', 'closed', 'cut', 'locked', 'z'])),
  'bulk, fed by a listing': () => {
    const dav = open('fed/')
    const listing = dav.propfind('')
    async function* members(): AsyncGenerator<DavResult> {
      for await (const result of listing) if (result.relation === 'member') yield result
    }
    return told(dav.deleteMany(members()))
  },
  'bulk, retried': () => told(open('flaky/', {retry}).deleteMany(['reset', 'busy'])),
  'retry of failures': async () => {
    const dav = open('later/')
    const {failures} = await dav.deleteMany(['reset', 'busy']).collect()
    return told(dav.retry(failures, retry))
  },
  'no server': async () => [
    ...(await told(open(closed.href).deleteMany(['a', 'b']))),
    ...(await told(open(closed.href).propfind(''))),
  ],
  'no name': () => told(open('http://no-such-host.invalid/').deleteMany(['a'])),
  'no TLS': () => told(open(server.replace('http:', 'https:')).deleteMany(['a'])),
  'sent once': async () => {
    const dav = open('once/')
    // The connection is kept by then, and closes without an answer.
    const before = [await told(dav.propfind('')), [line(await dav.delete('fine'))]]
    const {url} = dav
    const put = transport({method: 'PUT', url: `${url}put`, headers: {}, body: 'x'})
    const thrown = await nameOfThrown(() => put)
    return [...before.flat(), ...(await told(dav.deleteMany(['delete']))), thrown !== 'nothing']
  },
  'time limits': async () => [
    ...(await told(open('never/', {timeout: 200}).propfind(''))),
    ...(await told(open('stops/', {timeout: 200}).propfind(''))),
  ],
  abort: async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort('enough'), 50)
    const {signal} = controller
    return told(open('never/').propfind('', {signal}))
  },
  content: async () => {
    const dav = open('content/', {retry})
    const read = await dav.get('bytes', {resume: true})
    const whole = read.ok && (await read.text())
    const streamed = await dav.get('stream', {resume: true})
    const streamedText = streamed.ok && (await new Response(streamed.body).text())
    const folder = await mkdtemp(join(tmpdir(), 'content-'))
    const file = join(folder, 'a')
    const {status} = await dav.download('file', file)
    const written = await readFile(file, 'utf8')
    await rm(folder, {recursive: true})
    return [whole, streamedText, status, written, await nameOfThrown(() => read.ok && read.bytes())]
  },
  'undici, where it is another': () =>
    nameOfThrown(() => import('multistatus/undici').then((u) => u.undiciTransport())),
  'raw request': async () => {
    // Node 22 has no `await using`.
    const dav = open('raw/')
    const {status, body} = await dav.request('GET', 'a')
    const chunks = await Array.fromAsync(body ?? [])
    await dav[Symbol.asyncDispose]()
    return [status, chunks.every((chunk) => chunk instanceof Uint8Array), chunks.length > 0]
  },
  'request bodies': async () => {
    const dav = open('bodies/')
    const statuses: number[] = []
    for (const [name, body] of Object.entries(bodies))
      statuses.push((await dav.request('PUT', name, {body})).status)
    // A redirect, which is not followed with a body that can be read once.
    const {status} = await dav.request('PUT', 'again', {body: pieces()})
    return [...statuses, status]
  },
  uploads: async () => {
    const dav = open('uploads/')
    const length = new TextEncoder().encode(text).length
    const [script] = process.argv.slice(1)
    const folder = await mkdtemp(join(tmpdir(), 'uploads-'))
    const long = join(folder, 'long')
    await writeFile(long, text.repeat(10_000))
    const verdicts = [
      await dav.put('text', text),
      await dav.put('blob', new Blob([text], {type: 'text/css'})),
      await dav.put('spooled', pieces()),
      await dav.put('stream', streamOf(pieces()), {length}),
      await dav.put('file', {path: script ?? ''}),
      await dav.put('long', {path: long}),
      await dav.put('none', {path: `${script}.none`}),
    ]
    await rm(folder, {recursive: true})
    return verdicts.map(line)
  },
  'closed client': async () => {
    const dav = open('own/')
    await dav.close()
    return [...(await told(dav.propfind(''))), await nameOfThrown(() => dav.request('GET', 'a'))]
  },
  'wrong arguments': async () => [
    await nameOfThrown(() => open('', {headers: {'no name': 'x'}})),
    await nameOfThrown(() => open('', {headers: {x: 'a\nb'}})),
  ],
}

for (const [name, run] of Object.entries(scenarios)) {
  const results = await run().catch((error: unknown) => `rejected: ${nameOf(error)}`)
  console.log(JSON.stringify([name, results]))
}
