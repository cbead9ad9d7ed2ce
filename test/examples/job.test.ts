// States what the example job says and does when it is run again. It runs as a program on the built package.

import {execFile} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

import {afterEach, beforeEach, expect, it} from 'vitest'

import {answer207, type FaultServer, startFaultServer} from '../support/fault-server.ts'

const PROGRAM = fileURLToPath(new URL('../../examples/job/job.ts', import.meta.url))

let server: FaultServer
let work: string

beforeEach(async () => {
  server = await startFaultServer()
  work = await mkdtemp(join(tmpdir(), 'multistatus-example-'))
})

afterEach(async () => {
  await server.close()
  await rm(work, {recursive: true})
})

/** Runs the program with a ledger of its own. Returns its exit status and the last line of its output. */
function run(...parameters: readonly string[]): Promise<readonly [number, string]> {
  const {DAV_USERNAME: _, DAV_PASSWORD: __, ...env} = process.env
  const given = [PROGRAM, ...parameters, '--ledger', join(work, 'job.sqlite')]
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      given,
      {env, timeout: 30_000},
      (_error, stdout, stderr) =>
        resolve([child.exitCode ?? -1, `${stderr}${stdout}`.trim().split('\n').at(-1) ?? '']),
    )
  })
}

function collection(href: string): string {
  return `<D:response><D:href>${href}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`
}

it('begins anew after failures that no repetition mends', async () => {
  let status = 403
  server.script(({method}) =>
    method === 'PROPFIND'
      ? answer207(`<D:multistatus xmlns:D="DAV:">${collection('/old/')}</D:multistatus>`)
      : {status},
  )
  const tree = new URL('/old', server.url).href
  expect(await run('delete', tree)).toEqual([1, expect.stringMatching(/^0 deleted, 0 listed, 1 f/)])
  expect(await run('delete', tree)).toEqual([1, expect.stringMatching(/^0 deleted, 0 listed, 1 f/)])
  status = 204
  expect(await run('delete', tree)).toEqual([0, expect.stringMatching(/^1 deleted, 0 listed, 0 f/)])
})

it('says that nothing is at a mistyped tree', async () => {
  server.script(() => ({status: 404}))
  const tree = new URL('/odl/', server.url).href
  for (const kind of ['delete', 'list'])
    expect(await run(kind, tree)).toEqual([
      1,
      expect.stringContaining(`Nothing is at ${tree}: check`),
    ])
})

it('explains itself for an unknown engine', async () => {
  const tree = new URL('/old/', server.url).href
  expect(await run('delete', tree, '--engine', 'postgres')).toEqual([
    2,
    expect.stringContaining('--engine none|redis'),
  ])
})
