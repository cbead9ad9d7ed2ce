/** Converts the handler of an exchange to the one of undici 6, which undici 7 takes too. */

import type {Dispatcher} from 'undici'

/** The handler of undici 6. A callback that returns false pauses the body. */
interface EarlierHandler {
  onConnect(abort: (reason?: Error) => void): void
  onHeaders(status: number, headers: readonly Uint8Array[], resume: () => void): boolean
  onData(chunk: Buffer): boolean
  onComplete(): void
  onError(error: Error): void
  onBodySent(): void
}

/** Makes a handler for a dispatcher of undici 6 or 7. */
export function toEarlierHandler(handler: Dispatcher.DispatchHandler): Dispatcher.DispatchHandler {
  const controller = new Controller()
  const earlier: EarlierHandler = {
    onConnect(abort) {
      controller.onAbort = abort
      handler.onRequestStart?.(controller, {})
    },
    onHeaders(status, headers, resume) {
      controller.onResume = resume
      handler.onResponseStart?.(controller, status, readHeaders(headers))
      return !controller.paused
    },
    onData(chunk) {
      handler.onResponseData?.(controller, chunk)
      return !controller.paused
    },
    onComplete: () => handler.onResponseEnd?.(controller, {}),
    onError: (error) => handler.onResponseError?.(controller, error),
    onBodySent() {},
  }
  return earlier
}

class Controller implements Dispatcher.DispatchController {
  paused = false
  aborted = false
  reason: Error | null = null
  rawHeaders = null
  rawTrailers = null
  onAbort: ((reason: Error) => void) | undefined
  onResume: (() => void) | undefined

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.onAbort?.(reason)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.onResume?.()
  }
}

/** Reads names and values in turn. Values of a repeated name become a list. */
function readHeaders(raw: readonly Uint8Array[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null)
  const texts = raw.map((bytes) => Buffer.from(bytes).toString('latin1'))
  for (let at = 0; at < texts.length; at += 2) {
    const [name = '', value = ''] = [texts[at]?.toLowerCase(), texts[at + 1]]
    const before = headers[name]
    headers[name] = before === undefined ? value : [before, value].flat()
  }
  return headers
}
