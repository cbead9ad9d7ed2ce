/** The rows of the table of verbs: one step each, done on every server of the table. */
import type {TableTraits} from '../support/cells.ts'

/** The steps, by verb. The files of a step are those of `scene.ts`. */
export const verbRows = [
  'get: a file',
  'get: a range',
  'get: a range beyond the end',
  'get: an unchanged file, ifNoneMatch',
  'get: after a break, resume',
  'get: a file that the server may not read',
  'get: a collection',
  'download: a file',
  'put: a new file',
  'put: over a file',
  'put: a stream of unknown length',
  'put: no bytes',
  'put: a new file, create',
  'put: over a file, create',
  'put: over a file, create and requireConditions',
  'put: over an unchanged file, ifMatch',
  'put: over a changed file, ifMatch',
  'put: over a changed file, ifMatch and requireConditions',
  'put: over a file, safely',
  'put: over a file, verify',
  'put: where the server may not write',
  'put: where the server may not write, verify',
  'put: over a locked file',
  'put: over a locked file, lockToken',
  'put: below a missing collection',
  'put: below a missing collection, parents',
  'put: to a collection',
  'putMany: three files',
  'mkcol: a new collection',
  'mkcol: a collection that exists',
  'mkcol: a file that exists',
  'mkcol: below a missing collection',
  'mkcol: below a missing collection, parents',
  'mkcol: a collection that exists, parents',
  'mkcol: where the server may not write',
  'mkcol: a new collection, properties',
  'proppatch: a text',
  'proppatch: a text of a collection',
  'proppatch: two texts',
  'proppatch: a text and its removal',
  'proppatch: a text, verify',
  'proppatch: elements, verify',
  'proppatch: xml:lang',
  'proppatch: a text and a protected property',
  'copy: a file',
  'copy: over a file',
  'copy: over a file, overwrite',
  'copy: below a missing collection',
  'copy: below a missing collection, parents',
  'copy: a missing file',
  'copy: a collection',
  'copy: a collection, depth 0',
  'copy: a collection over a collection',
  'copy: a collection over a collection, overwrite',
  'copy: a collection with a member that the server may not read',
  'copyMany: two files and a collection',
  'move: a file',
  'move: over a file',
  'move: over a file, overwrite',
  'move: below a missing collection',
  'move: below a missing collection, parents',
  'move: a missing file',
  'move: a changed file, ifMatch',
  'move: a locked file',
  'move: a locked file, lockToken',
  'move: a collection',
  'move: a collection over a collection',
  'move: a collection over a collection, overwrite',
  'move: a collection with members that the server may not delete',
  'move: a file with a dead property',
  'moveMany: two files and a collection',
  'options: a file',
  'delete: a file',
  'delete: a changed file, ifMatch',
  'delete: a collection',
  'delete: a collection with members that the server may not delete',
] as const

export type VerbRow = (typeof verbRows)[number]

/** The state of the resources of a step: as the verb was to make it, as it was before, or neither. */
export type State = 'done' | 'untouched' | 'partly done'

/** The answers of a server to the verbs. */
export interface VerbTraits extends TableTraits<VerbRow> {
  /** True for the path of a file that is the server's own note and no resource. */
  readonly isNote?: (path: string) => boolean
  /** True for a name that may be stored as another one. */
  readonly renames?: (name: string) => boolean
}
