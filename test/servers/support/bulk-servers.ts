/**
 * The seven families of servers as bulk deletions meet them: what each answers where something cannot be deleted, and
 * where its word is not the truth. What is on the disk is read from the disk and is never taken from here.
 */
import {apache} from '../apache.ts'
import {lighttpd} from '../lighttpd.ts'
import {nephele} from '../nephele.ts'
import {nginx} from '../nginx.ts'
import {rclone} from '../rclone.ts'
import {sabredav} from '../sabredav.ts'
import {tomcat} from '../tomcat.ts'
import {serverAccount} from './account.ts'
import type {ServerRecipe} from './recipe.ts'
import type {Server} from './server.ts'

export interface BulkTraits {
  /** Whether a name is left out of the tree although the disk has it. */
  readonly cannotDelete: (name: string) => boolean
  /** Whether a file on the disk is the server's own note on a resource, and no resource. */
  readonly isNote: (name: string) => boolean
  /** A DELETE of a collection with a member that the account may not delete. */
  readonly blocked: Refusal & {readonly names: 'all that stands' | 'files' | 'nothing'}
  /** A DELETE of a collection with a locked member; `undefined` where that deletes the locked member too. */
  readonly locked: Refusal | undefined
  /** What a DELETE with the `If-Match` of an ETag that has changed is. */
  readonly ifMatch: 'refused' | 'ignored' | 'impossible'
  /** Whether 204 is answered whatever became of the resource, so that only `verify` tells. */
  readonly lies: boolean
}

/** The status of the target, and of those members that are named beside a locked one. */
interface Refusal {
  readonly target: number
  readonly members: number | undefined
}

const plain = {
  cannotDelete: () => false,
  isNote: () => false,
  lies: false,
} as const satisfies Partial<BulkTraits>

/** nephele as the tests start it has their account. Here it is another one, which may read the checkout all the same. */
const nepheleApart: ServerRecipe = {
  ...nephele,
  name: 'nephele with an account of its own',
  packages: 'util-linux',
  program: 'setpriv',
  sharesAccount: true,
  args: (site) => {
    const {uid, gid} = serverAccount() ?? {}
    return [
      // The parent's death signal is forgotten where the account changes.
      '--pdeathsig=TERM',
      `--reuid=${uid}`,
      `--regid=${gid}`,
      '--clear-groups',
      '--inh-caps=+dac_read_search',
      '--ambient-caps=+dac_read_search',
      nephele.program,
      ...nephele.args(site),
    ]
  },
}

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
      // It looks at the locks of the target and of what that is in.
      locked: undefined,
      ifMatch: 'impossible',
    },
  ],
  [
    lighttpd,
    {
      ...plain,
      blocked: {target: 424, members: 403, names: 'files'},
      // As nginx.
      locked: undefined,
      ifMatch: 'refused',
    },
  ],
  [
    rclone,
    {
      ...plain,
      // Whatever the system says becomes 405, and the rest of the collection is not tried.
      blocked: {target: 405, members: undefined, names: 'nothing'},
      // As nginx.
      locked: undefined,
      ifMatch: 'ignored',
    },
  ],
  [
    sabredav,
    {
      ...plain,
      // What verify says, which names all that it finds: `unlink` and `rmdir` of PHP only warn, and a 204 follows.
      blocked: {target: 424, members: 204, names: 'all that stands'},
      lies: true,
      // The member is named in a DAV:error, which is no 207, and nothing is deleted.
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
    serverAccount() === undefined ? nephele : nepheleApart,
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
      // Locks and dead properties of a file are in a file beside it.
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
