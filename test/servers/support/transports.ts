/** The transports that every server is tested over, and one that counts the bytes of a body. */
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import type {DavBody, Transport} from 'multistatus'

/** Each test creates its own, so that no connection is left from another one. */
export const transports: readonly (readonly [name: string, transport: () => Transport])[] = [
  ['undici', () => undiciTransport()],
  ['http', () => httpTransport()],
  ['fetch', () => fetchTransport()],
]

/** Wraps a transport to count the bytes of the bodies as they are read. */
export function counted(transport: Transport, read: {bytes: number}): Transport {
  return async (request) => {
    const {status, headers, body} = await transport(request)
    return {status, headers, body: body === null ? null : countedBody(body, read)}
  }
}

async function* countedBody(body: DavBody, read: {bytes: number}): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    read.bytes += chunk.length
    yield chunk
  }
}
