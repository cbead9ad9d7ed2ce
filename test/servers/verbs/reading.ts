/** Steps of GET and OPTIONS: the bytes that come, and the capabilities, against the disk and a raw request. */
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {DavClient, type DavResult, type Download, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {giveToServer} from '../support/account.ts'
import {startCutProxy} from '../support/cut-proxy.ts'
import {send} from '../support/http.ts'
import type {VerbRow} from './rows.ts'
import {compare, makeOld, readEtag, type Scene} from './scene.ts'
import {onDisk, type Results, type Step, verdictOf} from './step.ts'

type ReadingRow = Extract<VerbRow, `${'get' | 'download' | 'options'}: ${string}`>

/** A call with the bytes that it gave, if it gave any. */
interface Read {
  readonly results: Results
  readonly text?: string | undefined
}

/** Makes a step that is done if these bytes came, and if the disk is as before. */
function reads(
  wants: Step['wants'],
  expected: string,
  call: (scene: Scene) => Promise<Read>,
): Step {
  return {
    wants,
    run: async (scene) => {
      let text: string | undefined
      const read = async (): Promise<Results> => {
        const given = await call(scene)
        text = given.text
        return given.results
      }
      const verdict = await verdictOf(read())
      const disk = await compare(scene, {})
      if (disk !== 'done') return {verdict, state: disk}
      if (text === undefined) return {verdict, state: 'untouched'}
      return {verdict, state: text === expected ? 'done' : 'partly done'}
    },
  }
}

async function textOf(asked: Promise<Download | Failure>): Promise<Read> {
  const results = await asked
  return results.ok ? {results, text: await results.text()} : {results}
}

/** A text that fills several packets. */
const LONG = Array.from({length: 40_000}, (_, index) => `${index}\n`).join('')

/** Reads a long file over a connection that breaks in the middle. */
async function readBroken({folder, name, server}: Scene): Promise<Read> {
  const file = join(folder, 'c', 'long.txt')
  await writeFile(file, LONG)
  await makeOld(file)
  await giveToServer(file)
  try {
    await using proxy = await startCutProxy(server.port, LONG.length / 2)
    const url = `http://127.0.0.1:${proxy.port}/${name}/`
    await using dav = new DavClient({url, transport: undiciTransport()})
    const read = await textOf(dav.get('c/long.txt', {resume: true}))
    if (proxy.cuts !== 1) throw new Error(`${proxy.cuts} connections were broken`)
    return read
  } finally {
    await rm(file)
  }
}

async function downloadFile({dav}: Scene): Promise<Read> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-download-'))
  try {
    const results = await dav.download('old.txt', join(folder, 'here.txt'))
    return {results, text: await readFile(join(folder, 'here.txt'), 'utf8')}
  } finally {
    await rm(folder, {recursive: true})
  }
}

async function readForbidden({dav, folder}: Scene): Promise<Read> {
  const file = join(folder, 'old.txt')
  await chmod(file, 0o000)
  try {
    return await textOf(dav.get('old.txt'))
  } finally {
    await chmod(file, 0o644)
  }
}

/** Compares the capabilities with the headers of a raw OPTIONS. */
async function readOptions({dav, url}: Scene): Promise<DavResult> {
  const {headers} = await send(`${url}old.txt`, {method: 'OPTIONS'})
  const told = await dav.options('old.txt')
  if (!told.ok) return told
  const facts = [told.classes, told.extensions, told.methods].flat().toSorted().join(', ')
  const said = [listOf(headers['dav']), listOf(headers.allow)].flat().toSorted().join(', ')
  if (facts !== said) throw new Error(`OPTIONS said ${said}, and the client ${facts}`)
  return told
}

function listOf(header: string | readonly string[] = []): readonly string[] {
  return [header]
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.trim())
}

export const reading: Readonly<Record<ReadingRow, Step>> = {
  'get: a file': reads('done', 'old.txt', ({dav}) => textOf(dav.get('old.txt'))),
  'get: a range': reads('done', 'd.tx', ({dav}) =>
    textOf(dav.get('old.txt', {range: {start: 2, end: 5}})),
  ),
  'get: a range beyond the end': reads(416, '', ({dav}) =>
    textOf(dav.get('old.txt', {range: {start: 50, end: 60}})),
  ),
  'get: an unchanged file, ifNoneMatch': reads(304, 'old.txt', async (scene) => {
    const ifNoneMatch = await readEtag(scene, 'old.txt')
    if (ifNoneMatch === undefined) return {results: undefined}
    return textOf(scene.dav.get('old.txt', {ifNoneMatch}))
  }),
  'get: after a break, resume': reads('done', LONG, readBroken),
  'get: a file that the server may not read': reads(403, 'old.txt', readForbidden),
  'get: a collection': reads('refused', '', ({dav}) => textOf(dav.get('c/'))),
  'download: a file': reads('done', 'old.txt', downloadFile),
  'options: a file': onDisk('done', {}, readOptions),
}
