// The shape of a scenario, and the results as its outcome has them. No framework and nothing of Node, so that a page, a worker and
// workerd can bundle the scenarios.

import {DavClient, type DavClientOptions, type DavResult, type Transport} from 'multistatus'

/** The place of one run. */
export interface Place {
  /** The root URL of each server, with its slash. */
  readonly servers: {
    readonly apache: string
    readonly nginx: string
    readonly nephele: string
    /** The server of faults.ts. */
    readonly faults: string
  }
  /** The transport of the clients. Default: the one that the package chooses. */
  readonly transport?: Transport | undefined
  /** The name of the run, a plain path segment. On each server the run works in a collection of this name only. */
  readonly runtime: string
}

/** Something that a client does, with its one right outcome. */
export interface Scenario {
  /** The row of the guide's table. */
  readonly feature: string
  readonly title: string
  /** Returns plain JSON. */
  readonly run: (place: Place) => Promise<unknown>
  readonly expected: unknown
}

/** The outcome of a scenario in a runtime. */
export interface Outcome {
  readonly title: string
  readonly outcome: unknown
}

/** Runs scenarios one after the other. A thrown error becomes a text. */
export async function runEach(
  scenarios: readonly Scenario[],
  place: Place,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const {title, run} of scenarios)
    outcomes.push({
      title,
      outcome: await run(place).catch((error: unknown) => `rejected: ${String(error)}`),
    })
  return outcomes
}

/** Formats the URL of a path in the run's collection of a server. */
export function urlOf(place: Place, server: keyof Place['servers'], path: string): string {
  return `${place.servers[server]}${place.runtime}/${path}`
}

/** Creates a client in a collection of the run. */
export function open(
  place: Place,
  server: keyof Place['servers'],
  path: string,
  options: Omit<DavClientOptions, 'url'> = {},
): DavClient {
  return clientOf(place, urlOf(place, server, path), options)
}

/** Creates a client with the transport of the run. */
export function clientOf(
  {transport}: Place,
  url: string,
  options: Omit<DavClientOptions, 'url'> = {},
): DavClient {
  return new DavClient({url, ...(transport !== undefined && {transport}), ...options})
}

/** Formats a result in one line: verdict, status, relation, path below the run's collection, attempts. */
export function line(place: Place, result: DavResult<unknown>): string {
  const {pathname} = new URL(result.url)
  const prefix = `/${place.runtime}`
  const path = pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : pathname
  const attempts = result.ok ? result.attempts : result.request?.attempts
  const verdict = result.ok ? 'ok' : result.reason
  return [verdict, result.status, result.relation, path, attempts ?? 1].join(' ')
}

/** Reads a stream to its end. Returns the sorted lines of its results, and its error as the last line. */
export async function told(
  place: Place,
  stream: AsyncIterable<DavResult<unknown>>,
): Promise<readonly string[]> {
  const lines: string[] = []
  try {
    for await (const result of stream) lines.push(line(place, result))
  } catch (error) {
    return [...lines.toSorted(), `thrown ${nameOf(error)}`]
  }
  return lines.toSorted()
}

/** Names an error, with its time limit if it has one. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'timeout' in error ? `${error.name} ${String(error.timeout)}` : error.name
}

/** Names the error of a call; `nothing` without one. */
export async function nameOfThrown(run: () => unknown): Promise<string> {
  try {
    await run()
    return 'nothing'
  } catch (error) {
    return nameOf(error)
  }
}

/** A text in which a chunk can end inside of a character. */
export const TEXT = 'Grüße 😀'

/** Yields the bytes of the text in pieces that cut a character. */
export async function* pieces(): AsyncGenerator<Uint8Array> {
  const whole = new TextEncoder().encode(TEXT)
  yield whole.slice(0, 3)
  await new Promise((resolve) => setTimeout(resolve, 5))
  yield whole.slice(3)
}

/** Makes a stream of pieces. */
export function streamOf(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await source.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
  })
}
