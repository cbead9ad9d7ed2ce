/**
 * The account of a server. Root must not serve: it ignores permissions, so no DELETE would fail. If the tests run as
 * root, as in CI, servers run as `nobody`; else as the user who runs the tests.
 */
import {lchown} from 'node:fs/promises'
import {readTree} from './disk.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

/** The account to start a server with; `undefined` for the account of the tests. */
export function serverAccount(): Account | undefined {
  return process.getuid?.() === 0 ? {uid: 65_534, gid: 65_534} : undefined
}

/** Makes the server the owner of a file, or of a folder with all its content. */
export async function giveToServer(path: string): Promise<void> {
  const account = serverAccount()
  if (account === undefined) return
  const files = await readTree(path)
  await Promise.all(files.map((file) => lchown(file.path, account.uid, account.gid)))
}
