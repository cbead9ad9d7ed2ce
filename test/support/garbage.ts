// Collects garbage in a process that was started without the flag for it.
import v8 from 'node:v8'
import vm from 'node:vm'

v8.setFlagsFromString('--expose-gc')

/** Frees all unreferenced objects. */
export const collectGarbage: () => void = vm.runInNewContext('gc')
