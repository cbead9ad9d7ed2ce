/** Steps of COPY, MOVE and DELETE. */
import {chmod} from 'node:fs/promises'
import {join} from 'node:path'
import type {CopyOptions, DavResult, MoveOptions} from 'multistatus'
import {readProperties} from '../support/raw-listing.ts'
import {openPropertyScene} from './proppatch.ts'
import type {VerbRow} from './rows.ts'
import {type Changes, readFiles, type Scene} from './scene.ts'
import {onDisk, type Step, verdictOf} from './step.ts'
import {whileLocked, whileReadOnly} from './writing.ts'

type MovingRow = Extract<
  VerbRow,
  `${'copy' | 'copyMany' | 'move' | 'moveMany' | 'delete'}: ${string}`
>

const copy =
  (from: string, to: string, options?: CopyOptions) =>
  ({dav}: Scene): Promise<DavResult> =>
    dav.copy(from, to, options)

const move =
  (from: string, to: string, options?: MoveOptions) =>
  ({dav}: Scene): Promise<DavResult> =>
    dav.move(from, to, options)

const remove =
  (path: string, options?: {readonly ifMatch: string}) =>
  ({dav}: Scene): Promise<DavResult> =>
    dav.delete(path, options)

/** The collection `c` under another name. */
const asNew = {
  new: '/',
  'new/1.txt': 'c/1.txt',
  'new/d': '/',
  'new/d/2.txt': 'c/d/2.txt',
}
const asE = {'e/1.txt': 'c/1.txt', 'e/3.txt': undefined, 'e/d': '/', 'e/d/2.txt': 'c/d/2.txt'}
const withoutC: Changes = {
  c: undefined,
  'c/1.txt': undefined,
  'c/d': undefined,
  'c/d/2.txt': undefined,
}
const moved: Changes = {'old.txt': undefined, 'new.txt': 'old.txt'}
const below = {missing: '/', 'missing/new.txt': 'old.txt'}
const pairs = [
  {from: 'old.txt', to: '1.txt'},
  {from: 'other.txt', to: 'e/2.txt'},
  {from: 'c/', to: 'new/'},
]
const many = {'1.txt': 'old.txt', 'e/2.txt': 'other.txt', ...asNew}

/** Copies a collection with a file that the server may not read. The state is that of the copied file. */
const copiesUnreadable: Step = {
  wants: 'done',
  run: async (scene) => {
    const file = join(scene.folder, 'c', '1.txt')
    await chmod(file, 0o000)
    const verdict = await verdictOf(copy('c/', 'new/')(scene))
    await chmod(file, 0o644)
    const {'new/1.txt': copied} = await readFiles(scene.server, scene.folder)
    if (copied === undefined) return {verdict, state: 'untouched'}
    return {verdict, state: copied === 'c/1.txt' ? 'done' : 'partly done'}
  },
}

/** Deletes a collection with a file that must stay. The step is about that file alone, because others may go. */
const deletesBlocked: Step = {
  wants: 403,
  run: async (scene) => {
    const verdict = await whileReadOnly(scene, () => verdictOf(remove('c/')(scene)))
    const {'c/d/2.txt': kept} = await readFiles(scene.server, scene.folder)
    return {verdict, state: kept === undefined ? 'done' : 'untouched'}
  },
}

/** Moves a file with a dead property, which has to go with it. RFC 4918, section 9.9.1. */
const movesProperty: Step = {
  wants: 'done',
  run: async (scene) => {
    const {dav, url} = await openPropertyScene(scene)
    const name = '{urn:x}colour'
    const verdict = await verdictOf(
      (async () => {
        const set = await dav.proppatch('old.txt', {set: {[name]: 'blue'}})
        return set.ok ? dav.move('old.txt', 'new.txt') : set
      })(),
    )
    const isMoved = verdict === 'success'
    const found = await readProperties(url + (isMoved ? 'new.txt' : 'old.txt'), [name])
    if (!isMoved) return {verdict, state: found.size === 0 ? 'untouched' : 'partly done'}
    return {verdict, state: found.get(name)?.children[0] === 'blue' ? 'done' : 'partly done'}
  },
}

export const moving: Readonly<Record<MovingRow, Step>> = {
  'copy: a file': onDisk('done', {'new.txt': 'old.txt'}, copy('old.txt', 'new.txt')),
  'copy: over a file': onDisk(412, {'other.txt': 'old.txt'}, copy('old.txt', 'other.txt')),
  'copy: over a file, overwrite': onDisk(
    'done',
    {'other.txt': 'old.txt'},
    copy('old.txt', 'other.txt', {overwrite: true}),
  ),
  'copy: below a missing collection': onDisk(409, below, copy('old.txt', 'missing/new.txt')),
  'copy: below a missing collection, parents': onDisk(
    'done',
    below,
    copy('old.txt', 'missing/new.txt', {parents: true}),
  ),
  'copy: a missing file': onDisk(404, {'new.txt': ''}, copy('missing.txt', 'new.txt')),
  'copy: a collection': onDisk('done', asNew, copy('c/', 'new/')),
  'copy: a collection, depth 0': onDisk('done', {new: '/'}, copy('c/', 'new/', {depth: 0})),
  'copy: a collection over a collection': onDisk(412, asE, copy('c/', 'e/')),
  'copy: a collection over a collection, overwrite': onDisk(
    'done',
    asE,
    copy('c/', 'e/', {overwrite: true}),
  ),
  'copy: a collection with a member that the server may not read': copiesUnreadable,
  'copyMany: two files and a collection': onDisk('done', many, ({dav}) =>
    Array.fromAsync(dav.copyMany(pairs)),
  ),
  'move: a file': onDisk('done', moved, move('old.txt', 'new.txt')),
  'move: over a file': onDisk(
    412,
    {'old.txt': undefined, 'other.txt': 'old.txt'},
    move('old.txt', 'other.txt'),
  ),
  'move: over a file, overwrite': onDisk(
    'done',
    {'old.txt': undefined, 'other.txt': 'old.txt'},
    move('old.txt', 'other.txt', {overwrite: true}),
  ),
  'move: below a missing collection': onDisk(
    409,
    {'old.txt': undefined, ...below},
    move('old.txt', 'missing/new.txt'),
  ),
  'move: below a missing collection, parents': onDisk(
    'done',
    {'old.txt': undefined, ...below},
    move('old.txt', 'missing/new.txt', {parents: true}),
  ),
  'move: a missing file': onDisk(404, {'new.txt': ''}, move('missing.txt', 'new.txt')),
  'move: a changed file, ifMatch': onDisk(
    412,
    moved,
    move('old.txt', 'new.txt', {ifMatch: '"stale"'}),
  ),
  'move: a locked file': onDisk(423, moved, (scene) =>
    whileLocked(scene, () => move('old.txt', 'new.txt')(scene)),
  ),
  'move: a locked file, lockToken': onDisk('done', moved, (scene) =>
    whileLocked(scene, (lockToken) => move('old.txt', 'new.txt', {lockToken})(scene)),
  ),
  'move: a collection': onDisk('done', {...withoutC, ...asNew}, move('c/', 'new/')),
  'move: a collection over a collection': onDisk(412, {...withoutC, ...asE}, move('c/', 'e/')),
  'move: a collection over a collection, overwrite': onDisk(
    'done',
    {...withoutC, ...asE},
    move('c/', 'e/', {overwrite: true}),
  ),
  'move: a collection with members that the server may not delete': onDisk(
    'done',
    {...withoutC, ...asNew},
    (scene) => whileReadOnly(scene, () => move('c/', 'new/')(scene)),
  ),
  'move: a file with a dead property': movesProperty,
  'moveMany: two files and a collection': onDisk(
    'done',
    {...many, 'old.txt': undefined, 'other.txt': undefined, ...withoutC},
    ({dav}) => Array.fromAsync(dav.moveMany(pairs)),
  ),
  'delete: a file': onDisk('done', {'old.txt': undefined}, remove('old.txt')),
  'delete: a changed file, ifMatch': onDisk(
    412,
    {'old.txt': undefined},
    remove('old.txt', {ifMatch: '"stale"'}),
  ),
  'delete: a collection': onDisk('done', withoutC, remove('c/')),
  'delete: a collection with members that the server may not delete': deletesBlocked,
}
