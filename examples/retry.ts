// Deletes the files that are named on the command line. Failures that may pass (locked, throttled, …) are retried later.

import {basicAuth, DavClient, encodePath, isRetryable} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})

const targets = process.argv.slice(2).map((name) => encodePath(name))
const first = await dav.deleteMany(targets).collect()
console.log(
  `${first.successes.length} deleted, ${first.failures.filter(isRetryable).length} worth another try`,
)

// Failures are plain data: another process can do this part, tomorrow.
const queued = JSON.stringify(first.failures)

const retried = dav.retry(JSON.parse(queued), {attempts: 3, minDelay: 200, maxDelay: 2000})
for await (const result of retried) {
  console.log(result.ok ? 'deleted' : `still ${result.status}`, result.url)
}
