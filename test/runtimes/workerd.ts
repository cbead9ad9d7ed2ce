// workerd, the runtime of Cloudflare's workers, by miniflare. The packed package is bundled as wrangler does it.

import {join} from 'node:path'

import {build} from 'esbuild'
import {Miniflare} from 'miniflare'

import type {Difference, Runtime} from './runtime.ts'
import {SCENARIOS} from './scenarios.ts'

/** Bundles a module of the installed folder for workerd. */
async function bundle(folder: string, module: string): Promise<string> {
  const {outputFiles} = await build({
    entryPoints: [join(folder, module)],
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2022',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
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
    async run({folder}, place) {
      const script = await bundle(folder, 'workerd-worker.ts')
      const worker = new Miniflare({modules: true, script, compatibilityDate})
      try {
        const body = JSON.stringify(place)
        const answer = await worker.dispatchFetch('http://worker/', {method: 'POST', body})
        return JSON.parse(await answer.text())
      } finally {
        await worker.dispose()
      }
    },
    differences,
  }
}
