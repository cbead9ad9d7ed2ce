/** The password files that servers read, in the formats that need no program of theirs. */
import {createHash} from 'node:crypto'
import type {BasicAccount} from './recipe.ts'

export function formatPasswordFile({user, password}: BasicAccount): string {
  return `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`
}

/** Formats the file for Digest, which has the hash of a name, a realm and a password. */
export function formatDigestFile(accounts: readonly BasicAccount[], realm: string): string {
  const lines = accounts.map(({user, password}) => {
    const hash = createHash('md5').update(`${user}:${realm}:${password}`).digest('hex')
    return `${user}:${realm}:${hash}\n`
  })
  return lines.join('')
}
