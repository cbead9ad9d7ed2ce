// workerd, the runtime of Cloudflare's workers, by miniflare. The packed package is bundled as wrangler does it.

import {join} from 'node:path'
import type {Readable} from 'node:stream'

import {build} from 'esbuild'
import {Miniflare} from 'miniflare'

import type {Difference, Runtime} from './runtime.ts'
import {SCENARIOS} from './scenarios.ts'
import type {Site} from './site.ts'

interface Worker {
  readonly folder: string
  readonly module: string
  readonly compatibilityDate: string
  readonly define?: Record<string, string>
}

/** Bundles a module of the installed folder, and runs a function with a worker of it. Throws for an error that nobody caught. */
async function withWorker<T>(
  {folder, module, compatibilityDate, define = {}}: Worker,
  run: (worker: Miniflare) => Promise<T>,
): Promise<T> {
  const {outputFiles} = await build({
    entryPoints: [join(folder, module)],
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2022',
    define,
    write: false,
  })
  let said = ''
  const worker = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? '',
    compatibilityDate,
    // workerd also tells of each connection that fails.
    handleRuntimeStdio: (_: Readable, stderr: Readable) =>
      stderr.on('data', (text) => (said += String(text))),
  })
  const result = await run(worker).finally(() => worker.dispose())
  if (/Uncaught/.test(said)) throw new Error(said)
  return result
}

/** workerd with a compatibility date, which decides on the rules of its `fetch`. */
export function workerd(
  compatibilityDate: string,
  differences: Readonly<Record<string, Difference>> = {},
): Runtime {
  return {
    heading: 'workerd',
    name: `workerd-${compatibilityDate}`,
    scenarios: SCENARIOS,
    run: ({folder}, place) =>
      withWorker({folder, module: 'workerd-worker.ts', compatibilityDate}, async (worker) => {
        const body = JSON.stringify(place)
        const answer = await worker.dispatchFetch('http://worker/', {method: 'POST', body})
        return JSON.parse(await answer.text())
      }),
    differences,
  }
}

/** Asks a worker that has one client for all requests: first twice, then twice at once. Returns its answers. */
export async function askOneClient(
  {folder, servers}: Site,
  compatibilityDate: string,
): Promise<readonly unknown[]> {
  const define = {SERVER: JSON.stringify(`${servers.faults}client-${compatibilityDate}/`)}
  const module = 'workerd-client.ts'
  return withWorker({folder, module, compatibilityDate, define}, async (worker) => {
    const ask = async (): Promise<unknown> => {
      const answer = await worker.dispatchFetch('http://worker/')
      return answer.json()
    }
    return [await ask(), await ask(), ...(await Promise.all([ask(), ask()]))]
  })
}
