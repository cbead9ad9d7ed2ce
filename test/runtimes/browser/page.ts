// Runs all scenarios in a page or in a worker of it. The program that opened the page calls `runIn`, or the client itself.

import {basicAuth, DavClient} from 'multistatus'

import type {Outcome, Place} from '../scenario.ts'
import {SCENARIOS} from '../scenarios.ts'
import {obey, type Order, type Scope} from './scope.ts'

const WORKER = 'worker.js'

/** Opens a scope. Returns a function that sends it a message with a port. */
async function open(
  scope: Exclude<Scope, 'page'>,
): Promise<(message: Order, transfer: Transferable[]) => void> {
  if (scope === 'worker') {
    const worker = new Worker(WORKER, {type: 'module'})
    return (message, transfer) => worker.postMessage(message, transfer)
  }
  if (scope === 'shared worker') {
    const {port} = new SharedWorker(WORKER, {type: 'module'})
    return (message, transfer) => port.postMessage(message, transfer)
  }
  await navigator.serviceWorker.register(WORKER)
  const {active} = await navigator.serviceWorker.ready
  return (message, transfer) => active?.postMessage(message, transfer)
}

/** Makes the function that runs one scenario in a scope. */
async function runner(scope: Scope): Promise<(order: Order) => Promise<readonly Outcome[]>> {
  if (scope === 'page') return obey
  const send = await open(scope)
  return (order) =>
    new Promise((resolve) => {
      const {port1, port2} = new MessageChannel()
      port1.addEventListener('message', ({data}) => resolve(data))
      port1.start()
      send(order, [port2])
    })
}

/** Runs all scenarios, one after the other. */
async function runIn(scope: Scope, place: Place): Promise<readonly Outcome[]> {
  const run = await runner(scope)
  const outcomes: Outcome[] = []
  for (const index of SCENARIOS.keys()) outcomes.push(...(await run({place, index})))
  return outcomes
}

Object.assign(globalThis, {runIn, DavClient, basicAuth})
