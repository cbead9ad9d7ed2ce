// Everything around the runs: the packed package, installed in a folder of its own, and the servers.

import {cp, mkdir, mkdtemp, readFile, rm, symlink} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {apacheWithCors} from '../servers/apache.ts'
import {nephele} from '../servers/nephele.ts'
import {nginx} from '../servers/nginx.ts'
import {Server} from '../servers/support/server.ts'
import {at, execute} from './execute.ts'
import {startFaults} from './faults.ts'
import type {Place} from './scenario.ts'

export interface Site {
  /** The folder in which the package is installed, with the modules of the scenarios. */
  readonly folder: string
  readonly servers: Place['servers']
  close(): Promise<void>
}

/** Packs and installs the package, and starts the servers. */
export async function startSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-runtimes-'))
  const apache = new Server(apacheWithCors)
  const others = [new Server(nginx), new Server(nephele)] as const
  const started = [apache, ...others]
  const close = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.remove()))
    await rm(folder, {recursive: true})
  }
  try {
    await install(folder)
    await Promise.all(started.map((server) => server.start()))
  } catch (error) {
    await close()
    throw error
  }
  const faults = await startFaults()
  const [first, second] = others
  return {
    folder,
    servers: {
      apache: apache.url(),
      nginx: first.url(),
      nephele: second.url(),
      faults: faults.url,
    },
    close: async () => {
      await faults.close()
      await close()
    },
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
  for (const name of Object.keys(dependencies))
    await symlink(at(`node_modules/${name}`), join(modules, name))
  await cp(at('test/runtimes'), folder, {
    recursive: true,
    filter: (path) => !path.includes('node_modules') && !path.endsWith('.test.ts'),
  })
}
