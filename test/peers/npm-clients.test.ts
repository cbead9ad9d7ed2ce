// The npm clients of WebDAV, and this one, in the situations of guide/other-clients.md. Each call is the plain one, without options.

import {readFileSync} from 'node:fs'

import {DavClient, type DavResult, isFailure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {createObject, deleteObject, propfind} from 'tsdav'
import {describe, expect, it} from 'vitest'
import {createClient} from 'webdav'

import type {Said} from './situations.ts'
import {SITUATIONS} from './situations.ts'
import type {Client} from './tables.ts'
import {formatTable, guideTable, meet} from './tables.ts'

const versionOf = (path: string): string => {
  const {version} = JSON.parse(
    readFileSync(new URL(`../../${path}package.json`, import.meta.url), 'utf8'),
  ) as {version: string}
  return version
}

/** Runs a call. What it throws or returns is what the client said. */
async function say(call: () => Promise<unknown>): Promise<Said> {
  try {
    const value = await call()
    return {failed: false, text: typeof value === 'string' ? value : (JSON.stringify(value) ?? '')}
  } catch (error) {
    return {
      failed: true,
      text: error instanceof Error ? `${error.name} ${error.message}` : String(error),
    }
  }
}

const lines = (values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join('\n')

// With `details`, which is off here, it gives an object.
const listedBy = (found: unknown): string => (Array.isArray(found) ? lines(found) : String(found))

const webdav: Client = {
  heading: `webdav ${versionOf('node_modules/webdav/')}`,
  tasks: {
    remove: (url) => say(() => createClient(url).deleteFile('/d')),
    'remove file': (url) => say(() => createClient(url).deleteFile('/d/a.txt')),
    list: (url) => say(async () => listedBy(await createClient(url).getDirectoryContents('/d'))),
    'list deep': (url) =>
      say(async () => listedBy(await createClient(url).getDirectoryContents('/d', {deep: true}))),
    move: (url) => say(() => createClient(url).moveFile('/d', '/e')),
    upload: (url) => say(() => createClient(url).putFileContents('/d/new.txt', 'hello')),
  },
}

/** A response of tsdav has `ok`, which a program looks at. */
async function answered(call: () => Promise<Response>): Promise<Said> {
  return say(async () => {
    const response = await call()
    if (!response.ok) throw new Error(`${response.status}`)
    return response.status
  })
}

const tsdav: Client = {
  heading: `tsdav ${versionOf('node_modules/tsdav/')}`,
  tasks: {
    remove: (url) => answered(() => deleteObject({url: `${url}d/`})),
    'remove file': (url) => answered(() => deleteObject({url: `${url}d/a.txt`})),
    list: (url) =>
      say(async () => {
        const found = await propfind({
          url: `${url}d/`,
          props: {'d:getcontentlength': {}},
          depth: '1',
        })
        return lines(found.map(({href, status, ok, props}) => ({href, status, ok, props})))
      }),
    upload: (url) =>
      answered(() => createObject({url: `${url}d/new.txt`, data: 'hello', headers: {}})),
  },
}

const shown = (result: DavResult<unknown>): unknown =>
  result.ok
    ? {url: result.url, properties: result.properties}
    : {url: result.url, failed: result.status}

/** A verdict is an error of the call where it is a Failure, and names its members. */
function verdict(call: (dav: DavClient) => Promise<DavResult>): (url: string) => Promise<Said> {
  return async (url) => {
    await using dav = new DavClient({url, transport: undiciTransport()})
    return await say(async () => {
      const result = await call(dav)
      if (!isFailure(result)) return shown(result)
      throw new Error(lines([result, ...(result.members ?? [])].map(shown)))
    })
  }
}

/** A listing says with its last word if it is whole. */
function listed(depth: 1 | 'infinity'): (url: string) => Promise<Said> {
  return async (url) => {
    await using dav = new DavClient({url, transport: undiciTransport()})
    return await say(async () => {
      const {successes, failures, summary} = await dav.propfind('d/', {depth}).collect()
      const all = [...successes, ...failures].map(shown)
      return lines([...all, summary.complete ? 'complete' : summary.incomplete])
    })
  }
}

const multistatus: Client = {
  heading: 'multistatus',
  tasks: {
    remove: verdict((dav) => dav.delete('d/')),
    'remove file': verdict((dav) => dav.delete('d/a.txt')),
    list: listed(1),
    'list deep': listed('infinity'),
    move: verdict((dav) => dav.move('d/', 'e/')),
    upload: verdict((dav) => dav.put('d/new.txt', 'hello')),
  },
}

const CLIENTS = [webdav, tsdav, multistatus]
const rows = new Map<string, readonly string[]>()

describe.each(SITUATIONS)('$name', (situation) => {
  it('is met by each client as the guide says', async () => {
    const cells = await Promise.all(CLIENTS.map((client) => meet(client, situation)))
    rows.set(situation.name, cells)
    expect(cells.filter((cell) => cell === '')).toEqual([])
  })
})

it('guide/other-clients.md has the table of this run', async () => {
  const table = formatTable(CLIENTS, rows)
  expect(await guideTable('npm', table)).toBe(table)
})
