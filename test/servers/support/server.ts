/**
 * One server process with its own folder, its own free port and an account without privileges. Its start waits until it
 * answers, and its stop waits until its process has ended. A failed start throws an error with the server's output.
 */
import {spawn, type ChildProcess} from 'node:child_process'
import {randomUUID} from 'node:crypto'
import {chmod, mkdir, mkdtemp, open, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {giveToServer, serverAccount} from './account.ts'
import {readTree, removeFolder} from './disk.ts'
import {send} from './http.ts'
import {freePort} from './port.ts'
import {
  findProgram,
  type BasicAccount,
  type CalendarTraits,
  type DeletingTraits,
  type GroupwareTraits,
  type ServerRecipe,
  type ServerTraits,
  type Site,
} from './recipe.ts'

// DAViCal makes its database first.
const START_WITHIN = 60_000
const STOP_WITHIN = 10_000

export class Server {
  readonly recipe: ServerRecipe
  /** Outside ASCII, with `:`, which splits a Basic credential, and with `%` and `"`, which some escape. */
  readonly account: BasicAccount = {user: 'zoë', password: 'pä:ß wörd€ %"'}
  #site: Site | undefined
  #process: ChildProcess | undefined

  constructor(recipe: ServerRecipe) {
    this.recipe = recipe
  }

  get traits(): ServerTraits {
    return this.recipe.traits
  }

  /** Answers to a DELETE. Throws for a server without known ones. */
  get deleting(): DeletingTraits {
    const {name, deleting} = this.recipe
    if (deleting === undefined) throw new Error(`the answers of ${name} to a DELETE are unknown`)
    return deleting
  }

  /** Answers about calendars. Throws for a server without calendars. */
  get calendars(): CalendarTraits {
    const {name, calendars} = this.recipe
    if (calendars === undefined) throw new Error(`${name} has no calendars`)
    return calendars
  }

  /** The folder on the disk that the server serves as `/`. */
  get root(): string {
    return this.#started().root
  }

  get port(): number {
    return this.#started().port
  }

  /** Formats the URL of a collection directly below the root or the home. Its name is plain ASCII. */
  url(collection = ''): string {
    const home = this.recipe.groupware?.home ?? '/'
    return `http://127.0.0.1:${this.port}${home}${collection === '' ? '' : `${collection}/`}`
  }

  /** The headers with the credentials of the home; none for a server without one. */
  get credentials(): {readonly authorization?: string} {
    const {groupware} = this.recipe
    return groupware === undefined ? {} : {authorization: basicAuthorization(groupware.account)}
  }

  /** Starts the server and waits until it answers. After a stop, port and files stay the same. */
  async start(): Promise<void> {
    this.#site ??= await this.#makeSite()
    const site = this.#site
    const log = await open(site.log, 'a')
    try {
      const [program, ...args] = commandLine(this.recipe, site)
      this.#process = spawn(program, args, {
        cwd: site.folder,
        stdio: ['ignore', log.fd, log.fd],
        ...(this.recipe.sharesAccount !== true && serverAccount()),
      })
    } finally {
      await log.close()
    }
    // A program that cannot be run has no pid. The wait for its answer detects that.
    this.#process.once('error', () => {})
    process.once('exit', this.#kill)
    try {
      await this.#untilItAnswers(site, this.#process)
    } catch (error) {
      await this.stop()
      const said = await readFile(site.log, 'utf8')
      throw new Error(`${this.recipe.name} does not start on port ${site.port}:\n${said}`, {
        cause: error,
      })
    }
  }

  /** Stops the server and waits until its process has ended. Its files stay. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    this.#process = undefined
    process.off('exit', this.#kill)
    if (hasEnded(child)) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const deadline = AbortSignal.timeout(STOP_WITHIN)
    const late = new Promise<'late'>((resolve) =>
      deadline.addEventListener('abort', () => resolve('late')),
    )
    if ((await Promise.race([ended, late])) !== 'late') return
    child.kill('SIGKILL')
    await ended
    throw new Error(
      `${this.recipe.name}, pid ${child.pid}, did not end within ${STOP_WITHIN} ms of SIGTERM`,
    )
  }

  /** Runs a function while the server is stopped, then starts the server again. */
  async whileStopped<T>(run: () => Promise<T>): Promise<T> {
    await this.stop()
    try {
      return await run()
    } finally {
      await this.start()
    }
  }

  /** Stops the server and removes its folder. */
  async remove(): Promise<void> {
    try {
      await this.stop()
    } finally {
      if (this.#site !== undefined) await removeFolder(this.#site.folder)
      this.#site = undefined
    }
  }

  readonly #kill = (): void => {
    this.#process?.kill('SIGTERM')
  }

  #started(): Site {
    if (this.#site === undefined) throw new Error(`${this.recipe.name} is not started yet`)
    return this.#site
  }

  async #makeSite(): Promise<Site> {
    const folder = await mkdtemp(join(tmpdir(), 'multistatus-server-'))
    await chmod(folder, 0o755)
    const site: Site = {
      folder,
      root: join(folder, this.recipe.rootFolder ?? 'root'),
      port: await freePort(),
      log: join(folder, 'server.log'),
      account: this.account,
    }
    await mkdir(join(site.root, 'private'), {recursive: true})
    await writeFile(site.log, '')
    for (const [name, text] of Object.entries(this.recipe.files(site))) {
      await mkdir(dirname(join(folder, name)), {recursive: true})
      await writeFile(join(folder, name), text)
    }
    await giveToServer(folder)
    return site
  }

  /** Asks for a file that only this site's disk can have, because another process may have taken the port. */
  async #untilItAnswers(site: Site, child: ChildProcess): Promise<void> {
    const {calendars, groupware} = this.recipe
    const ask =
      groupware !== undefined ? servesHome : calendars === undefined ? servesFile : makesCollection
    const name = `answers-${randomUUID()}`
    const until = Date.now() + START_WITHIN
    while (!(await ask(site, name, groupware))) {
      if (hasEnded(child))
        throw new Error(`ended with ${child.exitCode ?? child.signalCode ?? 'no code'}`)
      if (Date.now() > until) throw new Error(`no answer within ${START_WITHIN} ms`)
      await delay(20)
    }
    await rm(join(site.root, name), {recursive: true, force: true})
  }
}

/** Program and arguments. With `setpriv`, as on every Linux, the server ends with the tests even if they are killed. */
function commandLine(recipe: ServerRecipe, site: Site): readonly [string, ...string[]] {
  const program = findProgram(recipe.program)
  if (program === undefined) throw new Error(`${recipe.program} not found`)
  const setpriv = findProgram('setpriv')
  if (setpriv === undefined) return [program, ...recipe.args(site)]
  return [setpriv, '--pdeathsig', 'TERM', program, ...recipe.args(site)]
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** Checks that a new file on the disk is served. */
async function servesFile({root, port}: Site, name: string): Promise<boolean> {
  const file = join(root, name)
  await writeFile(file, name)
  await giveToServer(file)
  const answer = await send(`http://127.0.0.1:${port}/${name}`).catch(ifSilent)
  return answer?.text === name
}

/** Checks that a requested collection appears on the disk. */
async function makesCollection({root, port}: Site, name: string): Promise<boolean> {
  await send(`http://127.0.0.1:${port}/${name}/`, {method: 'MKCOL'}).catch(ifSilent)
  return (await readTree(join(root, name))).length > 0
}

/** Checks that a home is there for its owner. */
async function servesHome(
  {port}: Site,
  _name: string,
  groupware: GroupwareTraits | undefined,
): Promise<boolean> {
  if (groupware === undefined) return false
  const {home, account} = groupware
  const authorization = basicAuthorization(account)
  const headers = {authorization, depth: '0'}
  const answer = await send(`http://127.0.0.1:${port}${home}`, {method: 'PROPFIND', headers}).catch(
    ifSilent,
  )
  return answer?.status === 207
}

/** Formats HTTP Basic credentials, without the client. RFC 7617. */
function basicAuthorization({user, password}: BasicAccount): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** Ignores a missing or unfinished listener. */
function ifSilent(): undefined {
  return undefined
}
