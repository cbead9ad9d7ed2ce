/**
 * COPY and MOVE onto a collection on real servers. lighttpd merges: it puts a file into the collection, and answers 204. With
 * Overwrite T it may lose a member, and answers 200. No verdict may pass for a success of what was asked.
 */
import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {existsSync} from 'node:fs'
import {mkdir, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect, it} from 'vitest'
import {servers} from './servers.ts'
import {giveToServer} from './support/account.ts'
import type {Server} from './support/server.ts'
import {describeServers} from './support/suite.ts'

const clientOf = (server: Server): DavClient =>
  new DavClient({url: server.url(''), transport: undiciTransport()})

describeServers(servers, (server) => {
  it('a file that is sent to a collection without overwrite is no Success, and its content is somewhere', async () => {
    const folder = join(server.root, 'merge')
    await mkdir(join(folder, 'into'), {recursive: true})
    await writeFile(join(folder, 'a.txt'), 'content')
    await giveToServer(folder)
    const verdict = await clientOf(server).move('merge/a.txt', 'merge/into')
    expect(verdict.ok).toBe(false)
    const places = ['a.txt', 'into/a.txt'].filter((name) => existsSync(join(folder, name)))
    expect(places).toHaveLength(1)
  })
})
