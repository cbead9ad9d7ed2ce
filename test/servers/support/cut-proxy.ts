/** A proxy that breaks one connection to a server in the middle of a long answer, and passes all others on. */
import {type Relay, startRelay} from './relay.ts'

export interface CutProxy extends Relay {
  /** Number of connections that were broken. */
  readonly cuts: number
}

/** Starts a proxy to a port of 127.0.0.1. It ends the first connection with a longer answer after so many bytes. */
export async function startCutProxy(to: number, bytes: number): Promise<CutProxy> {
  let cuts = 0
  const relay = await startRelay(to, () => {
    let left = bytes
    return (chunk, client) => {
      if (client.writableEnded) return
      left -= chunk.length
      if (cuts > 0 || left >= 0) {
        client.write(chunk)
        return
      }
      cuts++
      client.end(chunk.subarray(0, left))
    }
  })
  return {
    ...relay,
    get cuts() {
      return cuts
    },
  }
}
