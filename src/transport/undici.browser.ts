/** Stands for undici in browsers and workers, which cannot run it. package.json picks this file by the condition `browser`. */

/** @throws TypeError */
export function undiciTransport(): never {
  throw new TypeError(
    'undiciTransport needs Node: in a browser, use fetchTransport of multistatus/fetch',
  )
}
