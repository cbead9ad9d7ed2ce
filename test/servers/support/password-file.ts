/** The password file that Apache and nginx both read, in the one format that needs no program of theirs. */
import {createHash} from 'node:crypto'
import type {BasicAccount} from './recipe.ts'

export function formatPasswordFile({user, password}: BasicAccount): string {
  return `${user}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`
}
