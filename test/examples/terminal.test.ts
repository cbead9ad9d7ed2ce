// States that no example prints raw text of a server. A name or a description may hold a line feed with a forged line,
// or control sequences of the terminal. The examples run as programs on the built package.

import {execFile} from 'node:child_process'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'

import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {answer207, type FaultServer, startFaultServer} from '../support/fault-server.ts'

const run = promisify(execFile)
const FORGED = 'deleted https://dav.example/forged'
const EVIL = `locked&#10;${FORGED}&#13;${FORGED}&#x9B;2J&#x202E;gpj&#x2028;${FORGED}`
let server: FaultServer
let work: string

beforeEach(async () => {
  server = await startFaultServer()
  work = await mkdtemp(join(tmpdir(), 'multistatus-terminal-'))
})

afterEach(async () => {
  await server.close()
  await rm(work, {recursive: true})
})

/** Returns the output of an example, at any exit status. */
async function printedBy(example: string, ...parameters: readonly string[]): Promise<string> {
  const {DAV_USERNAME: _, DAV_PASSWORD: __, DAV_TOKEN: ___, ...inherited} = process.env
  const options = {env: {...inherited, DAV_URL: server.url, NO_COLOR: '1'}, timeout: 30_000}
  const file = fileURLToPath(new URL(`../../examples/${example}.ts`, import.meta.url))
  const ended = run(process.execPath, [file, ...parameters], options)
  const {stdout, stderr} = await ended.catch((error: {stdout: string; stderr: string}) => error)
  return stdout + stderr
}

function response(href: string, inside: string): string {
  return `<D:response><D:href>${href}</D:href>${inside}</D:response>`
}

const found = `<D:propstat><D:prop><D:getetag>${EVIL}</D:getetag><D:getcontentlength>1</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>`
const refused = `<D:status>HTTP/1.1 403 Forbidden</D:status><D:error><x:c xmlns:x="urn:&#10;${FORGED}"/></D:error><D:responsedescription>${EVIL}</D:responsedescription>`
const locked = `<D:status>HTTP/1.1 423 Locked</D:status><D:responsedescription>${EVIL}</D:responsedescription>`
const condition = `<D:status>HTTP/1.1 423 Locked</D:status><D:error><x:c xmlns:x="urn:&#10;${FORGED}&#x202E;"/></D:error>`

describe('an example prints one line for each result, whatever its server writes', () => {
  const listing = `<D:multistatus xmlns:D="DAV:">${response('/', found)}${response(`/a${EVIL}`, found)}${response(`/b${EVIL}`, refused)}${response(EVIL, refused)}</D:multistatus>`
  const verdicts = `<D:multistatus xmlns:D="DAV:">${response('/x/one', locked)}${response(`/x/two${EVIL}`, condition)}</D:multistatus>`

  it.each([
    ['list', [], listing],
    ['walk', ['left.json'], listing],
    ['parse-fetch', [], listing],
    ['bulk-delete', ['x'], verdicts],
    ['progress', ['x'], verdicts],
    ['retry', ['x'], verdicts],
    ['demo', [''], listing],
    ['demo', [''], verdicts],
  ])('%s %j', async (example, parameters, body) => {
    for (let answer = 0; answer < 30; answer++) server.answers(answer207(body))
    const given = parameters.map((one) =>
      one === '' ? server.url : one.replace('left', join(work, 'left')),
    )
    const printed = await printedBy(example, ...given)
    expect(printed).not.toBe('')
    expect(printed.split('\n').filter((line) => line.startsWith(FORGED))).toEqual([])
    expect(printed).not.toMatch(
      /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E]/,
    )
  })

  it("bulk-delete shows the server's description in the line of its member", async () => {
    server.answers(answer207(verdicts))
    const lines = (await printedBy('bulk-delete', 'x')).split('\n')
    expect(lines[0]).toBe(
      String.raw`  in it: ${server.url}x/one 423 locked ${FORGED} ${FORGED}\u009b2J\u202egpj\u2028${FORGED}`,
    )
    expect(lines).toHaveLength(4)
  })
})
