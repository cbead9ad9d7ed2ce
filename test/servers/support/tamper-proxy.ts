/** A proxy on loopback that changes the text of a server's answers, and nothing of the requests. */
import {type Relay, startRelay} from './relay.ts'

export interface TamperProxy extends Relay {
  /** Number of changed pieces. */
  readonly changes: number
}

/** Starts a proxy to a port of 127.0.0.1. The change must keep the length of the text. */
export async function startTamperProxy(
  to: number,
  change: (text: string) => string,
): Promise<TamperProxy> {
  let changes = 0
  const relay = await startRelay(to, () => (chunk, client) => {
    const text = chunk.toString('latin1')
    const changed = change(text)
    if (changed !== text) changes++
    client.write(Buffer.from(changed, 'latin1'))
  })
  return {
    ...relay,
    get changes() {
      return changes
    },
  }
}
