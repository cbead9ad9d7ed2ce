/** Peculiarities of XRootD: the case of header names, and Depth infinity. RFC 9110, section 5.1. */
import {connect} from 'node:net'

import {DavClient} from 'multistatus'
import {expect, it} from 'vitest'

import {describeServers} from './support/suite.ts'
import {transports} from './support/transports.ts'
import {xrootd} from './xrootd.ts'

/** Sends a PROPFIND with the header `depth: 1` as it is written, and counts the responses of the answer. */
async function countResponses(port: number, depth: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`PROPFIND / HTTP/1.1\r\nHost: a\r\n${depth}\r\nConnection: close\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket.setEncoding('latin1')) {
    answer += String(chunk)
    if (answer.includes('</D:multistatus>')) break
  }
  return answer.split('<D:response ').length - 1
}

describeServers([xrootd], (server) => {
  it('compares the names of headers with case: depth: 1 is Depth 0', async () => {
    const dav = new DavClient({url: server.url()})
    await dav.put('case.txt', 'text')
    expect(await countResponses(server.port, 'depth: 1')).toBe(1)
    expect(await countResponses(server.port, 'Depth: 1')).toBeGreaterThan(1)
  })

  it.each(transports.filter(([name]) => name !== 'fetch'))(
    'is listed, read and written over %s, by names in Title-Case',
    async (name, make) => {
      const dav = new DavClient({url: server.url(), transport: make()})
      expect(await dav.mkcol(`${name}/`)).toMatchObject({ok: true, status: 201})
      const put = await dav.put(`${name}/a.txt`, 'some text')
      expect(put).toMatchObject({ok: true, status: 200})
      await dav.put(`${name}/b.txt`, 'x'.repeat(200_000))
      const {successes} = await dav.propfind(`${name}/`).collect()
      expect(successes.map(({href}) => href).toSorted()).toEqual([
        `/${name}/`,
        `/${name}/a.txt`,
        `/${name}/b.txt`,
      ])
      const read = await dav.get(`${name}/a.txt`)
      expect(read.ok && (await read.text())).toBe('some text')
      expect(await dav.delete(`${name}/a.txt`)).toMatchObject({ok: true, status: 200})
      expect(await dav.exists(`${name}/a.txt`)).toBe(false)
    },
  )

  it('answers Depth infinity with the collection alone, and a walk lists its members', async () => {
    const dav = new DavClient({url: server.url()})
    await dav.put('tree/below/c.txt', 'text')
    const {successes, summary} = await dav.propfind('tree/', {depth: 'infinity'}).collect()
    expect(successes.map(({href}) => href)).toContain('/tree/below/c.txt')
    expect(summary.complete).toBe(true)
  })
})
