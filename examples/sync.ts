// Prints the changes of a collection since the last run: node sync.ts photos/ state.jsonl

import {appendFileSync, existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs'

import {basicAuth, DavClient, encodePath, SyncState, visible} from 'multistatus'

const {DAV_URL = 'http://localhost:8080/', DAV_USERNAME, DAV_PASSWORD = ''} = process.env
const auth = DAV_USERNAME === undefined ? undefined : basicAuth(DAV_USERNAME, DAV_PASSWORD)
const dav = new DavClient({url: DAV_URL, auth})
const [collection = '', journal = 'state.jsonl'] = process.argv.slice(2)

const state = await SyncState.read(existsSync(journal) ? readFileSync(journal, 'utf8') : [])
const changes = dav.sync(encodePath(collection), {
  state,
  level: 'infinity',
  onPage: (lines) => appendFileSync(journal, lines),
})
for await (const result of changes) {
  const url = visible(result.url)
  if (result.ok) console.log('changed', url, result.properties.getetag ?? '')
  else if (result.status === 404) console.log('gone   ', url)
  else console.log('failed ', url, result.status, result.reason)
}

const {complete, incomplete} = await changes.summary
if (!complete) console.log(`There may be more changes: ${visible(JSON.stringify(incomplete))}`)

// The journal grows with each change. This writes it anew.
writeFileSync(`${journal}.new`, `${[...state.lines()].join('\n')}\n`)
renameSync(`${journal}.new`, journal)
