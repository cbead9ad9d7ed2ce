// Everything around the runs: the packed package, installed in a folder of its own, and the servers.

import {cp, mkdir, mkdtemp, readFile, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'

import {apacheWithCors} from '../servers/apache.ts'
import {nepheleWithCors} from '../servers/nephele.ts'
import {nginxWithCors} from '../servers/nginx.ts'
import type {BasicAccount, ServerRecipe} from '../servers/support/recipe.ts'
import {Server} from '../servers/support/server.ts'
import {startPages} from './browser/pages.ts'
import {at, execute} from './execute.ts'
import {startFaults} from './faults.ts'
import type {Place} from './scenario.ts'

export interface Site {
  /** The folder in which the package is installed, with the modules of the scenarios. */
  readonly folder: string
  /** The page that runs scenarios. It has an origin of its own, which the servers allow. */
  readonly page: string
  readonly servers: Place['servers']
  /** The account of `private/` on Apache and nginx. */
  readonly account: BasicAccount
  close(): Promise<void>
}

/** Packs and installs the package, and starts the servers. */
export async function startSite(): Promise<Site> {
  await using started = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-runtimes-'))
  started.defer(() => rm(folder, {recursive: true}))
  await install(folder)
  const pages = await startPages(folder)
  started.defer(() => pages.close())
  const start = async (recipe: ServerRecipe): Promise<Server> => {
    const server = new Server(recipe)
    started.defer(() => server.remove())
    await server.start()
    return server
  }
  const [apache, nginx, nephele] = await Promise.all([
    start(apacheWithCors(pages.origin)),
    start(nginxWithCors(pages.origin)),
    start(nepheleWithCors(pages.origin)),
  ])
  const faults = await startFaults()
  started.defer(() => faults.close())
  const kept = started.move()
  return {
    folder,
    page: `${pages.origin}/`,
    servers: {apache: apache.url(), nginx: nginx.url(), nephele: nephele.url(), faults: faults.url},
    account: apache.account,
    close: () => kept.disposeAsync(),
  }
}

/** Installs the packed package as npm does, without a registry: its dependencies are links to those of the checkout. */
async function install(folder: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  const own = join(modules, 'multistatus')
  await mkdir(own, {recursive: true})
  const {stdout} = await execute('npm', ['pack', '--pack-destination', folder])
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '')
  await execute('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'])
  const {dependencies} = JSON.parse(await readFile(join(own, 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) {
    // A name may have a scope.
    await mkdir(dirname(join(modules, name)), {recursive: true})
    await symlink(at(`node_modules/${name}`), join(modules, name))
  }
  await cp(at('test/runtimes'), folder, {
    recursive: true,
    filter: (path) => !path.includes('node_modules') && !path.endsWith('.test.ts'),
  })
}
