// The server of the page and its worker, with the packed package bundled for browsers.

import {once} from 'node:events'
import {createServer} from 'node:http'
import {join} from 'node:path'

import {build} from 'esbuild'

export interface Pages {
  /** Scheme, host and port, without a slash at its end. */
  readonly origin: string
  close(): Promise<void>
}

const PAGE = `<!doctype html>
<html lang="en">
<title>multistatus</title>
<script src="page.js"></script>
</html>
`

/** Bundles the modules of the installed folder. Returns the files by path. */
async function bundlePages(folder: string): Promise<ReadonlyMap<string, string>> {
  const {outputFiles} = await build({
    entryPoints: [join(folder, 'browser/page.ts'), join(folder, 'browser/worker.ts')],
    absWorkingDir: folder,
    outdir: folder,
    bundle: true,
    // Firefox has no modules in service workers.
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  const scripts = outputFiles.map(({path, text}) => [path.slice(folder.length), text] as const)
  return new Map([['/', PAGE], ...scripts])
}

/** Bundles and serves the page. */
export async function startPages(folder: string): Promise<Pages> {
  const files = await bundlePages(folder)
  const server = createServer(({url = ''}, response) => {
    const file = files.get(url)
    const type = url === '/' ? 'text/html' : 'text/javascript'
    response.writeHead(file === undefined ? 404 : 200, {'content-type': type}).end(file)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
