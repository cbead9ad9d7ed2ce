// Tests a program without a server, under node:test. The seed makes the same faults in each run.

import assert from 'node:assert/strict'
import {test} from 'node:test'

import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}: each file is deleted in spite of resets and lost answers`, async () => {
    const names = Array.from({length: 50}, (_, number) => `${number}.txt`)
    const files = Object.fromEntries(names.map((name) => [name, name]))
    const server = fakeServer({files, random: {seed, rate: 0.2}})
    const dav = new DavClient({url: server.url, transport: server.transport})

    const retry = {attempts: 8, minDelay: 1, maxDelay: 5}
    const {failures} = await dav.deleteMany(names, {retry}).collect()
    assert.deepEqual(failures, [])
    assert.deepEqual(server.list(), [])
  })
}
