/** Stands for undici in browsers and workers, which cannot run it. package.json picks this file by the condition `browser`. */

/** @throws TypeError */
export function undiciTransport(): never {
  throw new TypeError('Outside Node, use multistatus/fetch')
}
