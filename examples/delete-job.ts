// Deletes the targets in a file, a URL reference in each line, and keeps a journal of results as JSON lines. It may be killed at
// any moment: finish-job.ts continues from the journal, in another process. The journal must be a new file.

import {appendFileSync, openSync, readFileSync} from 'node:fs'

import {basicAuth, DavClient, type DavResult} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const [targets = 'targets.txt', journal = 'journal.jsonl'] = process.argv.slice(2)
const references = [...new Set(readFileSync(targets, 'utf8').split('\n').filter(Boolean))]
// A dry run sends no request. It refuses invalid targets before anything is deleted.
const planned = dav.deleteMany(references, {dryRun: true})

const file = openSync(journal, 'ax')
for await (const result of dav.deleteMany(taken())) note(result)

/** Writes each target to the journal before it is sent, as a Failure without an answer, which can be retried. */
async function* taken() {
  for await (const {href, url} of planned) {
    const request = {method: 'DELETE', url, depth: 'infinity', attempts: 1} as const
    const facts = {status: 0, reason: 'no-answer', conditions: [], missing: []} as const
    note({ok: false, href, url, relation: 'self', ...facts, request})
    yield url
  }
}

function note(result: DavResult): void {
  appendFileSync(file, `${JSON.stringify(result)}\n`)
}
