/**
 * Who a server runs as. Root must not serve: permissions would mean nothing to it, and a failing DELETE could not be
 * had. Where the tests run as root, as in CI, servers run as `nobody`; else as the user who runs the tests.
 */
import {lchown} from 'node:fs/promises'
import {readTree} from './disk.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** The account to start a server with, or `undefined` where it is the tests' own. */
export function serverAccount(): Account | undefined {
  return process.getuid?.() === 0 ? {uid: 65_534, gid: 65_534} : undefined
}

/** Makes a file, or a folder and all that is in it, the server's own. */
export async function giveToServer(path: string): Promise<void> {
  const account = serverAccount()
  if (account === undefined) return
  const files = await readTree(path)
  await Promise.all(files.map((file) => lchown(file.path, account.uid, account.gid)))
}
