/**
 * The proxies of the environment, by Node's own convention: only with NODE_USE_ENV_PROXY=1 or `--use-env-proxy`. Forms of NO_PROXY
 * as in "Built-in Proxy Support" of Node's documentation of `http`. Node only.
 */

import {isIPv4} from 'node:net'

import type {Proxy} from './proxy.ts'
import {readProxy} from './proxy.ts'

/** Finds the proxy for an origin; `undefined` for a direct connection. */
export type Route = (origin: string) => Proxy | undefined

type Environment = Readonly<Record<string, string | undefined>>

/** Tells if the process uses the proxies of its environment. A flag wins over the variable, and the later flag over the earlier. */
export function usesEnvironment(env: Environment, flags: readonly string[]): boolean {
  const given = [...(env['NODE_OPTIONS'] ?? '').split(/\s+/), ...flags]
  const flag = given.findLast((one) => /^--(?:no-)?use[-_]env[-_]proxy$/.test(one))
  return flag === undefined ? env['NODE_USE_ENV_PROXY'] === '1' : !flag.startsWith('--no-')
}

/**
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY. A name in lower case wins.
 *
 * @throws TypeError for a variable that is no URL of a proxy.
 */
export function readEnvironment(env: Environment): Route {
  const proxies = new Map<string, Proxy>()
  for (const name of ['http_proxy', 'https_proxy']) {
    const given = valueOf(env, name)
    const protocol = name.replace('_proxy', ':')
    if (given !== '') proxies.set(protocol, readProxy(name.toUpperCase(), given))
  }
  const exempt = valueOf(env, 'no_proxy')
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => entry.toLowerCase())
  return (origin) => {
    const {protocol, hostname, port} = new URL(origin)
    const standard = protocol === 'https:' ? '443' : '80'
    const isExempt = exempt.some((entry) => isMatch(entry, bare(hostname), port || standard))
    return isExempt ? undefined : proxies.get(protocol)
  }
}

function valueOf(env: Environment, name: string): string {
  return env[name] || env[name.toUpperCase()] || ''
}

/** Removes the brackets of an IPv6 address, and the dot that ends an absolute name. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.+)\]$/, '$1').replace(/(.)\.$/, '$1')
}

/** Tells if an entry of NO_PROXY means a host. */
function isMatch(entry: string, host: string, port: string): boolean {
  const [, name = entry, only] = /^(\[.+\]|[^:]+):(\d+)$/.exec(entry) ?? []
  if (only !== undefined && only !== port) return false
  if (name === '*' || bare(name) === host) return true
  if (name.startsWith('*.')) return host.endsWith(name.slice(1))
  if (name.startsWith('.')) return host === name.slice(1) || host.endsWith(name)
  const [first = '', last = ''] = name.split('-')
  if (!isIPv4(host) || !isIPv4(first) || !isIPv4(last)) return false
  return numberOf(first) <= numberOf(host) && numberOf(host) <= numberOf(last)
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}
