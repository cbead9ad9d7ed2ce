// Gives the package's own names their sources. Loaded before everything else by the processes that run the tests. The programs that
// tests start are without it, and so they run the built package.

import {registerHooks} from 'node:module'

const ROOT = new URL('../../', import.meta.url)

const SOURCES: Readonly<Record<string, string>> = {
  multistatus: 'src/index.ts',
  'multistatus/parser': 'src/parser.ts',
  'multistatus/undici': 'src/undici.ts',
  'multistatus/http': 'src/http.ts',
  'multistatus/fetch': 'src/fetch.ts',
  'multistatus/testing': 'src/testing.ts',
  'multistatus/jobs': 'src/jobs.ts',
  'multistatus/jobs/bullmq': 'src/jobs/bullmq.ts',
  '#default-transport': 'src/transport/default.node.ts',
  '#diagnostics': 'src/transport/diagnostics.node.ts',
  '#files': 'src/transfer/files.node.ts',
}

registerHooks({
  resolve(specifier, context, next) {
    const path = SOURCES[specifier]
    const isOurs = context.parentURL?.startsWith(ROOT.href) === true
    if (path === undefined || !isOurs) return next(specifier, context)
    return {url: new URL(path, ROOT).href, shortCircuit: true}
  },
})
