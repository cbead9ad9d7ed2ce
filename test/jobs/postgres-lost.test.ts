import {EventEmitter} from 'node:events'

import {postgresLedger} from 'multistatus/jobs'
import type {Pool} from 'pg'
import {expect, it} from 'vitest'

/** A client of `pg` whose connection may end between two statements. */
class Client extends EventEmitter {
  readonly #code: string | undefined

  constructor(code: string | undefined) {
    super()
    this.#code = code
  }

  query(): Promise<unknown> {
    if (this.#code === undefined) return Promise.resolve({rows: [{version: 1}], rowCount: 1})
    this.emit('error', Object.assign(new Error('terminating connection'), {code: this.#code}))
    // The words of `pg` for each statement after that.
    const words = 'Client has encountered a connection error and is not queryable'
    return Promise.reject(new Error(words))
  }

  release(): void {}
}

it.each([
  ['by a restart', '57P01'],
  ['because its worker was frozen', '25P03'],
])('repeats a transaction whose connection ended between two statements %s', async (_, code) => {
  let connections = 0
  const pool = Object.assign(new EventEmitter(), {
    connect: () => Promise.resolve(new Client(++connections === 1 ? code : undefined)),
  })
  await using ledger = await postgresLedger(pool as unknown as Pool)
  expect(ledger.kind).toBe('postgres')
  expect(connections).toBe(2)
})

it('an option that is not known is a TypeError', async () => {
  const options: object = {shema: 'other'}
  await expect(postgresLedger('postgres://localhost/jobs', options)).rejects.toThrow(
    new TypeError('postgresLedger: there is no option "shema"; the nearest is schema'),
  )
})
