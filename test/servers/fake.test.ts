/**
 * The fake server of `multistatus/testing` against real servers: the same scenario has the same outcomes, except for the differences
 * that are named.
 */
import {DavClient, type Transport} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {undiciTransport} from 'multistatus/undici'
import {describe, expect, it} from 'vitest'
import {apacheWithInfinity} from './apache.ts'
import {DIFFERENCES, OUTCOMES} from './fake/outcomes.ts'
import {type Outcomes, play} from './fake/scenario.ts'
import {nephele} from './nephele.ts'
import {nginx} from './nginx.ts'
import {sabredav} from './sabredav.ts'
import {describeServers} from './support/suite.ts'
import {makeCollection} from './support/trees.ts'

function playAt(url: string, transport: Transport): Promise<Outcomes> {
  return play(new DavClient({url, transport}), new DavClient({url, transport}))
}

describe('the fake server', () => {
  it('has the outcomes of the standards', async () => {
    const {url, transport} = fakeServer({url: 'https://dav.example/scene/'})
    expect(await playAt(url, transport)).toEqual(OUTCOMES)
  })
})

describeServers([apacheWithInfinity, nginx, nephele, sabredav], (server) => {
  it('has the outcomes of the fake server, except for those that are named', async () => {
    await makeCollection(server, 'scene', [])
    const outcomes = await playAt(server.url('scene'), undiciTransport())
    expect(outcomes).toEqual({...OUTCOMES, ...DIFFERENCES[server.recipe.name]})
  })
})
