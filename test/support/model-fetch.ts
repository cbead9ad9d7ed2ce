// A model of the platform's `fetch`: it records the requests, and answers when the test says so, or after a delay.

import type {DavResult} from 'multistatus'

/** A request that the model got. */
interface SentRequest {
  readonly method: string
  readonly body: ReadableStream<Uint8Array> | null
}

/** The settings of a model. Without `answer`, the test answers each request. */
interface ModelOptions {
  readonly answer?: (request: SentRequest) => Response | Promise<Response>
  /** Milliseconds before each answer. */
  readonly delay?: number
}

/** A `fetch` in the hands of a test. */
export interface Model {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Method and path of each request, in order. */
  sent(): readonly string[]
  /** The second argument of each call. */
  inits(): readonly RequestInit[]
  /** The most requests that waited for an answer at once. */
  mostAtOnce(): number
  /** Answers the request for a path. */
  answer(path: string, response: Response): void
}

/** Makes a model. */
export function modelFetch({answer, delay}: ModelOptions = {}): Model {
  const sent: string[] = []
  const inits: RequestInit[] = []
  const waiting = new Map<string, (response: Response) => void>()
  let [now, most] = [0, 0]
  const respond = async (path: string, init: RequestInit): Promise<Response> => {
    if (delay !== undefined) await new Promise((resolve) => setTimeout(resolve, delay))
    if (answer === undefined) return new Promise((resolve) => waiting.set(path, resolve))
    const {method = 'GET', body} = init
    return answer({method, body: body instanceof ReadableStream ? body : null})
  }
  return {
    async fetch(url, init) {
      const path = new URL(url).pathname
      sent.push(`${init.method} ${path}`)
      inits.push(init)
      most = Math.max(most, ++now)
      try {
        return await respond(path, init)
      } finally {
        now--
      }
    },
    sent: () => sent,
    inits: () => inits,
    mostAtOnce: () => most,
    answer(path, response) {
      const resolve = waiting.get(path)
      if (resolve === undefined) throw new Error(`No request waits for ${path}`)
      resolve(response)
    },
  }
}

/** Formats a result: its href with its status, or with its reason and cause without one. */
export function failureOf(result: DavResult): string {
  const {href, status} = result
  return result.ok || status > 0 ? `${href} ${status}` : `${href} ${result.reason} ${result.cause}`
}
