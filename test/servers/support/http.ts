/** Single requests of plain `node:http`, without the client, each on its own connection. */
import {request, type IncomingHttpHeaders} from 'node:http'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Sent {
  /** Default: `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a request for the URL exactly as written, and reads the whole answer. Rejects if the connection breaks. */
export function send(url: string, {method = 'GET', headers, body}: Sent = {}): Promise<Answer> {
  const {hostname, port} = new URL(url)
  const path = url.replace(/^[a-z]+:\/\/[^/]*/, '')
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : {'content-length': `${Buffer.byteLength(body)}`}
    const sent = {hostname, port, path, method, agent: false, timeout: 10_000} as const
    const exchange = request({...sent, headers: {...length, ...headers}}, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.once('end', () =>
        resolve({status: response.statusCode ?? 0, headers: response.headers, text}),
      )
      response.once('error', reject)
    })
    exchange.once('timeout', () => exchange.destroy(new Error(`${method} ${url}: timeout`)))
    exchange.once('error', reject)
    exchange.end(body)
  })
}
