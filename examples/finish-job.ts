// Finishes the work of delete-job.ts. Retries targets that failed or have no answer, and deletes those that were not taken yet.
// The last result for a target in the journal is then its verdict. This program may be killed too, and run again.

import {appendFileSync, readFileSync, truncateSync} from 'node:fs'

import {basicAuth, DavClient, type DavResult, isFailure, isRetryable, keyOf} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth, retry: {attempts: 3, minDelay: 100}})

const [targets = 'targets.txt', journal = 'journal.jsonl'] = process.argv.slice(2)
const references = [...new Set(readFileSync(targets, 'utf8').split('\n').filter(Boolean))]
const note = (result: DavResult) => appendFileSync(journal, `${JSON.stringify(result)}\n`)

// The kill may have torn the last line. Its target then counts as not taken.
truncateSync(journal, readFileSync(journal).lastIndexOf('\n') + 1)
const before = verdicts()
const failures = [...before.values()].filter(isFailure).filter(isRetryable)
for await (const result of dav.retry(failures)) note(result)
for await (const result of dav.deleteMany(remaining())) note(result)

const after = [...verdicts().values()]
const left = after.filter(isFailure)
for (const result of left) console.log('failed', result.url, result.status)
console.log(`${after.length - left.length} of ${after.length} deleted`)
if (left.length > 0) process.exitCode = 1

async function* remaining() {
  for await (const target of dav.deleteMany(references, {dryRun: true})) {
    const {href, url} = target
    if (before.has(keyOf(target))) continue
    const request = {method: 'DELETE', url, depth: 'infinity', attempts: 1} as const
    const facts = {status: 0, reason: 'no-answer', conditions: [], missing: []} as const
    note({ok: false, href, url, relation: 'self', ...facts, request})
    yield url
  }
}

/** Reads the last result for each target, by its key, because servers spell URLs in their own way. */
function verdicts(): Map<string, DavResult> {
  const lines = readFileSync(journal, 'utf8').split('\n').filter(Boolean)
  const results: DavResult[] = lines.map((line) => JSON.parse(line))
  const own = results.filter(({relation}) => relation === 'self')
  return new Map(own.map((result) => [keyOf(result), result]))
}
