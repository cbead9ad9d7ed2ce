/**
 * The handshake of SOCKS version 5, with a user and a password or without. The proxy looks up the name of the server. RFC 1928 and
 * RFC 1929. Node only.
 */

import type {Socket} from 'node:net'
import {isIPv4, isIPv6} from 'node:net'

import type {Proxy} from './proxy.ts'
import {ProxyError, SOCKS_BYTES} from './proxy.ts'

const VERSION = 5
const NO_LOGIN = 0
const PASSWORD = 2
const CONNECT = 1

/** The bytes of an address by its type. The first byte of a name is its length. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [4, 16],
])
const NAME = 3

// The replies that say why there is no connection. RFC 1928, section 6.
const REPLIES: ReadonlyMap<number, string> = new Map([
  [3, 'it does not reach that network'],
  [4, 'it does not reach that host: check the name of the server'],
  [5, 'the server refused the connection'],
  [6, 'the server is too far away'],
])
const NOT_ALLOWED = 2

/**
 * Asks a SOCKS proxy for a connection to a server.
 *
 * @param socket - A connection to the proxy.
 * @throws ProxyError, or the error of the socket.
 */
export async function openSocks(
  proxy: Proxy,
  socket: Socket,
  hostname: string,
  port: number,
): Promise<void> {
  const {host, credentials} = proxy
  const address = formatAddress(hostname)
  if (address === undefined)
    throw new ProxyError(`the proxy ${host} takes no name of more than 255 bytes`, true)
  const methods = credentials === undefined ? [NO_LOGIN] : [NO_LOGIN, PASSWORD]
  socket.write(Uint8Array.of(VERSION, methods.length, ...methods))
  const [version, method] = await read(proxy, socket, 2)
  if (version !== VERSION)
    throw new ProxyError(`the proxy ${host} does not speak SOCKS 5: check its kind`, true)
  if (method === PASSWORD && credentials !== undefined) {
    const {username, password} = credentials
    const [name, secret] = [Buffer.from(username), Buffer.from(password)]
    socket.write(Uint8Array.of(1, name.length, ...name, secret.length, ...secret))
    const [, status] = await read(proxy, socket, 2)
    if (status !== 0)
      throw new ProxyError(
        `the proxy ${host} refused the credentials: check the user and the password in its URL`,
        true,
      )
  } else if (method !== NO_LOGIN) {
    throw new ProxyError(
      `the proxy ${host} wants a login: write a user and a password in its URL, such as socks5://user:password@host:port`,
      true,
    )
  }
  socket.write(Uint8Array.of(VERSION, CONNECT, 0, ...address, port >> 8, port & 255))
  const [, reply = 1, , type = 0] = await read(proxy, socket, 4)
  if (reply !== 0) {
    const words = REPLIES.get(reply) ?? 'let it allow connections to this host and port'
    throw new ProxyError(
      `the proxy ${host} gave no connection to ${hostname}:${port}, reply ${reply}: ${words}`,
      reply === NOT_ALLOWED,
    )
  }
  const length = ADDRESS_BYTES.get(type) ?? (await read(proxy, socket, 1))[0] ?? 0
  await read(proxy, socket, length + 2)
}

/** Formats the address of a server; `undefined` for a name that is too long: its beginning would be another host. */
function formatAddress(hostname: string): number[] | undefined {
  if (isIPv4(hostname)) return [1, ...hostname.split('.').map(Number)]
  if (isIPv6(hostname)) return [4, ...bytesOfIPv6(hostname)]
  const name = Buffer.from(hostname)
  if (name.length > SOCKS_BYTES) return undefined
  return [NAME, name.length, ...name]
}

/** Converts an address as a URL has it: groups of hexadecimal digits, `::` for zeros. */
function bytesOfIPv6(address: string): number[] {
  const [head = [], tail = []] = address
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = Array.from({length: 8 - head.length - tail.length}, () => '0')
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
}

/** Reads bytes of the handshake, and none behind them. */
async function read({host}: Proxy, socket: Socket, length: number): Promise<Uint8Array> {
  for (;;) {
    const bytes: unknown = socket.read(length)
    if (bytes instanceof Uint8Array && bytes.length === length) return bytes
    const {promise, resolve, reject} = Promise.withResolvers<void>()
    const onClose = (): void =>
      reject(
        socket.errored ??
          new ProxyError(`the proxy ${host} closed the connection: check its kind and its rules`),
      )
    if (bytes !== null || socket.destroyed || socket.readableEnded) onClose()
    socket.once('readable', resolve).once('end', onClose).once('close', onClose)
    try {
      await promise
    } finally {
      socket.off('readable', resolve).off('end', onClose).off('close', onClose)
    }
  }
}
