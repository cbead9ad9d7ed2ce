// Callers of an unruly server: a client that records its own requests, and targets in all possible forms and sources.

import {DavClient, type Target, type Transport} from 'multistatus'

import {generate} from './fixtures.ts'
import {draw} from './unruly-faults.ts'
import {startUnrulyServer, type UnrulyOptions, type UnrulyServer} from './unruly-server.ts'
import type {Resource} from './unruly-tree.ts'
import {pathOf} from './unruly-verdicts.ts'

/** A client with its record of requests. */
export interface Caller {
  readonly dav: DavClient
  /** Paths of requests that it gave up. */
  readonly givenUp: Set<string>
  /** Maximum number of its open requests at once. */
  readonly mostAtOnce: number
}

/** Creates a client of a server. A stall lasts until its timeout, in milliseconds. */
export function call({url, transport}: UnrulyServer, timeout = 500): Caller {
  const givenUp = new Set<string>()
  let [atOnce, mostAtOnce] = [0, 0]
  const watched: Transport = async (request) => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    let isOver = false
    const end = (): void => {
      if (!isOver) atOnce--
      isOver = true
    }
    request.signal?.addEventListener('abort', () => {
      givenUp.add(pathOf(request))
      end()
    })
    try {
      return await transport(request)
    } finally {
      end()
    }
  }
  return {
    dav: new DavClient({url, transport: watched, timeout}),
    givenUp,
    get mostAtOnce() {
      return mostAtOnce
    },
  }
}

/** Runs a function with the server of a seed, and closes the server. */
export async function withUnrulyServer(
  seed: number,
  options: UnrulyOptions,
  run: (server: UnrulyServer) => Promise<void>,
): Promise<void> {
  const server = await startUnrulyServer(seed, options)
  try {
    await run(server)
  } finally {
    await server.close()
  }
}

/** Names a resource in one of the forms of a target. The number chooses the form. */
export function nameOf({path, href}: Resource, {url, tree}: UnrulyServer, number = 0): Target {
  const dice = draw(0, path, number)
  // A collection without the slash is redirected.
  const written = dice.oneIn(3) ? href.replace(/\/$/, '') : href
  const ways: readonly Target[] = [
    written.slice(tree.root.length),
    written,
    new URL(written, url),
    {url: new URL(written, url).href},
    written.replaceAll(/%[\dA-F]{2}/g, (escape) => escape.toLowerCase()),
  ]
  return dice.pick(ways)
}

/** Passes the same targets in one of the kinds of source. */
export function sourceOf(
  targets: readonly Target[],
  number: number,
): Iterable<Target> | AsyncIterable<Target> {
  const ways = [
    () => targets,
    () => targets.values(),
    () => generate(targets),
    () => streamOf(targets),
  ]
  return ways[number % ways.length]?.() ?? targets
}

function streamOf(targets: readonly Target[]): ReadableStream<Target> {
  const left = targets.values()
  return new ReadableStream<Target>({
    pull(controller) {
      const {done, value} = left.next()
      if (done === true) controller.close()
      else controller.enqueue(value)
    },
  })
}

/** Parses a number from the environment. */
export function numberFrom(text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new RangeError(`${text} is no number above zero`)
}
