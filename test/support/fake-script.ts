// Puts a fake server of the kit behind the sockets of a fault server, for tests in which the transport matters.

import type {FakeServer} from 'multistatus/testing'

import type {Answer, SeenRequest} from './fault-server.ts'

/** Makes the script that answers as a fake server does, whose URL is that of the fault server. */
export function scriptOf(fake: FakeServer): (request: SeenRequest) => Promise<Answer> {
  return async ({method, url, headers, bytes}) => {
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
    const body = bytes.length === 0 ? null : bytes
    const init = {method, headers: Object.fromEntries(fields), body}
    const answer = await fake.fetch(new Request(new URL(url, fake.url), init))
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.bytes(),
    }
  }
}
