// Signs in to Nextcloud in the browser of the user, by Login flow v2, and lists the files: CLOUD_URL=https://cloud.example/
// node nextcloud-login.ts

import {setTimeout as delay} from 'node:timers/promises'

import {basicAuth, DavClient, visible} from 'multistatus'

const {CLOUD_URL = 'http://localhost:8080/'} = process.env
// The user sees the name of the program when the password is granted, and in the list of devices.
const headers = {'user-agent': 'multistatus example'}
const TWENTY_MINUTES = 1_200_000

const begun = await fetch(new URL('index.php/login/v2', CLOUD_URL), {method: 'POST', headers})
if (!begun.ok) throw new Error(`The login answered ${begun.status}: is this a Nextcloud?`)
const {login, poll} = await begun.json()
// A server behind a proxy may not know that it is reached by https.
if (new URL(poll.endpoint).protocol !== new URL(CLOUD_URL).protocol)
  throw new Error('The server names an endpoint of another protocol: set its overwriteprotocol')
console.log(`Sign in here: ${visible(login)}`)

/** Asks for the password. The server has none before the user has signed in, and gives it once. */
async function ask(): Promise<Record<string, string> | undefined> {
  const body = new URLSearchParams({token: poll.token})
  const signal = AbortSignal.timeout(30_000)
  // A broken connection, or a server that restarts, does not end the login.
  const answer = await fetch(poll.endpoint, {method: 'POST', headers, body, signal}).catch(() => {})
  if (answer?.status === 200) return answer.json()
  await answer?.body?.cancel()
  return undefined
}

const end = Date.now() + TWENTY_MINUTES
let granted = await ask()
while (granted === undefined && Date.now() < end) {
  await delay(1000)
  granted = await ask()
}

if (granted === undefined) {
  console.log('Nobody signed in within 20 minutes.')
  process.exitCode = 1
} else {
  const {server = '', loginName = '', appPassword = ''} = granted
  console.log(`Signed in as ${visible(loginName)}.`)
  const dav = new DavClient({
    url: `${server}/remote.php/dav/files/${encodeURIComponent(loginName)}/`,
    auth: basicAuth(loginName, appPassword),
  })
  for await (const {url} of dav.propfind('', {depth: 1})) console.log(visible(url))
}
