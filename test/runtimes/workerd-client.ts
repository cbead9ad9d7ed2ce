// A worker as programs write it: one client, made before the first request, for all of them.

import {DavClient} from 'multistatus'

/** The URL of a collection of the server with faults. */
declare const SERVER: string

const dav = new DavClient({url: SERVER})

// oxlint-disable-next-line import/no-default-export -- workerd calls the default export of a worker's module
export default {
  async fetch(): Promise<Response> {
    const {successes} = await dav.propfind('').collect()
    const {status} = await dav.delete('a')
    return Response.json([successes.length, status])
  },
}
