/** An early stop frees the connection, as seen in the kernel's list of the server's connections. */
import {DavClient} from 'multistatus'
import {beforeAll, expect, it, vi} from 'vitest'
import {servers} from './servers.ts'
import {readConnections} from './support/port.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'
import {transports} from './support/transports.ts'
import {makeCollection, numbered} from './support/trees.ts'

describeServers(servers, (server) => {
  beforeAll(async () => {
    await makeCollection(server, 'many', numbered(5000))
  })

  it.for(transports)('a break frees the connection, over %s', async ([, transport]) => {
    const before = await readConnections(server.port)
    const dav = new DavClient({url: server.url(), transport: transport()})

    const results = dav.propfind('many/', {depth: 1})
    let opened: readonly string[] = []
    for await (const result of results) {
      expect(result.ok).toBe(true)
      opened = await connectionsSince(before, server)
      break
    }

    expect(opened).toHaveLength(1)
    await untilClosed(opened, server)
    expect(await results.summary).toMatchObject({
      complete: false,
      incomplete: [{reason: 'stopped'}],
    })
  })

  it.for(transports)('an abort frees the connection, over %s', async ([, transport]) => {
    const before = await readConnections(server.port)
    const dav = new DavClient({url: server.url(), transport: transport()})
    const controller = new AbortController()
    const reason = new Error('the user went home')

    const results = dav.propfind('many/', {depth: 1, signal: controller.signal})
    let opened: readonly string[] = []
    const read = async (): Promise<void> => {
      for await (const result of results) {
        expect(result.ok).toBe(true)
        if (opened.length === 0) opened = await connectionsSince(before, server)
        controller.abort(reason)
      }
    }

    await expect(read()).rejects.toBe(reason)
    await expect(results.summary).rejects.toBe(reason)
    expect(opened).toHaveLength(1)
    await untilClosed(opened, server)
  })
})

/** Connections that are open now and were not before. */
async function connectionsSince(
  before: ReadonlySet<string>,
  server: Server,
): Promise<readonly string[]> {
  return [...(await readConnections(server.port))].filter((connection) => !before.has(connection))
}

/** Waits until none of the connections is open, for at most three seconds. Every server would wait longer. */
async function untilClosed(connections: readonly string[], server: Server): Promise<void> {
  await vi.waitFor(async () => {
    const open = await readConnections(server.port)
    expect(connections.filter((connection) => open.has(connection))).toEqual([])
  }, 3000)
}
