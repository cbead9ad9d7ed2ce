/**
 * Syncs against real servers: by the report sync-collection of calendar servers, and by compared ETags of file servers. A mirror
 * of the answers is compared with the disk of the server after each sync.
 */
import {DavClient, DavHttpError, type DavResult, nameOf, SyncState} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'

import {readToEnd} from '../support/results.ts'
import {calendarServers, servers} from './servers.ts'
import {makeCalendar, makeHome, putMember, readStored, removeMember} from './support/calendars.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

/** A mirror of the names in a collection, kept by syncs and saved as a journal. */
class Mirror {
  readonly names = new Set<string>()
  journal = ''
  readonly #dav: DavClient
  readonly #level: 1 | 'infinity'

  constructor(server: Server, level: 1 | 'infinity' = 1) {
    this.#dav = new DavClient({url: server.url(), transport: undiciTransport()})
    this.#level = level
  }

  /** Runs a sync from the journal. Returns the changes, and the number of requests. */
  async sync(collection: string): Promise<{readonly changes: string[]; readonly requests: number}> {
    const state = await SyncState.read(this.journal.split('\n'))
    const onPage = (lines: string): void => {
      this.journal += lines
    }
    const stream = this.#dav.sync(collection, {state, onPage, level: this.#level})
    const changes: string[] = []
    for await (const result of stream) changes.push(this.#apply(result))
    const {complete, requests} = await stream.summary
    if (!complete) throw new Error('The sync is not complete')
    return {changes: changes.toSorted(), requests}
  }

  #apply(result: DavResult): string {
    const name = nameOf(result)
    if (result.ok) this.names.add(name)
    else if (result.status === 404) this.names.delete(name)
    return `${result.ok ? 'changed' : result.status} ${name}`
  }

  /** Replaces the token by one that the server never gave. */
  loseToken(): void {
    this.journal = this.journal.replaceAll(/"token":"[^"]*"/g, `"token":"${'0'.repeat(40)}"`)
  }
}

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted()

describeServers(calendarServers, (server) => {
  const {calendars} = server
  const stored = async (path: string): Promise<readonly string[]> =>
    sorted((await readStored(server, path)).keys())

  it('a sync gives what changed since the last one, and an unchanged collection is one request', async () => {
    await makeCalendar(server, 'changes', ['a.ics', 'b.ics', 'c', 'ä ö.ics'])
    const mirror = new Mirror(server)
    expect((await mirror.sync('changes/')).changes).toEqual([
      'changed a.ics',
      'changed b.ics',
      'changed c',
      'changed ä ö.ics',
    ])
    expect(await mirror.sync('changes/')).toEqual({changes: [], requests: 1})

    await putMember(server, 'changes/a.ics', {summary: 'changed'})
    await putMember(server, 'changes/new.ics')
    await removeMember(server, 'changes/b.ics')
    await removeMember(server, 'changes/ä ö.ics')
    expect((await mirror.sync('changes/')).changes).toEqual([
      '404 b.ics',
      '404 ä ö.ics',
      'changed a.ics',
      'changed new.ics',
    ])
    expect(sorted(mirror.names)).toEqual(await stored('changes'))
    expect(await mirror.sync('changes/')).toEqual({changes: [], requests: 1})
  })

  it('after a lost token, a sync gives what changed and what is gone', async () => {
    await makeCalendar(server, 'lost', ['a.ics', 'b.ics', 'c.ics'])
    const mirror = new Mirror(server)
    await mirror.sync('lost/')
    await removeMember(server, 'lost/b.ics')
    await putMember(server, 'lost/c.ics', {summary: 'changed'})
    mirror.loseToken()
    expect((await mirror.sync('lost/')).changes).toEqual(['404 b.ics', 'changed c.ics'])
    expect(sorted(mirror.names)).toEqual(await stored('lost'))
    expect(await mirror.sync('lost/')).toEqual({changes: [], requests: 1})
  })

  it('a member that was deleted before the first sync is not reported', async () => {
    await makeCalendar(server, 'before', ['a.ics', 'b.ics'])
    await removeMember(server, 'before/b.ics')
    expect((await new Mirror(server).sync('before/')).changes).toEqual(['changed a.ics'])
  })

  it('with level infinity, a sync gives the members of every calendar', async () => {
    await makeHome(server, 'deep')
    await makeCalendar(server, 'deep/one', ['1.ics', '2.ics'])
    await makeCalendar(server, 'deep/two', ['3.ics'])
    const mirror = new Mirror(server, 'infinity')
    await mirror.sync('deep/')
    await removeMember(server, 'deep/one/1.ics')
    await putMember(server, 'deep/two/4.ics')
    const {changes} = await mirror.sync('deep/')
    expect(changes.filter((change) => change.includes('.ics'))).toEqual([
      '404 1.ics',
      'changed 4.ics',
    ])
    const names = (await stored('deep')).map((path) => path.slice(path.lastIndexOf('/') + 1))
    expect(sorted(mirror.names)).toEqual(sorted(names))
  })

  it('a missing collection is no whole sync, and nothing in it is gone', async () => {
    await makeCalendar(server, 'removed', ['a.ics'])
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})
    const state = new SyncState()
    await dav.sync('removed/', {state}).collect()
    await removeMember(server, 'removed/')
    const stream = dav.sync('removed/', {state})
    const {results, error} = await readToEnd(stream)
    const isMissing = error instanceof DavHttpError && error.status === 404
    // xandikos answers with a 207 whose only response has 404.
    const isGap = error === undefined && !(await stream.summary).complete
    expect([results, isMissing, isGap]).toEqual([
      [],
      calendars.missing === 404,
      calendars.missing === 207,
    ])
    expect(state.size).toBe(1)
  })
})

describeServers(servers, (server) => {
  it('a sync by ETags gives what changed, what is new, and what is gone', async () => {
    const dav = new DavClient({url: server.url(), transport: undiciTransport()})
    await dav.mkcol('sync/')
    await dav.mkcol('sync/in/')
    for (const name of ['a', 'b', 'in/c', 'in/d']) await dav.put(`sync/${name}`, 'one')
    const mirror = new Mirror(server, 'infinity')
    const sync = async (): Promise<readonly string[]> => {
      const {changes} = await mirror.sync('sync/')
      return changes.filter((change) => !change.endsWith(' in'))
    }
    // nginx and SabreDAV list files without ETags, so each of them may have changed.
    const hasETags = server.traits.etag !== undefined

    expect(await sync()).toEqual(['changed a', 'changed b', 'changed c', 'changed d'])
    expect(await sync()).toEqual(
      hasETags ? [] : ['changed a', 'changed b', 'changed c', 'changed d'],
    )

    await dav.put('sync/a', 'another length')
    await dav.put('sync/in/new', 'one')
    await dav.delete('sync/b')
    await dav.delete('sync/in/d')
    const unknown = hasETags ? [] : ['changed c']
    expect(await sync()).toEqual(['404 b', '404 d', 'changed a', ...unknown, 'changed new'])
    expect(sorted(mirror.names)).toEqual(['a', 'c', 'in', 'new'])
    await dav.delete('sync/')
  })
})
