/** One program of Debian that listens on loopback, with a folder, free ports and an account of its own. */
import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdtemp, open, readFile, writeFile} from 'node:fs/promises'
import {createConnection} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {giveToServer, serverAccount} from './account.ts'
import {removeFolder} from './disk.ts'
import {freePort} from './port.ts'
import {findProgram} from './recipe.ts'

const START_WITHIN = 20_000

export interface DaemonRecipe {
  /** The name of a program on the PATH or in an `sbin`. */
  readonly program: string
  /** The number of ports. Default: 1. */
  readonly ports?: number
  /** Files to write before the start: text by file name. */
  files?(place: DaemonPlace): Readonly<Record<string, string>>
  /** The arguments. The program has to stay in the foreground and to end at SIGTERM. */
  args(place: DaemonPlace): readonly string[]
}

interface DaemonPlace {
  readonly folder: string
  readonly ports: readonly number[]
}

export interface Daemon extends DaemonPlace {
  /** Reads a file of the folder; empty without one. `log` is the output of the program. */
  read(name: string): Promise<string>
  /** Ends the program and removes its folder. */
  stop(): Promise<void>
}

/** Starts a program and waits until it listens on each port. */
export async function startDaemon(recipe: DaemonRecipe): Promise<Daemon> {
  const found = findProgram(recipe.program)
  if (found === undefined) throw new Error(`${recipe.program} not found`)
  const folder = await mkdtemp(join(tmpdir(), `multistatus-${recipe.program}-`))
  await chmod(folder, 0o755)
  const ports = await Promise.all(Array.from({length: recipe.ports ?? 1}, freePort))
  const place = {folder, ports}
  for (const [name, text] of Object.entries(recipe.files?.(place) ?? {}))
    await writeFile(join(folder, name), text)
  await writeFile(join(folder, 'log'), '')
  await giveToServer(folder)
  const read = (name: string): Promise<string> =>
    readFile(join(folder, name), 'utf8').catch(() => '')

  const log = await open(join(folder, 'log'), 'a')
  // With `setpriv`, as on every Linux, the program ends with the tests even if they are killed.
  const setpriv = findProgram('setpriv')
  const line = [...(setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'TERM']), found]
  const [program = found, ...args] = [...line, ...recipe.args(place)]
  const options = {cwd: folder, ...serverAccount()}
  const child = spawn(program, args, {...options, stdio: ['ignore', log.fd, log.fd]})
  await log.close()
  const endWithTests = (): void => void child.kill('SIGTERM')
  process.once('exit', endWithTests)

  const stop = async (): Promise<void> => {
    process.off('exit', endWithTests)
    if (!hasEnded(child)) {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
    await removeFolder(folder)
  }
  const until = Date.now() + START_WITHIN
  for (const port of ports) {
    while (!(await listens(port))) {
      await delay(20)
      if (!hasEnded(child) && Date.now() < until) continue
      const said = await read('log')
      await stop()
      throw new Error(`${recipe.program} does not start on port ${port}:\n${said}`)
    }
  }
  return {folder, ports, read, stop}
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
