/** A mirror of a collection that a program keeps by syncs: the ETag of each member, and the journal of the state. */
import {DavClient, type DavResult, basicAuth, nameOf, SyncState} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import type {Server} from '../support/server.ts'

/** The course of one sync. */
export interface Synced {
  /** The result of each change, sorted by name. */
  readonly changes: readonly string[]
  readonly requests: number
}

export class Mirror {
  /** The ETags by name; empty for a member without one. */
  readonly members: Map<string, string> = new Map()
  readonly #dav: DavClient
  readonly #level: 1 | 'infinity'
  #journal = ''

  constructor(server: Server, level: 1 | 'infinity' = 1) {
    const {groupware} = server.recipe
    const auth = groupware && basicAuth(groupware.account.user, groupware.account.password)
    this.#dav = new DavClient({url: server.url(), transport: undiciTransport(), auth})
    this.#level = level
  }

  get names(): readonly string[] {
    return [...this.members.keys()].toSorted()
  }

  /** Runs a sync from the journal. */
  async sync(collection: string, limit?: number): Promise<Synced> {
    const state = await SyncState.read(this.#journal.split('\n'))
    const onPage = (lines: string): void => {
      this.#journal += lines
    }
    const stream = this.#dav.sync(collection, {state, onPage, level: this.#level, limit})
    const changes: string[] = []
    for await (const result of stream) changes.push(this.#apply(result))
    const {complete, requests} = await stream.summary
    if (!complete) throw new Error('The sync is not complete')
    return {changes: changes.toSorted(), requests}
  }

  #apply(result: DavResult): string {
    const name = nameOf(result)
    if (result.ok) this.members.set(name, result.properties.getetag ?? '')
    else if (result.status === 404) this.members.delete(name)
    return `${result.ok ? 'changed' : result.status} ${name}`
  }

  /** Replaces the token by one that the server never gave. */
  loseToken(): void {
    this.#journal = this.#journal.replaceAll(/"token":"[^"]*"/g, `"token":"${'0'.repeat(40)}"`)
  }
}
