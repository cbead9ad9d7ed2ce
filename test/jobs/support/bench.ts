/** The surroundings of one test of jobs: a new ledger, a fake server, and a client of it. */

import {DavClient, type DavResult} from 'multistatus'
import {exportVerdicts, type Job, type Ledger} from 'multistatus/jobs'
import {fakeServer, type FakeServer, type FakeServerOptions} from 'multistatus/testing'
import {expect} from 'vitest'

/** A new ledger in a store. */
export interface TestStore {
  /** Opens the ledger, as a process of its own does. */
  open(): Promise<Ledger>
  /** Changes the tables from outside. */
  run(sql: string): Promise<void>
  close(): Promise<void>
}

export interface Bench {
  readonly store: TestStore
  readonly ledger: Ledger
  readonly server: FakeServer
  readonly dav: DavClient
}

/** Runs a test on its own bench. */
export type Using = (
  run: (bench: Bench) => Promise<void>,
  options?: FakeServerOptions,
) => () => Promise<void>

/** Makes the function that gives each test its bench. */
export function benches(makeStore: () => Promise<TestStore>): Using {
  return (run, options) => async () => {
    const store = await makeStore()
    const ledger = await store.open()
    const server = fakeServer(options)
    try {
      await run({store, ledger, server, dav: clientOf(server)})
    } finally {
      await ledger.close()
      await store.close()
    }
  }
}

export function clientOf({url, transport}: Pick<FakeServer, 'url' | 'transport'>): DavClient {
  return new DavClient({url, transport})
}

/** Retries without any wait. */
export const SOON = {minDelay: 0, maxDelay: 0} as const
/** Sends each request once. */
export const ONCE = {attempts: 1, minDelay: 0, maxDelay: 0} as const

/** A line of `exportVerdicts`. */
export type Line = DavResult & {readonly inDoubt?: boolean}

/** Reads the exported lines. */
export async function linesOf(
  ledger: Ledger,
  job: Job | string,
  options?: {readonly failuresOnly?: boolean},
): Promise<readonly Line[]> {
  const text = (await Array.fromAsync(exportVerdicts(ledger, job, options))).join('')
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))
}

/** Reads the verdicts by href. No href has two. */
export async function verdictsOf(
  ledger: Ledger,
  job: Job | string,
): Promise<Readonly<Record<string, Line>>> {
  const lines = await linesOf(ledger, job)
  const verdicts = Object.fromEntries(lines.map((line) => [line.href, line]))
  expect(Object.keys(verdicts)).toHaveLength(lines.length)
  return verdicts
}

/** The statuses of the verdicts by href. */
export async function statusesOf(
  ledger: Ledger,
  job: Job | string,
): Promise<Readonly<Record<string, number>>> {
  const verdicts = await verdictsOf(ledger, job)
  return Object.fromEntries(Object.entries(verdicts).map(([href, {status}]) => [href, status]))
}

/** The paths of the requests that the server saw, by method. */
export function sentTo({requests}: FakeServer, method: string): readonly string[] {
  return requests.filter((request) => request.method === method).map(({path}) => path)
}

/** Puts this many files into a collection, named by their numbers. */
export function fill(server: FakeServer, collection: string, count: number): readonly string[] {
  const paths = Array.from({length: count}, (_, index) => `${collection}${index}`)
  for (const path of paths) server.put(path, 'x')
  return paths
}
