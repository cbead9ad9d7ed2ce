/** The diagnostics of Node: a channel, and lines for `NODE_DEBUG=multistatus`. package.json picks this file by the condition `node`. */

import {channel} from 'node:diagnostics_channel'
import {debuglog} from 'node:util'

import type {PlatformListener} from './dav-exchange.ts'
import {formatExchange} from './format-exchange.ts'

const exchanges = channel('multistatus:exchange')
const log = debuglog('multistatus')

export const platformListener: PlatformListener | undefined = {
  get isOn() {
    return exchanges.hasSubscribers || log.enabled
  },
  hear(exchange) {
    exchanges.publish(exchange)
    if (log.enabled) log('%s', formatExchange(exchange))
  },
}
