// A raw request to the fake server, without a client.

import type {FakeServer} from 'multistatus/testing'

/** An answer with its body as text. */
export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Sends a request below the URL of the server. */
export async function ask(
  server: FakeServer,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string,
): Promise<Told> {
  const init = {method, headers, ...(body !== undefined && {body})}
  const answer = await server.fetch(new Request(new URL(path, server.url), init))
  return {status: answer.status, headers: answer.headers, text: await answer.text()}
}
