// Collects garbage, in a process that was not started for it.
import v8 from 'node:v8'
import vm from 'node:vm'

v8.setFlagsFromString('--expose-gc')

/** Frees all that nothing refers to. */
export const collectGarbage: () => void = vm.runInNewContext('gc')
