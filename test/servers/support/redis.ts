/** Redis 7 of Debian on a free port of loopback, with a folder and an account of its own. */
import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdtemp, open, readFile} from 'node:fs/promises'
import {createConnection} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {giveToServer, serverAccount} from './account.ts'
import {removeFolder} from './disk.ts'
import {freePort} from './port.ts'
import {findProgram} from './recipe.ts'

const PROGRAM = '/usr/bin/redis-server'
const START_WITHIN = 20_000

export interface Redis {
  /** The port on loopback. It stays the same after a restart. */
  readonly port: number
  /** Ends the server by SIGKILL, as a power cut does. */
  kill(): Promise<void>
  /** Starts the server again, which is ended by SIGKILL if it still runs. */
  restart(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** True on a machine with Redis. Debian: `redis-server`. */
export const hasRedis: boolean = findProgram(PROGRAM) !== undefined

/**
 * Starts a server and waits until it answers.
 *
 * @param options - `appendonly` keeps what was written; without it a restart forgets everything.
 */
export async function startRedis({
  appendonly = false,
}: {readonly appendonly?: boolean} = {}): Promise<Redis> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-redis-'))
  await chmod(folder, 0o755)
  await giveToServer(folder)
  const port = await freePort()
  const log = join(folder, 'server.log')
  const settings = {
    port: `${port}`,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: appendonly ? 'yes' : 'no',
    'maxmemory-policy': 'noeviction',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])

  let child: ChildProcess | undefined
  const endWithTests = (): void => void child?.kill('SIGKILL')
  process.once('exit', endWithTests)

  const start = async (): Promise<void> => {
    const file = await open(log, 'a')
    // With `setpriv`, as on every Linux, the server ends with the tests even if they are killed.
    const setpriv = findProgram('setpriv')
    const [program = PROGRAM, ...before] =
      setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', PROGRAM]
    const options = {cwd: folder, ...serverAccount()}
    child = spawn(program, [...before, ...args], {...options, stdio: ['ignore', file.fd, file.fd]})
    await file.close()
    for (const until = Date.now() + START_WITHIN; !(await answers(port)); await delay(20))
      if (hasEnded(child) || Date.now() > until)
        throw new Error(`Redis does not start on port ${port}:\n${await readFile(log, 'utf8')}`)
  }
  const kill = async (): Promise<void> => {
    if (child === undefined || hasEnded(child)) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  const stop = async (): Promise<void> => {
    process.off('exit', endWithTests)
    await kill()
    await removeFolder(folder)
  }
  try {
    await start()
  } catch (error) {
    await stop()
    throw error
  }
  return {
    port,
    kill,
    async restart() {
      await kill()
      await start()
    },
    stop,
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Pings. A server that still loads its file answers with an error. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1')
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', (bytes) => {
      socket.destroy()
      resolve(bytes.toString('latin1').startsWith('+PONG'))
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}
