// Callers of an unruly server: a client that keeps what it knows of its own requests, and targets in all the ways in which
// they may be named and given.

import {DavClient, type Target, type Transport} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'

import {generate} from './fixtures.ts'
import {draw} from './unruly-faults.ts'
import {startUnrulyServer, type UnrulyOptions, type UnrulyServer} from './unruly-server.ts'
import type {Resource} from './unruly-tree.ts'
import {pathOf} from './unruly-verdicts.ts'

const transport = undiciTransport()

/** A client and what it knows of its requests. */
export interface Caller {
  readonly dav: DavClient
  /** Paths of requests that it gave up. */
  readonly givenUp: Set<string>
  /** Its requests under way at once, at the most. */
  readonly mostAtOnce: number
}

/** A client of a server. It waits for no answer longer than its timeout, which is what a stall takes. */
export function call({url}: UnrulyServer, timeout = 500): Caller {
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

/** A server of a seed for as long as it is needed. */
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

/** A resource as a caller may name it; another number may give another way. */
export function nameOf({path, href}: Resource, {url, tree}: UnrulyServer, number = 0): Target {
  const dice = draw(0, path, number)
  // Without the slash, a collection is redirected to.
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

/** The same targets, given in one of the ways in which they may come. */
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

/** A number that the environment may set. */
export function numberFrom(text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new RangeError(`${text} is no number above zero`)
}
