/**
 * Bulk deletions by the page on Apache and nephele: members that are locked or must stay, a server that goes away in the middle.
 * The verdicts are compared with the disk. Slow answers and lost ones come from a scripted server.
 */
import {rm} from 'node:fs/promises'
import {type DavResult, decodePath} from 'multistatus'
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest'
import {type PageServer, startPageServer} from '../../examples/browser/server/page-server.ts'
import {apache} from '../servers/apache.ts'
import {nepheleApart} from '../servers/nephele.ts'
import {readPaths} from '../servers/support/disk.ts'
import {startKillProxy} from '../servers/support/kill-proxy.ts'
import {takeLock} from '../servers/support/lock-token.ts'
import {describeServers} from '../servers/support/suite.ts'
import {makeBlockedCollection, makeCollection, numbered, unblock} from '../servers/support/trees.ts'
import {
  answer207,
  type FaultServer,
  listing,
  NEVER,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {describeBrowsers} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

describeBrowsers((current) => {
  describeServers([apache, nepheleApart], (server) => {
    let page: PageServer
    beforeAll(async () => {
      page = await startPageServer(server.url())
    })
    afterAll(() => page.close())

    it('keeps a locked member in the list of failures, and deletes it by a retry after the unlock', async () => {
      const folder = await makeCollection(server, 'locked', [
        'a/locked.txt',
        'a/open.txt',
        'b/open.txt',
        'c.txt',
      ])
      const lock = await takeLock(server, 'locked/a/locked.txt')
      const shown = await ShownPage.open(current(), `${page.url}#locked/`)

      await shown.deleteAll()
      await shown.until('#status', /^2 of 3 items deleted, 1 failed/)
      expect(await shown.verdicts()).toMatchObject({b: 'done deleted', 'c.txt': 'done deleted'})
      expect((await shown.verdicts())['a']).toMatch(/^failed .*\(4\d\d\)$/)
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toContain('1 item not deleted: locked (423) [Retry]')
      expect(await readPaths(folder)).toContain('a/locked.txt')

      await lock.release({isGone: false})
      await shown.click('#retry-all')
      await shown.until('#status', /done now\.$/)
      expect(await shown.verdicts()).toMatchObject({a: 'done deleted'})
      expect(await shown.text('#failures')).toBe('')
      expect(await readPaths(folder)).toEqual([])
      await shown.close()
    })

    it('has a verdict on each row of a folder that cannot be deleted', async () => {
      const folder = await makeBlockedCollection(server, 'blocked')
      const shown = await ShownPage.open(current(), `${page.url}#blocked/`)

      await shown.deleteAll()
      await shown.until('#status', /^2 of 3 items deleted, 1 failed/)
      expect(await shown.verdicts()).toMatchObject({'.free': 'done deleted', b: 'done deleted'})
      expect((await shown.verdicts())['a']).toMatch(/^failed /)
      expect(await readPaths(folder)).toEqual(
        expect.arrayContaining(['a', 'a/kept', 'a/kept/1.txt', 'a/kept/2.txt']),
      )
      expect(await readPaths(folder)).not.toContain('b')

      // A failure outlives a new listing.
      await shown.click('#reload')
      await shown.listed()
      await expect.poll(() => shown.names()).toEqual(['a'])
      expect((await shown.verdicts())['a']).toMatch(/^failed /)
      await shown.click('#forget')
      expect(await shown.verdicts()).toEqual({a: 'listed'})
      await shown.close()
      await unblock(folder)
      await rm(folder, {recursive: true})
    })

    it('tells the truth about a server that goes away in the middle, and settles it later', async () => {
      const names = numbered(60)
      const folder = await makeCollection(server, 'leaving', names)
      await using proxy = await startKillProxy(server.port)
      const leaving = await startPageServer(proxy.url)
      const shown = await ShownPage.open(current(), `${leaving.url}#leaving/`)

      const stopped = Promise.withResolvers<void>()
      proxy.at(15, () => stopped.resolve(server.stop()))
      await shown.deleteAll()
      await stopped.promise
      await shown.until('#status', /^\d+ of 60 items deleted, .*unknown/)
      const verdicts = await readVerdicts(shown)
      expect([...verdicts.keys()].toSorted()).toEqual(
        names.map((name) => `leaving/${name}`).toSorted(),
      )
      const left = new Set(await readPaths(folder))
      const deleted = [...verdicts].filter(([, {ok}]) => ok).map(([path]) => path)
      expect(deleted.length).toBeGreaterThan(0)
      expect(deleted.filter((path) => left.has(path.slice('leaving/'.length)))).toEqual([])

      await server.start()
      // A check may be lost too.
      for (let round = 0; round < 5 && (await shown.text('#groups')).includes('unknown'); round++) {
        await shown.click('#groups .unknown .check')
        await shown.until('#status', /done after all/)
      }
      expect(await shown.text('#groups')).not.toContain('unknown')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toContainEqual(
          expect.stringMatching(/^\d+ items? not deleted: it is still there \[Retry\]$/),
        )
      await shown.click('#retry-all')
      await shown.until('#status', /done now\.$/)
      expect(await readPaths(folder)).toEqual([])
      await shown.close()
      await leaving.close()
    })
  })

  describe('a scripted server', () => {
    let faults: FaultServer
    let page: PageServer
    beforeEach(async () => {
      faults = await startFaultServer()
      page = await startPageServer(faults.url)
      return async () => {
        await page.close()
        await faults.close()
      }
    })

    it('stops at any time, and counts the verdicts, the sent and the unsent', async () => {
      const names = numbered(100)
      faults.script(({method, url}) => {
        if (method === 'PROPFIND')
          return answer207(listing('/', ...names.map((name) => `/${name}`)))
        return Number.parseInt(url.slice(1), 10) < 10 ? {status: 204} : NEVER
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.deleteAll()
      await expect.poll(() => shown.text('#status')).toBe('Deleting: 10 of 100')
      await expect.poll(() => faults.requests.length).toBe(1 + 16)
      expect(await shown.verdicts()).toMatchObject({
        '9.txt': 'done deleted',
        '10.txt': 'sent sent',
        '15.txt': 'sent sent',
        '16.txt': 'waiting waiting',
      })
      await shown.click('#stop')
      await shown.until('#status', 'Stopped: 10 of 100 items deleted, 6 unknown, 84 not sent.')
      expect(await shown.verdicts()).toMatchObject({
        '10.txt': 'unknown stopped before the answer',
        '16.txt': 'failed not sent',
      })
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual([
          '6 items: unknown if deleted, stopped before the answer [Check again] [Retry]',
          '84 items not deleted: not sent [Retry]',
        ])
      await shown.close()
    })

    it('has no retry for a refusal that lasts', async () => {
      faults.script(({method, url}) => {
        if (method === 'PROPFIND') return answer207(listing('/', '/a', '/b', '/c'))
        return {status: url === '/a' ? 403 : 423}
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.deleteAll()
      await shown.until('#status', '0 of 3 items deleted, 3 failed.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual([
          '1 item not deleted: not allowed (403)',
          '2 items not deleted: locked (423) [Retry]',
        ])
      expect(await shown.text('#retry-all')).toBe('Retry 2 items')
      await shown.close()
    })

    it('retries one verb at a time on one resource', async () => {
      let isBroken = true
      faults.script(({method, headers}) => {
        if (headers['depth'] === '1') return answer207(listing('/', '/a.txt'))
        if (method === 'GET') return isBroken ? {status: 503} : {status: 200, body: 'a'}
        return {status: 423}
      })
      const shown = await ShownPage.open(current(), page.url)
      await shown.click('#all')
      await shown.click('#download')
      await shown.until('#status', '0 of 1 item downloaded, 1 failed.')
      await shown.deleteAll()
      await shown.until('#status', '0 of 1 item deleted, 1 failed.')
      isBroken = false
      await shown.click('#retry-all')
      await shown.until('#status', '0 of 1 item done now, 1 failed.')
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual([
          '1 item not downloaded: server error (503) [Retry]',
          '1 item not deleted: locked (423) [Retry]',
        ])
      await shown.close()
    })

    it('checks an unknown outcome by PROPFIND, and sends no DELETE for it', async () => {
      faults.script(({method, url, headers}) => {
        if (method === 'DELETE') return RESET
        if (headers['depth'] === '1') return answer207(listing('/', '/gone', '/there'))
        return url === '/gone' ? {status: 404} : answer207(listing('/there'))
      })
      const shown = await ShownPage.open(current(), page.url)

      await shown.deleteAll()
      await shown.until('#status', '0 of 2 items deleted, 2 unknown.')
      const sent = faults.requests.filter(({method}) => method === 'DELETE').length
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['2 items: unknown if deleted, no answer [Check again] [Retry]'])
      await shown.click('#groups .check')
      await shown.until('#status', '1 of 2 items done after all, 1 failed.')
      expect(await shown.verdicts()).toEqual({
        gone: 'done deleted',
        there: 'failed it is still there',
      })
      await expect
        .poll(() => shown.groups(), {timeout: 5000})
        .toEqual(['1 item not deleted: it is still there [Retry]'])
      expect(faults.requests.filter(({method}) => method === 'DELETE')).toHaveLength(sent)
      await shown.close()
    })
  })
})

/** Exports the verdicts and reads the last one on each path. */
async function readVerdicts(shown: ShownPage): Promise<ReadonlyMap<string, DavResult>> {
  await shown.click('#export')
  const lines = (await shown.downloaded('verdicts.jsonl')).toString().trimEnd().split('\n')
  return new Map(
    lines.map((line) => {
      const result: DavResult = JSON.parse(line)
      return [decodePath(result)?.slice(1) ?? '', result]
    }),
  )
}
