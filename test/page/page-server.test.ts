/** The server of the page: its files, and the proxy to the WebDAV server on the same origin. */
import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {existsSync} from 'node:fs'
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises'
import {type IncomingHttpHeaders, request} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {afterEach, beforeEach, expect, it} from 'vitest'
import {DavClient} from 'multistatus'
import {buildPage} from '../../examples/browser/server/files.ts'
import {type PageServer, startPageServer} from '../../examples/browser/server/page-server.ts'
import {
  answer207,
  type FaultServer,
  listed,
  listing,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {becomes} from './support/shown-page.ts'

let faults: FaultServer
let server: PageServer
let root: string

beforeEach(async () => {
  faults = await startFaultServer()
  server = await startPageServer(`${faults.url}dav/`)
  root = new URL('/', server.url).href
})
afterEach(async () => {
  await server.close()
  await faults.close()
})

it('serves the page with the path of the collection, and asks nobody for it', async () => {
  const answer = await fetch(server.url)
  expect(await answer.text()).toContain('<meta name="dav-url" content="/dav/" />')
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const types = await Promise.all(
    ['page.js', 'page.css', 'icon.svg', 'other.js'].map(async (name) => {
      const file = await fetch(new URL(name, server.url))
      return [file.status, file.headers.get('content-type')]
    }),
  )
  expect(types).toEqual([
    [200, 'text/javascript; charset=utf-8'],
    [200, 'text/css; charset=utf-8'],
    [200, 'image/svg+xml'],
    [404, null],
  ])
  expect(faults.requests).toEqual([])
})

it('keeps a page of the server from acting with the login of this one', async () => {
  const headers = {'content-type': 'text/html', 'content-security-policy': "default-src 'none'"}
  faults.answers({status: 200, headers, body: ['<script>1</script>']})
  const answer = await fetch(new URL('a.html', `${root}dav/`))
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none', sandbox")
  await answer.text()
})

it('has no inline script or style in the page, and no address of another origin', async () => {
  const files = await buildPage('/a&"b/')
  const html = files.get('index.html') ?? ''
  expect(html).toContain('content="/a&amp;&quot;b/"')
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*\bsrc=)|\son\w+=|https?:/)
  expect(files.get('page.css')).not.toMatch(/@import|url\(/)
})

it('passes results on as they arrive', async () => {
  const held = Promise.withResolvers<void>()
  faults.answers(
    answer207([OPEN, listed('/dav/'), listed('/dav/a'), held.promise, listed('/dav/b'), SHUT]),
  )
  const names: string[] = []
  for await (const {href} of new DavClient({url: `${root}dav/`}).propfind('')) {
    names.push(href)
    if (href === '/dav/a') held.resolve()
  }
  expect(names).toEqual(['/dav/', '/dav/a', '/dav/b'])
})

it('moves Destination to the origin of the server, and Location back', async () => {
  faults.answers({status: 201}, {status: 302, headers: {location: `${faults.url}dav/x`}})
  await new DavClient({url: `${root}dav/`}).move('a', 'b')
  expect(faults.requests[0]?.headers['destination']).toBe(`${faults.url}dav/b`)
  expect(faults.requests[0]?.headers.host).toBe(new URL(faults.url).host)
  const redirect = await fetch(`${root}dav/`, {redirect: 'manual'})
  expect(redirect.headers.get('location')).toBe(`${root}dav/x`)
})

it('passes credentials of the browser on, and its own ones instead of them', async () => {
  faults.answers({status: 204})
  const authorization = 'Basic dXNlcjpwYXNz'
  await fetch(`${root}dav/`, {headers: {authorization}})
  expect(faults.requests[0]?.headers.authorization).toBe(authorization)

  const own = await startPageServer(faults.url, {authorization: 'Bearer own'})
  await fetch(new URL('/dav/', own.url), {headers: {authorization}})
  await own.close()
  expect(faults.requests[1]?.headers.authorization).toBe('Bearer own')
})

it.for([
  {of: 'another host', headers: {host: 'evil.example'}},
  {of: 'a page of another origin', headers: {origin: 'http://evil.example'}},
  {of: 'an image of another page', headers: {'sec-fetch-site': 'cross-site'}},
  {of: 'a page on another port', headers: {'sec-fetch-site': 'same-site'}},
])('refuses requests of $of', async ({headers}) => {
  expect(await statusOf(`${root}dav/a`, headers)).toBe(403)
  expect(await statusOf(server.url, headers)).toBe(403)
  expect(faults.requests).toEqual([])
})

it('sends a path of two slashes to its server, and the credentials to no other one', async () => {
  const other = await startFaultServer()
  faults.answers({status: 204})
  const own = await startPageServer(faults.url, {authorization: 'Bearer own'})
  const path = `//${new URL(other.url).host}/a`
  const origin = new URL(own.url).origin
  await fetch(`${origin}${path}`, {method: 'MOVE', headers: {destination: `${origin}${path}`}})
  expect(other.requests).toEqual([])
  expect(faults.requests[0]?.url).toBe(path)
  expect(faults.requests[0]?.headers['destination']).toBe(`${new URL(faults.url).origin}${path}`)
  // The target of a request to a proxy.
  expect(await statusOf(own.url, {}, `${other.url}a`)).toBe(403)
  expect(await statusOf(own.url, {}, '*')).toBe(403)
  expect(other.requests).toEqual([])
  await own.close()
  await other.close()
})

it('refuses a URL with a password, and does not print it', async () => {
  const {output, code} = await run('serve.ts', ['http://ana:secret@127.0.0.1:1/'])
  expect(code).toBe(1)
  expect(output).toContain('Give the login by DAV_USERNAME and DAV_PASSWORD, not in the URL.')
  expect(output).not.toContain('secret')
})

it('breaks the connection when the server has no answer', async () => {
  faults.answers(RESET)
  await expect(fetch(`${root}dav/a`, {method: 'DELETE'})).rejects.toThrow('fetch failed')
  expect(faults.requests).toHaveLength(1)
})

it('ends the exchange with the server when the browser leaves', async () => {
  faults.answers(answer207([OPEN, listed('/dav/'), new Promise(() => {})]))
  const leaving = new AbortController()
  const answer = await fetch(`${root}dav/`, {method: 'PROPFIND', signal: leaving.signal})
  leaving.abort()
  await expect(answer.text()).rejects.toThrow('aborted')
  expect(await faults.requests[0]?.ended).toBe('closed')
})

it('answers a listing with the hrefs as they are', async () => {
  faults.answers(answer207(listing(`${faults.url}dav/`, `${faults.url}dav/a`)))
  const urls: string[] = []
  for await (const {url} of new DavClient({url: `${root}dav/`}).propfind('')) urls.push(url)
  expect(urls).toEqual([`${root}dav/`, `${root}dav/a`])
})

/** Sends a GET with headers that `fetch` does not set. */
async function statusOf(
  url: string,
  headers: IncomingHttpHeaders,
  path = new URL(url).pathname,
): Promise<number | undefined> {
  const sent = request(url, {headers, path, method: path === '*' ? 'OPTIONS' : 'GET'}).end()
  const [answer] = await once(sent, 'response')
  answer.resume()
  return answer.statusCode
}

/** Runs a program of the page until it ends, or until it has printed a line with an address and `use` is done with it. */
async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  use?: (address: string) => Promise<void>,
): Promise<{readonly output: string; readonly code: number | null}> {
  const path = fileURLToPath(new URL(`../../examples/browser/${program}`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], {env: {...process.env, ...env}})
  const ended = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output += text.toString()
    })
  if (use !== undefined) {
    await becomes(async () => output, /http:\S+/)
    await use(/http:\S+/.exec(output)?.[0] ?? '')
    child.kill('SIGINT')
  }
  const [code] = await ended
  return {output, code}
}

it('shows a server of the user with the credentials of the environment, and prints none of them', async () => {
  faults.answers(answer207(listing('/dav/')))
  const credentials = {DAV_USERNAME: 'ana', DAV_PASSWORD: 'secret word'}
  const {output, code} = await run(
    'serve.ts',
    [`${faults.url}dav/`],
    credentials,
    async (address) => {
      await fetch(new URL('/dav/', address), {method: 'PROPFIND'})
    },
  )
  const pair = Buffer.from('ana:secret word').toString('base64')
  expect(faults.requests[0]?.headers.authorization).toBe(`Basic ${pair}`)
  expect(code).toBe(0)
  expect(output).toMatch(
    /^http:\/\/127\.0\.0\.1:\d+\/multistatus-page\/ shows http:.*\/dav\/\. Ctrl C ends it\.\n$/,
  )
})

it('shows a sample server, and removes its folder', async () => {
  const {output, code} = await run('serve.ts', [], {}, async (address) => {
    const names = []
    for await (const {href} of new DavClient({url: new URL('/', address)}).propfind(''))
      names.push(href)
    expect(names).toHaveLength(9)
  })
  expect(code).toBe(0)
  expect(existsSync(/in (\S+)\. Ctrl/.exec(output)?.[1] ?? '.')).toBe(false)
})

it('writes the static files for a path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-page-'))
  const {code} = await run('build.ts', [folder, '/dav/'])
  expect(code).toBe(0)
  expect((await readdir(folder)).toSorted()).toEqual([
    'icon.svg',
    'index.html',
    'page.css',
    'page.js',
  ])
  expect(await readFile(join(folder, 'index.html'), 'utf8')).toContain('content="/dav/"')
  await rm(folder, {recursive: true})
  expect((await run('build.ts', [])).output).toContain(
    'Name a folder: npm run page:build -- FOLDER PATH',
  )
})
