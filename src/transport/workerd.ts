/** Knows workerd, the runtime of Cloudflare's workers, by the name that it gives itself. */

/** Tests if the platform is workerd. */
export function isWorkerd(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
