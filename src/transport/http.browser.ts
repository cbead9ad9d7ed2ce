/** Stands for `node:http` in browsers and workers, which lack it. package.json picks this file by the condition `browser`. */

/** @throws TypeError */
export function httpTransport(): never {
  throw new TypeError(
    'httpTransport needs Node: in a browser, use fetchTransport of multistatus/fetch',
  )
}
