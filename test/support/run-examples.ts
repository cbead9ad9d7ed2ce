// Runs each example like its reader on an embedded server, and compares its output with the disk.

import {execFile} from 'node:child_process'
import {link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'

import {multistatusBody} from 'multistatus/testing'

import {lock} from '../../examples/demo/lock.ts'
import {startEmbeddedServer} from './embedded-server.ts'
import {answer207, startFaultServer} from './fault-server.ts'
import {FILES, keepLogin, keepNextcloud} from './nextcloud-server.ts'
import {keepTus} from './tus-server.ts'

const run = promisify(execFile)
const server = await startEmbeddedServer()
const {url, folder} = server
// Folder for the examples' own files.
const work = await mkdtemp(join(tmpdir(), 'multistatus-examples-'))
const examples = new URL('../../examples/', import.meta.url)
let failed = 0

try {
  await writeFile(join(folder, '100% #1?.jpg'), 'picture')
  await writeFile(join(folder, 'notes.txt'), 'notes')
  await mkdir(join(folder, 'old'))
  await writeFile(join(folder, 'old', 'a.txt'), 'a')

  await expectOutput(
    'list.ts',
    [],
    ['7 bytes', '5 bytes', 'collection', '100%25%20%231%3F.jpg', 'That is all of it.'],
  )
  await expectOutput(
    'walk.ts',
    [join(work, 'left.json')],
    ['\n100% #1?.jpg\n', '\nold\n', '\nold/a.txt\n', 'That is all of it.'],
  )
  await keepCheckpoint()
  await expectOutput(
    'rename.ts',
    ['old', 'archive/100% old'],
    [
      `renamed to ${url}archive/100%25%20old/\n`,
      'old is not there\n',
      'archive/100% old is there\n',
    ],
  )
  await expectOutput('rename.ts', ['archive/100% old', 'old'], [`renamed to ${url}old/\n`])
  await expectOutput(
    'rename.ts',
    ['old', 'notes.txt'],
    ['not renamed: 412 the new name is taken\n', 'old is there\n', 'notes.txt is there\n'],
    {exitCode: 1},
  )
  await rm(join(folder, 'archive'), {recursive: true})
  const state = join(work, 'state.jsonl')
  await expectOutput('sync.ts', ['', state], [`changed ${url}notes.txt `], {absent: ['gone']})
  await writeFile(join(folder, 'new.txt'), 'new')
  await rm(join(folder, 'notes.txt'))
  await expectOutput('sync.ts', ['', state], [`changed ${url}new.txt `, `gone    ${url}notes.txt`])
  await rm(join(folder, 'new.txt'))
  await writeFile(join(folder, 'notes.txt'), 'notes')
  await mirror()
  await expectOutput('parse-fetch.ts', [], ['200', 'notes.txt'])
  await expectOutput(
    'telemetry.ts',
    [],
    ["name: 'PROPFIND'", "'http.response.status_code': 207", `'url.full': '${url}'`],
  )
  await expectOutput('request.ts', [], ['MKCOL 201', 'PUT 201', 'GET 200 All is well.'])
  await expectOutput('request.ts', [], ['MKCOL 405', 'PUT 412', 'GET 200 All is well.'])
  await expectOutput('set-property.ts', ['notes.txt', 'Ana'], [`set     ${url}notes.txt`])
  await expectOutput('set-property.ts', ['gone.txt', 'Ana'], ['gone.txt 404 status'], {exitCode: 1})
  await expectOutput(
    'edit-locked.ts',
    ['notes.txt', 'One more line.'],
    ['locked for ', ' seconds by multistatus ', 'written\n0 locks left\n'],
  )
  if ((await readFile(join(folder, 'notes.txt'), 'utf8')) !== 'notesOne more line.\n')
    throw new Error('edit-locked.ts wrote something else')
  await expectOutput(
    'edit-locked.ts',
    ['none/notes.txt', 'One more line.'],
    ['not locked: 404', '0 locks left\n'],
    {exitCode: 1},
  )
  await keepUnread()
  await expectOutput('test-with-msw.ts', [], ['pass 2', 'fail 0'])
  await testUnderRunners()
  await expectOutput(
    'bulk-delete.ts',
    ['100% #1?.jpg', 'old', 'gone.txt'],
    [
      `deleted ${url}100%25%20%231%3F.jpg`,
      `deleted ${url}old`,
      `failed  ${url}gone.txt 404 status`,
    ],
    {exitCode: 1},
  )
  await expectOutput(
    'retry.ts',
    ['notes.txt', 'gone.txt'],
    ['1 deleted, 0 worth another try', `still 404 ${url}gone.txt`],
  )
  await mkdir(join(work, 'upload', 'deep'), {recursive: true})
  for (const name of ['a #1.txt', 'deep/b.txt']) await writeFile(join(work, 'upload', name), name)
  await expectOutput('upload-folder.ts', [join(work, 'upload')], ['2 files'], {absent: ['there']})
  await expectOutput(
    'upload-folder.ts',
    [join(work, 'upload')],
    [`there already ${url}uploads/a%20%231.txt`, `there already ${url}uploads/deep/b.txt`],
  )
  await expectOutput(
    'upload-folder.ts',
    [join(work, 'upload'), 'uploads/'],
    [`there already ${url}uploads/deep/b.txt`],
  )
  await rm(join(folder, 'uploads'), {recursive: true})
  await writeFile(join(folder, 'one.txt'), '1')
  await expectOutput(
    'progress.ts',
    ['one.txt', 'gone.txt'],
    [`failed ${url}gone.txt 404 status`, '2 of 2 done, 1 failed, 0 retried'],
    {exitCode: 1},
  )
  await job()
  await writeFile(join(folder, 'film.bin'), Buffer.alloc(1_000_000, 'film'))
  breakOnce()
  await expectOutput(
    'resume-download.ts',
    ['film.bin', join(work, 'film.bin')],
    ['broke at byte ', '(network); on in ', 'film.bin has 1000000 bytes, ETag "'],
  )
  const [film, copy] = [
    await readFile(join(folder, 'film.bin')),
    await readFile(join(work, 'film.bin')),
  ]
  if (!film.equals(copy)) throw new Error('resume-download.ts joined the wrong bytes')
  await expectOutput(
    'resume-download.ts',
    ['gone.bin', join(work, 'gone.bin')],
    ['no gone.bin: 404 status'],
    {exitCode: 1},
  )
  await rm(join(folder, 'film.bin'))
  await resumeUpload()
  await rm(join(folder, 'reports'), {recursive: true})
  await expectOutput('list.ts', [], ['That is all of it.'], {absent: ['.txt', 'old']})
  await mkdir(join(folder, 'drafts'))
  for (const name of ['notes.txt', 'drafts/contract.txt']) await writeFile(join(folder, name), name)
  await lock(`${url}drafts/contract.txt`)
  await expectOutput(
    'first.ts',
    [],
    [
      `deleted ${url}notes.txt\n`,
      `kept    ${url}drafts/contract.txt 423 status\n`,
      `kept    ${url}drafts/ 424 member\n`,
    ],
  )
  await askPassword()
  await refreshToken()
  await loginToNextcloud()
  await expectOutput('demo.ts', [], ['Every verdict was the right one'])
  await expectOutput('demo.ts', [url], [url])
} finally {
  await server.close()
  await rm(work, {recursive: true})
}
process.exitCode = failed === 0 ? 0 : 1

/** Runs ask-password.ts on a server that wants a password. One question serves four requests, and a wrong answer ends them. */
async function askPassword(): Promise<void> {
  const faults = await startFaultServer()
  const right = `Basic ${Buffer.from('ana:hidden-secret').toString('base64')}`
  faults.script(({url: path, headers}) =>
    headers.authorization === right
      ? answer207(multistatusBody([{href: path, properties: {getcontentlength: 5}}]))
      : {status: 401, headers: {'www-authenticate': 'Basic realm="files"'}},
  )
  const names = ['a.txt', 'b.txt', 'c.txt', 'd.txt']
  const at = faults.url
  const question = 'The password of ana for files:\n'
  const env = {DAV_USERNAME: 'ana', DAV_PASSWORD: 'hidden-secret'}
  await expectOutput('ask-password.ts', names, [`${question}${at}a.txt 5 bytes\n`], {
    at,
    env,
    absent: ['hidden-secret', 'wrong'],
  })
  await expectOutput(
    'ask-password.ts',
    names,
    [`${question}The password is wrong.\n${question}${at}a.txt 401 `],
    {at, env: {...env, DAV_PASSWORD: 'guess'}, exitCode: 1, absent: ['guess']},
  )
  await faults.close()
  // Four without a password and four with the wrong one.
  const count = faults.requests.filter(({headers}) => headers.authorization !== right).length
  if (count !== 12) throw new Error(`ask-password.ts was refused ${count} times`)
}

/** Runs refresh-token.ts in two processes at once. The refresh token can be used once, and after that the session ends. */
async function refreshToken(): Promise<void> {
  const faults = await startFaultServer()
  const file = join(work, 'token.json')
  await writeFile(file, JSON.stringify({access_token: 'old', refresh_token: 'hidden-1'}))
  let valid = {access_token: 'new', refresh_token: 'hidden-2'}
  let refreshable = 'hidden-1'
  faults.script(({url: path, headers, body}) => {
    if (path === '/token') {
      const form = new URLSearchParams(body)
      const isRight =
        form.get('refresh_token') === refreshable && form.get('client_id') === 'example'
      refreshable = 'used up'
      return isRight
        ? {status: 200, body: JSON.stringify(valid)}
        : {status: 400, body: '{"error":"invalid_grant"}'}
    }
    return headers.authorization === `Bearer ${valid.access_token}`
      ? answer207(multistatusBody([{href: path, properties: {resourcetype: ['collection']}}]))
      : {status: 401, headers: {'www-authenticate': 'Bearer error="invalid_token"'}}
  })
  const options = {
    at: faults.url,
    env: {TOKEN_URL: `${faults.url}token`},
    absent: ['hidden-', 'Sign in'],
  }
  const example = 'refresh-token.ts'
  await Promise.all([1, 2].map(() => expectOutput(example, [file], [faults.url], options)))
  const refreshes = faults.requests.filter(({url: path}) => path === '/token').length
  if (refreshes !== 1) throw new Error(`refresh-token.ts refreshed ${refreshes} times`)
  const {access_token, refresh_token} = JSON.parse(await readFile(file, 'utf8'))
  if (access_token !== 'new' || refresh_token !== 'hidden-2')
    throw new Error('refresh-token.ts did not keep the new tokens')
  valid = {access_token: 'another', refresh_token: ''}
  const ended = {...options, absent: ['hidden-'], exitCode: 1}
  await expectOutput(example, [file], ['Sign in again.\n'], ended)
  await faults.close()
}

/** Runs nextcloud-login.ts on a server whose user signs in after some polls. */
async function loginToNextcloud(): Promise<void> {
  const faults = await startFaultServer()
  const cloud = keepNextcloud(faults)
  keepLogin(faults, cloud, 'hidden-secret')
  cloud.content.set(`${FILES}notes.txt`, Buffer.from('notes'))
  await expectOutput(
    'nextcloud-login.ts',
    [],
    [
      `Sign in here: ${faults.url}login/v2/flow/1\nSigned in as ana.\n`,
      `${FILES.slice(1)}notes.txt\n`,
    ],
    {env: {CLOUD_URL: faults.url}, absent: ['hidden-secret', 'poll-token']},
  )
  await faults.close()
}

/** Breaks the connection of the next answer behind the first piece of its body. */
function breakOnce(): void {
  server.http.prependOnceListener('request', (_, response) => {
    const write = response.write.bind(response)
    response.write = (chunk: Uint8Array) => write(chunk, () => response.destroy())
  })
}

/** Runs edit-locked.ts on a server that refuses to read the file. Its text must stay. */
async function keepUnread(): Promise<void> {
  const faults = await startFaultServer()
  const headers = {'lock-token': '<urn:uuid:1>'}
  faults.script(({method}) =>
    method === 'LOCK' ? {status: 200, headers} : {status: method === 'GET' ? 503 : 204},
  )
  const output = ['not written: 503\n0 locks left\n']
  await expectOutput('edit-locked.ts', ['a.txt', 'b'], output, {at: faults.url, exitCode: 1})
  await faults.close()
  if (faults.requests.some(({method}) => method === 'PUT'))
    throw new Error('edit-locked.ts wrote over a text that it had not read')
}

/** Runs each test of examples/testing under its runner. */
async function testUnderRunners(): Promise<void> {
  const modules = new URL('../../node_modules/', import.meta.url).pathname
  const tests = new URL('testing/', examples).pathname
  const jest = {extensionsToTreatAsEsm: ['.ts'], transform: {}, testMatch: ['**/jest.test.ts']}
  const node = process.execPath
  await expectOutput('testing/node.test.ts', [], ['pass 3', 'fail 0'])
  await expectOutput('testing/vitest.test.ts', [], ['2 passed'], {
    runner: [node, `${modules}vitest/vitest.mjs`, 'run', '--root', tests],
  })
  // Jest and Bun write to stderr. They fail if they find no test.
  await expectOutput('testing/jest.test.ts', ['--config', JSON.stringify(jest)], [], {
    runner: [node, '--experimental-vm-modules', `${modules}jest/bin/jest.js`, '--rootDir', tests],
  })
  await expectOutput('testing/bun.test.ts', [], [], {runner: [`${modules}.bin/bun`, 'test']})
}

/** Runs the job on a tree, and again after its end. */
async function job(): Promise<void> {
  const pile = join(folder, 'pile')
  await mkdir(join(pile, 'deep'), {recursive: true})
  for (const name of ['a.txt', 'deep/b.txt']) await writeFile(join(pile, name), name)
  const [tree, ledger] = [`${url}pile/`, join(work, 'job.sqlite')]
  await expectOutput(
    'job/job.ts',
    ['list', tree, '--ledger', ledger],
    ['0 deleted, 4 listed, 0 failed'],
  )
  await expectOutput(
    'job/job.ts',
    ['delete', tree, '--ledger', ledger],
    ['4 deleted, 0 listed, 0 failed'],
  )
  // A job without failures begins anew. The tree is gone, or its URL is wrong.
  await expectOutput(
    'job/job.ts',
    ['delete', tree, '--ledger', ledger],
    [`Nothing is at ${tree}: check its spelling`],
    {exitCode: 1},
  )
  if ((await readdir(folder)).includes('pile')) throw new Error('job.ts left the tree')
}

/** Runs mirror.ts on a folder and a collection, in which both sides change a file. */
async function mirror(): Promise<void> {
  const [here, there, at] = [join(work, 'mirror'), join(folder, 'mirror'), `${url}mirror/`]
  for (const side of [here, there]) await mkdir(side)
  await writeFile(join(here, 'here #1.txt'), 'here')
  await writeFile(join(there, 'there.txt'), 'there')
  const steps = ['upload here #1.txt\n', 'download there.txt\n']
  const plan = steps.map((step) => `to do: ${step}`)
  await expectOutput('mirror.ts', [here, '--dry-run'], plan, {at})
  await expectOutput('mirror.ts', [here], [...steps, '2 files differ'], {at})
  for (const side of [here, there]) await writeFile(join(side, 'there.txt'), `changed in ${side}`)
  const conflict = ['compare there.txt\n', 'upload there (conflict ']
  await expectOutput('mirror.ts', [here], conflict, {at})
  const names = [here, there].map(async (side) =>
    (await readdir(side))
      .filter((name) => !name.startsWith('.'))
      .toSorted()
      .join(),
  )
  const [own, other] = await Promise.all(names)
  if (own !== other) throw new Error(`mirror.ts left ${own} and ${other}`)
  await rm(there, {recursive: true})
}

/** Runs walk.ts twice without a server. A crash while it writes its file must leave the old one. */
async function keepCheckpoint(): Promise<void> {
  const file = join(work, 'unlisted.json')
  const old = join(work, 'unlisted.old.json')
  const options = {at: 'http://localhost:9/', exitCode: 1}
  await expectOutput('walk.ts', [file], ['There is more.'], options)
  await link(file, old)
  await expectOutput('walk.ts', [file], ['There is more.'], options)
  if ((await stat(file)).ino === (await stat(old)).ino)
    throw new Error('walk.ts wrote its file in place')
}

/** Runs resume-upload.ts on a server with TUS, which refuses the second chunk of the first run. */
async function resumeUpload(): Promise<void> {
  const faults = await startFaultServer()
  const tus = keepTus(faults)
  const path = join(work, 'long film.bin')
  const long = Buffer.alloc(11_000_000, 'long film')
  await writeFile(path, long)
  tus.fault = ({method, headers}) =>
    method === 'PATCH' && headers['upload-offset'] === '10485760' ? {status: 403} : undefined
  const at = faults.url
  // A crash between the opening and the writing of the state has left it empty.
  const state = `${path}.upload.json`
  const old = join(work, 'old.upload.json')
  await writeFile(state, '')
  await link(state, old)
  await expectOutput(
    'resume-upload.ts',
    [path],
    [`begins anew: ${state} cannot be read`, 'no long film.bin: 403'],
    {at, exitCode: 1},
  )
  if ((await readFile(old, 'utf8')) !== '')
    throw new Error('resume-upload.ts wrote its state in place')
  tus.fault = () => undefined
  faults.forget()
  await expectOutput(
    'resume-upload.ts',
    [path],
    ['goes on with the upload of 11000000 bytes', 'uploaded long film.bin'],
    {at},
  )
  await faults.close()
  const sent = faults.requests.filter(({method}) => method === 'PATCH')
  if (sent.length !== 1) throw new Error('resume-upload.ts sent a chunk twice')
  if (tus.content.get('/long%20film.bin')?.equals(long) !== true)
    throw new Error('resume-upload.ts joined the wrong bytes')
}

/** Runs an example. Checks its exit status, and the texts that its output must and must not contain. */
async function expectOutput(
  example: string,
  args: readonly string[],
  present: readonly string[],
  {
    absent = [],
    exitCode = 0,
    at = url,
    env = {},
    runner = [process.execPath],
  }: {
    readonly absent?: readonly string[]
    readonly exitCode?: number
    readonly at?: string
    readonly env?: Readonly<Record<string, string>>
    readonly runner?: readonly string[]
  } = {},
): Promise<void> {
  const {DAV_USERNAME: _, DAV_PASSWORD: __, DAV_TOKEN: ___, ...inherited} = process.env
  const options = {env: {...inherited, DAV_URL: at, NO_COLOR: '1', ...env}, timeout: 60_000}
  const program = new URL(example, examples).pathname
  const [command = '', ...before] = runner
  const {stdout, code, problem} = await run(command, [...before, program, ...args], options).then(
    (output) => ({stdout: output.stdout, code: 0, problem: ''}),
    (error: Error & {stdout?: string; code?: unknown}) => ({
      stdout: error.stdout ?? '',
      code: error.code,
      problem: error.message,
    }),
  )
  const wrong = [
    ...(code === exitCode ? [] : [`ends with ${String(code)}, not ${exitCode}: ${problem}`]),
    ...present
      .filter((text) => !stdout.includes(text))
      .map((text) => `does not print ${JSON.stringify(text)}`),
    ...absent
      .filter((text) => stdout.includes(text))
      .map((text) => `prints ${JSON.stringify(text)}`),
  ]
  const name = [example, ...args].join(' ')
  if (wrong.length === 0) {
    console.log(`ok      ${name}`)
    return
  }
  failed++
  console.error(`FAILED  ${name}: ${wrong.join('; ')}\n${stdout}`)
}
