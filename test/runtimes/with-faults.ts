// The scenarios with the server of faults.ts: connections that are reset, cut or refused, and answers that never come.

import type {Scenario} from './scenario.ts'

export const faultScenarios: readonly Scenario[] = []
