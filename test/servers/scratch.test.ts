import {DavClient} from 'multistatus'
import {it} from 'vitest'
import {setTimeout as delay} from 'node:timers/promises'
import {execFileSync} from 'node:child_process'
import {describeServers} from './support/suite.ts'
import {makeCollection, numbered} from './support/trees.ts'
import {transports} from './support/transports.ts'
describeServers((server) => {
  it.for(transports)('%s', async ([name, transport]) => {
    await makeCollection(server, name, numbered(5000))
    const dav = new DavClient({url: server.url(), transport: transport()})
    for await (const _ of dav.propfind(`${name}/`, {depth: 1})) break
    const t = Date.now()
    for (const ms of [0, 50, 500, 1000, 2000, 3000, 5000, 5000]) {
      await delay(ms)
      console.log(Date.now() - t, execFileSync('ss', ['-tnH', 'sport', '=', `${server.port}`]).toString())
    }
  })
})
