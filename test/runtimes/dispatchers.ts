/**
 * A program that sends by a transport without options, and prints the way of each request: `own`, `theirs` for a dispatcher that the
 * application has set, or `mocked`. Arguments: the case, and the path of undici 7.
 */
import {once} from 'node:events'
import {createServer} from 'node:http'
import {rootCertificates} from 'node:tls'

import type * as Undici from 'undici'

const [name = '', undici7 = ''] = process.argv.slice(2)

// Tells the ways apart by the name of the Host header: only the own Agent writes it in Title-Case.
const server = createServer(({rawHeaders}, response) => {
  const body = rawHeaders.includes('Host') ? 'own' : 'theirs'
  response.setHeader('x-a', ['1', '2']).end(body.repeat(20_000))
}).listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
const url = `${origin}/`

if (name === 'fetch-before') await (await fetch(url)).text()
if (name === 'undici-6-before') {
  // The copy of Node 22.
  await (await fetch(url)).text()
  const first = Symbol.for('undici.globalDispatcher.1')
  const six: object = Reflect.get(globalThis, first)
  const theirs: unknown = Reflect.construct(six.constructor as never, [{connectTimeout: 1234}])
  Reflect.set(globalThis, first, theirs)
  const {DavClient} = await import('multistatus')
  const {body} = await new DavClient({url}).request('GET', 'x')
  let text = ''
  for await (const chunk of body ?? []) text += String(chunk)
  console.log(text.slice(0, text.length / 20_000))
  console.log(Reflect.get(globalThis, first) === theirs ? 'kept' : 'replaced')
  process.exit()
}

const undici = name === 'set-before' ? await import('undici') : undefined
undici?.setGlobalDispatcher(new undici.Agent({connectTimeout: 1234}))

const {undiciTransport} = await import('multistatus/undici')
const transport = undiciTransport()
const {
  Agent,
  EnvHttpProxyAgent,
  getGlobalDispatcher,
  interceptors,
  MockAgent,
  setGlobalDispatcher,
} = await import('undici')

async function send(through = transport): Promise<void> {
  const before = through.givesChunksAway
  const {status, body} = await through({method: 'GET', url, headers: {}})
  let text = ''
  for await (const chunk of body ?? []) text += String(chunk)
  const way = text === 'mocked' ? text : text.slice(0, text.length / 20_000)
  if (status !== 200) throw new Error(`answered ${status}`)
  if (way !== 'own' && before === true) throw new Error('chunks of another dispatcher are kept')
  if (way !== 'mocked' && text !== way.repeat(20_000)) throw new Error('a part is missing')
  console.log(way)
}

if (name === 'set-before') {
  await send()
} else {
  await send()
  const seven: unknown = name.startsWith('undici-7') ? await import(undici7) : undefined
  const old = Reflect.get(Object(seven), 'default') as typeof Undici
  switch (name) {
    case 'fetch-after':
      await (await fetch(url)).text()
      await send()
      break
    case 'undici-7-imported':
      await send()
      break
    case 'plain-agent':
      setGlobalDispatcher(new Agent())
      await send()
      break
    case 'agent-with-options':
      setGlobalDispatcher(new Agent({connect: {ca: rootCertificates[0]}}))
      await send()
      break
    case 'set-and-replaced':
      setGlobalDispatcher(new Agent({pipelining: 1}))
      await send()
      setGlobalDispatcher(new Agent())
      await send()
      break
    case 'composed':
      setGlobalDispatcher(getGlobalDispatcher().compose(interceptors.retry()))
      await send()
      break
    case 'env-agent':
      setGlobalDispatcher(new EnvHttpProxyAgent())
      await send()
      break
    case 'mock-agent':
    case 'undici-7-mock': {
      const module = name === 'mock-agent' ? {MockAgent, setGlobalDispatcher} : old
      const mock = new module.MockAgent()
      mock.disableNetConnect()
      mock.get(origin).intercept({path: '/', method: 'GET'}).reply(200, 'mocked')
      module.setGlobalDispatcher(mock)
      await send()
      break
    }
    case 'undici-7-set':
      old.setGlobalDispatcher(new old.Agent({connectTimeout: 1234}))
      await send()
      break
    case 'earlier-handlers': {
      // undici 6 writes to the first place only, and takes handlers of its own kind. The copy of Node 22 does the same.
      const {Dispatcher1Wrapper} = await import('undici')
      const agent = new Agent()
      const earlier = {
        dispatch(options: unknown, handler: Readonly<Record<string, unknown>>) {
          for (const needed of [
            'onConnect',
            'onHeaders',
            'onData',
            'onComplete',
            'onError',
            'onBodySent',
          ])
            if (typeof handler[needed] !== 'function')
              throw new TypeError(`invalid ${needed} method`)
          if ('onRequestStart' in handler) throw new TypeError('a handler of undici 8')
          return new Dispatcher1Wrapper(agent).dispatch(options as never, handler)
        },
      }
      Reflect.set(globalThis, Symbol.for('undici.globalDispatcher.1'), earlier)
      await send()
      break
    }
    case 'explicit':
      setGlobalDispatcher(new Agent({connectTimeout: 1234}))
      await send(undiciTransport({ca: rootCertificates[0]}))
      break
    default:
  }
}
server.closeAllConnections()
server.close()
process.exit()
