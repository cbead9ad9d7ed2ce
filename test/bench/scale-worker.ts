// Reads generated trees of growing size in one process, and prints a line of JSON for each. Arguments: `ours` or `bare`, `cpu` or
// `memory`, the URL of the server, and the trees, such as `24/200/`. `bare` only downloads the same answers. The server is
// scale-server.ts.

import {DavClient} from 'multistatus'
import {Agent, request} from 'undici'

import {formatPropfind} from '../../src/properties/propfind-body.ts'
import {collectGarbage} from '../support/garbage.ts'

const CONCURRENCY = 8
/** A size is read again until so many resources were read. */
const LEAST = 100_000
const LOOKS = 20

/** One size. */
export interface Reading {
  readonly resources: number
  /** Microseconds of CPU time for each resource. */
  readonly cpu: number
  /** The largest resident set of the process so far, in MB. */
  readonly peak: number
  /** The most memory in use after a garbage collection, in MB above that before all sizes. */
  readonly growth: number
}

const [contender, measured, url = '', ...trees] = process.argv.slice(2)
const isMemory = measured === 'memory'
const read = contender === 'bare' ? downloadTree : listTree
let before = 0
let growth = 0
let lookEvery = Number.POSITIVE_INFINITY

// The first resources bring code, which is there once.
const [first = ''] = trees
for (let resources = 0; resources < LEAST; resources += sizeOf(first)) await read(first)
before = inUse()
for (const tree of trees) {
  const resources = sizeOf(tree)
  lookEvery = Math.floor(resources / LOOKS)
  growth = 0
  const times = isMemory ? 1 : Math.ceil(LEAST / resources)
  const start = process.cpuUsage()
  for (let time = 0; time < times; time++) await read(tree)
  const {user, system} = process.cpuUsage(start)
  const reading: Reading = {
    resources,
    cpu: (user + system) / (resources * times),
    peak: process.resourceUsage().maxRSS / 1000,
    growth: growth / 1e6,
  }
  console.log(JSON.stringify(reading))
}

async function listTree(tree: string): Promise<void> {
  const stream = new DavClient({url: url + tree}).propfind('', {
    depth: tree.endsWith('/0/') ? 1 : {walk: true},
    concurrency: CONCURRENCY,
  })
  let resources = 0
  for await (const {ok, href, relation} of stream) {
    if (!ok) throw new Error(`${href} failed`)
    if (relation === 'self') continue
    resources++
    if (isMemory && resources % lookEvery === 0) growth = Math.max(growth, inUse() - before)
  }
  const {complete} = await stream.summary
  if (!complete || resources !== sizeOf(tree)) throw new Error(`${resources} are listed of ${tree}`)
}

async function downloadTree(tree: string): Promise<void> {
  const dispatcher = new Agent({headersTimeout: 0, bodyTimeout: 0})
  const body = formatPropfind({})
  const headers = {depth: '1', 'content-type': 'application/xml; charset=utf-8'}
  const paths = pathsOf(tree)
  const loop = async (): Promise<void> => {
    for (const path of {[Symbol.iterator]: () => ({next: () => paths.next()})}) {
      const answer = await request(url + path, {method: 'PROPFIND', dispatcher, headers, body})
      for await (const _ of answer.body);
    }
  }
  await Promise.all(Array.from({length: CONCURRENCY}, loop))
  await dispatcher.close()
}

/** The paths of all collections of a tree. */
function* pathsOf(tree: string): Generator<string, undefined> {
  yield tree
  const {width} = shapeOf(tree)
  for (let outer = 0; outer < width; outer++) {
    yield `${tree}${outer}/`
    for (let inner = 0; inner < width; inner++) yield `${tree}${outer}/${inner}/`
  }
}

/** The number of resources below a tree. */
function sizeOf(tree: string): number {
  const {files, width} = shapeOf(tree)
  return width === 0 ? files : width + width ** 2 * (1 + files)
}

function shapeOf(tree: string): {files: number; width: number} {
  const [files = 0, width = 0] = tree.split('/').map(Number)
  return {files, width}
}

function inUse(): number {
  collectGarbage()
  collectGarbage()
  const {heapUsed, external} = process.memoryUsage()
  return heapUsed + external
}
