// Runs the operations of a model server by a client: targets in all their forms, bodies of all kinds, and the answer with
// everything that the caller learnt from it.

import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, type DavResult, type Failure, type Target, type Transport} from 'multistatus'

import {generate, stream} from './fixtures.ts'
import type {ModelTarget, Operation} from './model-operations.ts'
import {type Lane, pathOf} from './model-server.ts'
import {find, type Path} from './model-tree.ts'
import {resultsOf} from './results.ts'

const ENDLESS_MILLISECONDS = 8000

/** Everything that a call gave. */
export interface Answered {
  /** The members, then the verdict on their target. */
  readonly results: readonly DavResult[]
  /** The bytes of a Download. */
  readonly bytes?: Buffer
  /** The error of the call, or of the body of a Download. */
  readonly error?: unknown
}

/** Creates the client of a lane. */
export function clientOf(url: string, lane: Lane, transport: Transport): DavClient {
  return new DavClient({
    url: new URL(lane.root, url),
    headers: {'x-lane': String(lane.number)},
    transport,
    timeout: 20_000,
  })
}

/** Runs an operation. Rejects for no error of the call. */
export async function run(dav: DavClient, lane: Lane, operation: Operation): Promise<Answered> {
  const call = operation.isMany ? runMany : runOne
  try {
    return await Promise.race([call(dav, lane, operation), never(operation)])
  } catch (error) {
    return {results: [], error}
  }
}

/** Retries failures that went through JSON, as another process does. */
export async function retry(
  dav: DavClient,
  lane: Lane,
  {targets}: Operation,
  failures: readonly Failure[],
): Promise<Answered> {
  const bodyOf = (failure: Failure): Uint8Array | undefined => {
    const path = pathOf(failure, lane).join('/')
    return targets.find((target) => target.path.join('/') === path)?.bytes
  }
  const queued = JSON.parse(JSON.stringify(failures)) as readonly Failure[]
  try {
    return {results: await Array.fromAsync(dav.retry(queued, {...policy(3), bodyOf}))}
  } catch (error) {
    return {results: [], error}
  }
}

/** Ends the campaign for a call that never ends. */
async function never({verb}: Operation): Promise<never> {
  await delay(ENDLESS_MILLISECONDS, undefined, {ref: false})
  throw new Error(`${verb} has not ended`)
}

async function runOne(dav: DavClient, lane: Lane, operation: Operation): Promise<Answered> {
  const {verb, targets, attempts, form, parents, overwrite, verify} = operation
  const [target] = targets
  if (target === undefined) throw new RangeError('no target')
  const {path, to = [], ifMatch} = target
  // Content has a URL without a slash.
  const href = (verb === 'put' ? bareName : name)(path, lane, form)
  const options = {
    ...(attempts !== undefined && {retry: policy(attempts)}),
    ...(ifMatch !== undefined && {ifMatch}),
  }
  switch (verb) {
    case 'get':
      return download(dav, href, operation, options)
    case 'put': {
      const {safely, requireConditions} = operation
      const {body, ...upload} = uploadOf(target, form)
      const more = {...upload, parents, safely, verify, requireConditions}
      return one(await dav.put(href, body, {...options, ...more}))
    }
    case 'mkcol':
      return one(await dav.mkcol(href, {...options, parents}))
    case 'copy': {
      const {depth} = operation
      const destination = bareName(to, lane, form >> 1)
      return one(await dav.copy(href, destination, {...options, depth, overwrite, parents}))
    }
    case 'move': {
      const destination = bareName(to, lane, form >> 1)
      return one(await dav.move(href, destination, {...options, overwrite, parents}))
    }
    case 'proppatch': {
      const {set, remove} = operation
      return one(await dav.proppatch(href, {...options, set, remove, verify}))
    }
    case 'delete':
      return one(await dav.delete(href, {...options, verify}))
    default:
      return one(await dav.options(href, options))
  }
}

async function runMany(dav: DavClient, lane: Lane, operation: Operation): Promise<Answered> {
  const {verb, targets, attempts, form, parents, overwrite, verify, depth} = operation
  const options = {...(attempts !== undefined && {retry: policy(attempts)}), concurrency: 4}
  const pairs = targets.map(({path, to = [], ifMatch}, index) => ({
    from: name(path, lane, form + index),
    to: bareName(to, lane, form >> 1),
    ...(ifMatch !== undefined && {ifMatch}),
  }))
  switch (verb) {
    case 'put': {
      const uploads = targets.map((target, index) => ({
        href: bareName(target.path, lane, form + index),
        ...uploadOf(target, form + index),
      }))
      return {results: await Array.fromAsync(dav.putMany(uploads, {...options, parents, verify}))}
    }
    case 'copy': {
      const results = dav.copyMany(pairs, {...options, overwrite, parents, depth})
      return {results: await Array.fromAsync(results)}
    }
    case 'move': {
      const results = dav.moveMany(pairs, {...options, overwrite, parents})
      return {results: await Array.fromAsync(results)}
    }
    case 'delete': {
      const named = targets.map(({path, ifMatch}, index) => {
        const href = name(path, lane, form + index)
        return ifMatch === undefined || typeof href !== 'string' ? href : {href, ifMatch}
      })
      return {results: await Array.fromAsync(dav.deleteMany(named, {...options, verify}))}
    }
    default:
      throw new RangeError(`no bulk ${verb}`)
  }
}

async function download(
  dav: DavClient,
  href: Target,
  {resume, range, ifNoneMatch, form}: Operation,
  options: object,
): Promise<Answered> {
  const result = await dav.get(href, {
    ...options,
    resume,
    ...(range !== undefined && {range}),
    ...(ifNoneMatch !== undefined && {ifNoneMatch}),
  })
  if (!result.ok) return one(result)
  const results: readonly DavResult[] = [result]
  try {
    if (form % 2 === 0) return {results, bytes: Buffer.from(await result.bytes())}
    const chunks = []
    for await (const chunk of result.body) chunks.push(chunk)
    return {results, bytes: Buffer.concat(chunks)}
  } catch (error) {
    return {results, error}
  }
}

function one(result: DavResult): Answered {
  return {results: resultsOf(result)}
}

function policy(attempts: number): {attempts: number; minDelay: number; maxDelay: number} {
  return {attempts, minDelay: 0, maxDelay: 1}
}

/** Names a resource in one of the forms of a target. A collection has its slash or not. */
function name(path: Path, lane: Lane, form: number): Target {
  const isCollection = find(lane.tree, path)?.isCollection === true
  const slash = isCollection && form % 3 > 0 && path.length > 0 ? '/' : ''
  const relative = escape(path) + slash
  const absolute = lane.root + relative
  const ways: readonly Target[] = [
    relative === '' ? './' : relative,
    absolute,
    absolute.replaceAll(/%[\dA-F]{2}/g, (octet) => octet.toLowerCase()),
  ]
  return ways[form % ways.length] ?? absolute
}

/** Names a destination without a slash, because a slash must stand on both sides or on none. */
function bareName(path: Path, {root}: Lane, form: number): Target {
  const relative = escape(path) || './'
  return form % 2 === 0 ? relative : root + relative
}

function escape(path: Path): string {
  return path.map((segment) => (segment === '..' ? segment : encodeURIComponent(segment))).join('/')
}

/** Gives an upload its body in one of its kinds, some of which can be read once only. */
function uploadOf(
  {bytes = Buffer.alloc(0), ifMatch, create}: ModelTarget,
  form: number,
): {
  body: Uint8Array | Blob | AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>
  length?: number
  ifMatch?: string
  create?: boolean
} {
  const half = bytes.byteLength >> 1
  const parts = [bytes.subarray(0, half), bytes.subarray(half)]
  const length = bytes.byteLength
  const ways = [
    () => ({body: bytes}),
    () => ({body: new Blob(parts)}),
    () => ({body: generate(parts), length}),
    () => ({body: stream(parts), length}),
  ]
  const way = ways[form % ways.length] ?? (() => ({body: bytes}))
  return {
    ...way(),
    ...(ifMatch !== undefined && {ifMatch}),
    ...(create === true && {create}),
  }
}
