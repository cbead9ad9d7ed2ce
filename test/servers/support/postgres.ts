/**
 * PostgreSQL 15 of Debian on a free port of loopback, with a folder and an account of its own. Its settings are durable: what was
 * committed outlives `kill`.
 */
import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdtemp, open, readFile} from 'node:fs/promises'
import {createConnection} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {promisify} from 'node:util'
import {giveToServer, serverAccount} from './account.ts'
import {removeFolder} from './disk.ts'
import {freePort} from './port.ts'
import {findProgram} from './recipe.ts'

const PROGRAMS = '/usr/lib/postgresql/15/bin'
const START_WITHIN = 60_000

export interface Postgres {
  /** The URL of an empty database. It stays the same after a restart. */
  readonly url: string
  /** Ends the server in order, which ends its connections, and starts it again. Starts it after a `kill`. */
  restart(): Promise<void>
  /** Ends the server by SIGKILL, as a power cut does. `restart` starts it again. */
  kill(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** True on a machine with PostgreSQL 15. Debian: `postgresql-15`. */
export const hasPostgres: boolean = findProgram(join(PROGRAMS, 'postgres')) !== undefined

/** Starts a server and waits until it answers. */
export async function startPostgres(): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-postgres-'))
  await chmod(folder, 0o755)
  await giveToServer(folder)
  const data = join(folder, 'data')
  const account = {cwd: folder, ...serverAccount()}
  const port = await freePort()
  const rights = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8']
  await promisify(execFile)(join(PROGRAMS, 'initdb'), ['-D', data, ...rights], account)

  let child: ChildProcess | undefined
  const kill = (): void => void child?.kill('SIGINT')
  process.once('exit', kill)

  const start = async (): Promise<void> => {
    const until = Date.now() + START_WITHIN
    for (;;) {
      const log = await open(join(folder, 'server.log'), 'a')
      const settings = ['-D', data, '-k', folder, '-h', '127.0.0.1', '-p', `${port}`]
      const [program, ...args] = commandLine([...settings, '-c', 'fsync=on'])
      child = spawn(program, args, {...account, stdio: ['ignore', log.fd, log.fd]})
      await log.close()
      while (!hasEnded(child) && !(await answers(port))) await delay(20)
      if (!hasEnded(child)) return
      // The processes of a killed server hold its memory for a moment.
      if (Date.now() > until) throw new Error(await readFile(join(folder, 'server.log'), 'utf8'))
      await delay(100)
    }
  }
  const end = async (signal: 'SIGINT' | 'SIGKILL'): Promise<void> => {
    if (child === undefined || hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const stop = async (): Promise<void> => {
    process.off('exit', kill)
    await end('SIGINT')
    await removeFolder(folder)
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async restart() {
      await end('SIGINT')
      await start()
    },
    kill: () => end('SIGKILL'),
    stop,
  }
}

/** With `setpriv`, as on every Linux, the server ends with the tests even if they are killed. */
function commandLine(args: readonly string[]): readonly [string, ...string[]] {
  const program = join(PROGRAMS, 'postgres')
  const setpriv = findProgram('setpriv')
  return setpriv === undefined
    ? [program, ...args]
    : [setpriv, '--pdeathsig', 'INT', program, ...args]
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Logs in. A server that still starts answers with an error. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => socket.write(startupMessage()))
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(bytes.toString('latin1').startsWith('R'))
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

/** The first message of a client, of version 3.0 of the protocol. */
function startupMessage(): Buffer {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const message = Buffer.alloc(8 + parameters.length)
  message.writeInt32BE(message.length)
  message.writeInt32BE(3 << 16, 4)
  parameters.copy(message, 8)
  return message
}
