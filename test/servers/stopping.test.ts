/**
 * A reader that stops early frees the connection, seen from the server's side: the kernel's list of connections.
 */
import {DavClient} from 'multistatus'
import {expect, it, vi} from 'vitest'
import {countConnections} from './support/port.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection, numbered} from './support/trees.ts'
import {transports} from './support/transports.ts'

const isSeen = process.platform === 'linux'

describeServers((server) => {
  it.skipIf(!isSeen).for(transports)(
    'a break leaves no connection open, over %s',
    async ([name, transport]) => {
      await makeCollection(server, name, numbered(5000))
      const dav = new DavClient({url: server.url(), transport: transport()})
      expect(await countConnections(server.port)).toBe(0)

      const results = dav.propfind(`${name}/`, {depth: 1})
      let during = 0
      for await (const result of results) {
        expect(result.ok).toBe(true)
        during = await countConnections(server.port)
        break
      }

      expect(during).toBe(1)
      await vi.waitFor(async () => expect(await countConnections(server.port)).toBe(0), 3000)
      expect(await results.summary).toMatchObject({
        complete: false,
        incomplete: [{reason: 'stopped'}],
      })
    },
  )

  it.skipIf(!isSeen).for(transports)(
    'an abort leaves no connection open, over %s',
    async ([name, transport]) => {
      await makeCollection(server, `${name}-abort`, numbered(5000))
      const dav = new DavClient({url: server.url(), transport: transport()})
      const reason = new Error('the user went home')
      const controller = new AbortController()
      expect(await countConnections(server.port)).toBe(0)

      const read = async (): Promise<void> => {
        for await (const result of dav.propfind(`${name}-abort/`, {
          depth: 1,
          signal: controller.signal,
        })) {
          expect(result.ok).toBe(true)
          controller.abort(reason)
        }
      }

      await expect(read()).rejects.toBe(reason)
      await vi.waitFor(async () => expect(await countConnections(server.port)).toBe(0), 3000)
    },
  )
})
