// Lists a collection of the user's own server, one line for each result as it arrives. Changes nothing.

import {basicAuth, bearerAuth, DavClient} from 'multistatus'

import {listed, summarized, title} from './terminal.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Lists the members of the collection at `url`, with the credentials that the environment has. */
export async function listServer(
  url: string,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  const dav = new DavClient({url, ...credentials(environment)})
  const listing = dav.propfind('', {depth: 1, signal})

  title(`PROPFIND ${dav.url}, Depth 1`)
  for await (const result of listing) listed(result)
  summarized(await listing.summary)
}

function credentials({DAV_USERNAME, DAV_PASSWORD, DAV_TOKEN}: Environment) {
  if (DAV_TOKEN !== undefined) return {auth: bearerAuth(DAV_TOKEN)}
  if (DAV_USERNAME !== undefined) return {auth: basicAuth(DAV_USERNAME, DAV_PASSWORD ?? '')}
  return {}
}
