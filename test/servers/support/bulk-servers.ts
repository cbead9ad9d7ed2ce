/**
 * The seven families of servers in bulk deletions: the answer of each for an undeletable resource, and its untrue
 * answers. The state of the disk is always read from the disk and never taken from here.
 */
import {apache} from '../apache.ts'
import {lighttpd} from '../lighttpd.ts'
import {nepheleApart} from '../nephele.ts'
import {nginx} from '../nginx.ts'
import {rclone} from '../rclone.ts'
import {sabredav} from '../sabredav.ts'
import {tomcat} from '../tomcat.ts'
import {serverAccount} from './account.ts'
import type {ServerRecipe} from './recipe.ts'
import type {Server} from './server.ts'

export interface BulkTraits {
  /** True for a name on the disk that is left out of the tree. */
  readonly cannotDelete: (name: string) => boolean
  /** True for a file on the disk that is the server's own note and no resource. */
  readonly isNote: (name: string) => boolean
  /** Answer to a DELETE of a collection with a member that the account may not delete. */
  readonly blocked: Refusal & {readonly names: 'all that stands' | 'files' | 'nothing'}
  /** Answer to a DELETE of a collection with a locked member; `undefined` if the locked member is deleted too. */
  readonly locked: Refusal | undefined
  /** Effect of an `If-Match` with the ETag of a changed resource. */
  readonly ifMatch: 'refused' | 'ignored' | 'impossible'
  /** True if the answer is always 204, so that only `verify` shows the outcome. */
  readonly lies: boolean
}

/** Status of the target, and of the members that are named beside a locked one. */
interface Refusal {
  readonly target: number
  readonly members: number | undefined
}

const plain = {
  cannotDelete: () => false,
  isNote: () => false,
  lies: false,
} as const satisfies Partial<BulkTraits>

const traits = new Map<ServerRecipe, BulkTraits>([
  [
    apache,
    {
      ...plain,
      blocked: {target: 403, members: 403, names: 'all that stands'},
      locked: {target: 424, members: undefined},
      ifMatch: 'refused',
    },
  ],
  [
    nginx,
    {
      ...plain,
      blocked: {target: 500, members: undefined, names: 'nothing'},
      // nginx checks the locks of the target and of the collections above it.
      locked: undefined,
      ifMatch: 'impossible',
    },
  ],
  [
    lighttpd,
    {
      ...plain,
      blocked: {target: 424, members: 403, names: 'files'},
      // Like nginx.
      locked: undefined,
      ifMatch: 'refused',
    },
  ],
  [
    rclone,
    {
      ...plain,
      // rclone turns every system error into a 405 and does not try the rest of the collection.
      blocked: {target: 405, members: undefined, names: 'nothing'},
      // Like nginx.
      locked: undefined,
      ifMatch: 'ignored',
    },
  ],
  [
    sabredav,
    {
      ...plain,
      // The result of verify, which names everything it finds: `unlink` and `rmdir` of PHP only warn, and a 204 follows.
      blocked: {target: 424, members: 204, names: 'all that stands'},
      lies: true,
      // SabreDAV names the member in a DAV:error, without a 207, and deletes nothing.
      locked: {target: 423, members: undefined},
      // Its FS\File has no ETag.
      ifMatch: 'impossible',
    },
  ],
  [
    tomcat,
    {
      ...plain,
      blocked: {target: 424, members: 405, names: 'files'},
      locked: {target: 424, members: undefined},
      // Its ETags are weak.
      ifMatch: 'impossible',
    },
  ],
  [
    nepheleApart,
    {
      ...plain,
      // Files of another account are 403. EACCES and ENOTEMPTY are 500.
      blocked: {
        target: 424,
        members: serverAccount() === undefined ? 500 : 403,
        names: 'all that stands',
      },
      locked: {target: 424, members: 500},
      ifMatch: 'refused',
      // nephele keeps the locks and dead properties of a file in a file beside it.
      isNote: (name) => name.endsWith('.nephelemeta'),
      // The name of that file would be longer than 255 bytes: 500.
      cannotDelete: (name) => Buffer.byteLength(name) > 255 - '.nephelemeta'.length,
    },
  ],
])

export const bulkServers: readonly ServerRecipe[] = [...traits.keys()]

export function bulkTraitsOf({recipe}: Server): BulkTraits {
  const found = traits.get(recipe)
  if (found === undefined) throw new Error(`no bulk traits of ${recipe.name}`)
  return found
}
