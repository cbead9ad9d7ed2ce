/** The accounts of servers with Digest. */
import type {BasicAccount, Site} from './recipe.ts'

/** An account in ASCII, and the account of the site. */
export function digestAccounts({account}: Pick<Site, 'account'>): readonly BasicAccount[] {
  return [{user: 'ana', password: 'secret'}, account]
}
