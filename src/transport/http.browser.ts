/** Stands for `node:http` in browsers and workers, which lack it. package.json picks this file by the condition `browser`. */

/** @throws TypeError */
export function httpTransport(): never {
  throw new TypeError('Outside Node, use multistatus/fetch')
}
