// Runs scenarios in a web worker, a shared worker or a service worker. Each message has an order, and a port for its outcome.

import {obey} from './scope.ts'

/** Answers a message. A service worker stays awake for it. */
function answer(event: MessageEvent): void {
  const [port] = event.ports
  const done = obey(event.data).then((outcomes) => port?.postMessage(outcomes))
  if ('waitUntil' in event && typeof event.waitUntil === 'function') event.waitUntil(done)
}

addEventListener('message', answer)
// Of a shared worker: a page has opened a port.
addEventListener('connect', (event) => {
  if (!(event instanceof MessageEvent)) return
  for (const port of event.ports) {
    port.addEventListener('message', answer)
    port.start()
  }
})
