/** Steps of PUT and MKCOL. */
import {chmod} from 'node:fs/promises'
import {join} from 'node:path'
import type {DavResult, PutOptions} from 'multistatus'
import {takeLock} from '../support/lock-token.ts'
import type {VerbRow} from './rows.ts'
import {readEtag, type Scene} from './scene.ts'
import {onDisk, type Step} from './step.ts'

type WritingRow = Extract<VerbRow, `${'put' | 'putMany' | 'mkcol'}: ${string}`>

const put =
  (path: string, options?: PutOptions, body = 'hello') =>
  ({dav}: Scene): Promise<DavResult> =>
    dav.put(path, body, options)

const mkcol =
  (path: string, options?: {readonly parents: boolean}) =>
  ({dav}: Scene): Promise<DavResult> =>
    dav.mkcol(path, options)

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (const text of ['he', 'l', 'lo']) yield new TextEncoder().encode(text)
}

/** Takes the permission to write from the collection `c/d/` while a call runs. */
export async function whileReadOnly<T>({folder}: Scene, call: () => Promise<T>): Promise<T> {
  const collection = join(folder, 'c', 'd')
  await chmod(collection, 0o555)
  try {
    return await call()
  } finally {
    await chmod(collection, 0o755).catch(() => {})
  }
}

/** Locks `old.txt` for another client while a call runs, which gets the token. */
export async function whileLocked<T>(
  {server, name}: Scene,
  call: (token: string) => Promise<T>,
): Promise<T> {
  const lock = await takeLock(server, `${name}/old.txt`)
  try {
    return await call(lock.token)
  } finally {
    // It may have been moved away.
    await lock.release({isGone: true})
  }
}

async function putUnchanged(scene: Scene): Promise<DavResult | undefined> {
  const ifMatch = await readEtag(scene, 'old.txt')
  return ifMatch === undefined ? undefined : put('old.txt', {ifMatch})(scene)
}

const writes = {'old.txt': 'hello'}
const makes = {'new.txt': 'hello'}
const makesBelow = {missing: '/', 'missing/new.txt': 'hello'}
const stale = '"stale"'

export const writing: Readonly<Record<WritingRow, Step>> = {
  'put: a new file': onDisk('done', makes, put('new.txt')),
  'put: over a file': onDisk('done', writes, put('old.txt')),
  'put: a stream of unknown length': onDisk('done', makes, ({dav}) => dav.put('new.txt', pieces())),
  'put: no bytes': onDisk('done', {'new.txt': ''}, put('new.txt', {}, '')),
  'put: a new file, create': onDisk('done', makes, put('new.txt', {create: true})),
  'put: over a file, create': onDisk(412, writes, put('old.txt', {create: true})),
  'put: over a file, create and requireConditions': onDisk(
    412,
    writes,
    put('old.txt', {create: true, requireConditions: true}),
  ),
  'put: over an unchanged file, ifMatch': onDisk('done', writes, putUnchanged),
  'put: over a changed file, ifMatch': onDisk(412, writes, put('old.txt', {ifMatch: stale})),
  'put: over a changed file, ifMatch and requireConditions': onDisk(
    412,
    writes,
    put('old.txt', {ifMatch: stale, requireConditions: true}),
  ),
  'put: over a file, safely': onDisk('done', writes, put('old.txt', {safely: true})),
  'put: over a file, verify': onDisk('done', writes, put('old.txt', {verify: true})),
  'put: where the server may not write': onDisk(403, {'c/d/new.txt': 'hello'}, (scene) =>
    whileReadOnly(scene, () => put('c/d/new.txt')(scene)),
  ),
  'put: where the server may not write, verify': onDisk(403, {'c/d/new.txt': 'hello'}, (scene) =>
    whileReadOnly(scene, () => put('c/d/new.txt', {verify: true})(scene)),
  ),
  'put: over a locked file': onDisk(423, writes, (scene) =>
    whileLocked(scene, () => put('old.txt')(scene)),
  ),
  'put: over a locked file, lockToken': onDisk('done', writes, (scene) =>
    whileLocked(scene, (lockToken) => put('old.txt', {lockToken})(scene)),
  ),
  'put: below a missing collection': onDisk(409, makesBelow, put('missing/new.txt')),
  'put: below a missing collection, parents': onDisk(
    'done',
    {missing: '/', 'missing/too': '/', 'missing/too/new.txt': 'hello'},
    put('missing/too/new.txt', {parents: true}),
  ),
  'put: to a collection': onDisk('refused', {c: 'hello'}, put('c/')),
  'putMany: three files': onDisk(
    'done',
    {'1.txt': 'one', 'c/2.txt': 'two', 'old.txt': 'three'},
    async ({dav}) => {
      const uploads = [
        {href: '1.txt', body: 'one'},
        {href: 'c/2.txt', body: 'two'},
        {href: 'old.txt', body: 'three'},
      ]
      return Array.fromAsync(dav.putMany(uploads))
    },
  ),
  'mkcol: a new collection': onDisk('done', {new: '/'}, mkcol('new/')),
  'mkcol: a collection that exists': onDisk(405, {c: undefined}, mkcol('c/')),
  'mkcol: a file that exists': onDisk(405, {'old.txt': '/'}, mkcol('old.txt/')),
  'mkcol: below a missing collection': onDisk(
    409,
    {missing: '/', 'missing/new': '/'},
    mkcol('missing/new/'),
  ),
  'mkcol: below a missing collection, parents': onDisk(
    'done',
    {missing: '/', 'missing/too': '/', 'missing/too/new': '/'},
    mkcol('missing/too/new/', {parents: true}),
  ),
  'mkcol: a collection that exists, parents': onDisk('done', {}, mkcol('c/d/', {parents: true})),
  'mkcol: where the server may not write': onDisk(403, {'c/d/new': '/'}, (scene) =>
    whileReadOnly(scene, () => mkcol('c/d/new/')(scene)),
  ),
  'mkcol: a new collection, properties': onDisk('done', {new: '/'}, ({dav}) =>
    dav.mkcol('new/', {properties: {'{urn:x}colour': 'blue'}}),
  ),
}
