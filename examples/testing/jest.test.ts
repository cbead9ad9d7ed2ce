// Tests a program without a server, under Jest, which needs: node --experimental-vm-modules node_modules/jest/bin/jest.js

import {expect, test} from '@jest/globals'
import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'

test('a sync after a lost token begins anew', async () => {
  const server = fakeServer({files: {'a.txt': 'a', 'b.txt': 'b'}})
  const dav = new DavClient({url: server.url, transport: server.transport})

  const first = await dav.sync('').collect()
  server.remove('b.txt')
  server.loseTokens()

  const {successes} = await dav.sync('', {token: first.summary.syncToken}).collect()
  expect(successes.map(({href}) => href)).toEqual(['/a.txt'])
})
