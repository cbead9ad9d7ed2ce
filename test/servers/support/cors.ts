/** The configurations of examples/cors for the origin of a test's page. Fetch standard, section "CORS protocol". */
import {readFileSync} from 'node:fs'

export function readCors(server: 'apache' | 'nginx', origin: string): string {
  const file = new URL(`../../../examples/cors/${server}.conf`, import.meta.url)
  return readFileSync(file, 'utf8').replace('https://app.example', origin)
}

/** The headers of the configuration for Apache, for servers that are not configured but programmed. */
export function readCorsHeaders(origin: string): Readonly<Record<string, string>> {
  const lines = readCors('apache', origin).matchAll(/^Header always set ([\w-]+) "(.*)"$/gm)
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]))
}
