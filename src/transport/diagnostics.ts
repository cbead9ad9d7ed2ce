/** The diagnostics of platforms without a channel for them: none. package.json picks this file by its conditions. */

import type {PlatformListener} from './dav-exchange.ts'

export const platformListener: PlatformListener | undefined = undefined
