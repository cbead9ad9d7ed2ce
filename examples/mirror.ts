// Mirrors a folder and a collection both ways: DAV_URL=https://dav.example/photos/ node mirror.ts photos/ [--dry-run] [--trusted]
//
// Plans first; --dry-run only prints the plan. Of two versions of a file that changed on both sides, both are kept. It may be killed
// at any point, and the next run goes on. --trusted skips the test that the server obeys If-Match.

import {parseArgs} from 'node:util'

import {logUpdateStderr as draw} from 'log-update'
import {basicAuth, DavClient, visible} from 'multistatus'

import {apply} from './mirror/apply.ts'
import {Folder} from './mirror/folder.ts'
import {Journal} from './mirror/journal.ts'
import {plan, type Step} from './mirror/plan.ts'
import {obeysConditions, readChanges} from './mirror/server.ts'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth, retry: 4})
const flags = {'dry-run': {type: 'boolean'}, trusted: {type: 'boolean'}} as const
const {values, positionals} = parseArgs({options: flags, allowPositionals: true})
const {'dry-run': isDryRun = false, trusted: isTrusted = false} = values

const folder = new Folder(positionals[0] ?? '.')
if (!isDryRun) await folder.prepare()
const journal = await Journal.open(folder.journal, !isDryRun)

const print = (...words: readonly string[]): void => {
  draw.clear()
  console.log(visible(words.join(' ')))
}
const fail = (...words: readonly string[]): void => {
  print(...words)
  process.exitCode = 1
}

const {complete, incomplete} = await readChanges(dav, journal, ({url}, why) =>
  fail('skipped', url, why),
)
if (!complete) fail('Nothing is deleted here:', JSON.stringify(incomplete))
const steps = plan(await folder.scan(journal), journal, complete)

let done = 0
const onStep = ({kind, path}: Step, problem?: string): void => {
  if (problem === undefined) print(kind, path)
  else fail('not done:', kind, path, problem)
  const total = Math.max(steps.length, ++done)
  const bar = '█'.repeat(Math.floor((done / total) * 30)).padEnd(30, '░')
  if (process.stderr.isTTY) draw(`${bar} ${done} of ${total} files`)
}

if (isDryRun) for (const {kind, path} of steps) print('to do:', kind, path)
else if (steps.length > 0 && !isTrusted && !(await obeysConditions(dav)))
  fail('Nothing is done: the server ignores If-Match, or refuses to be tested')
else await apply(steps, {dav, folder, journal, isTrusted, onStep})
draw.done()
console.log(`${steps.length} files differ`)
