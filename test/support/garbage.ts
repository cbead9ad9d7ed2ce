// Collects garbage in a process that was started without the flag for it.
import v8 from 'node:v8'
import vm from 'node:vm'

/** Frees all unreferenced objects. */
export const collectGarbage: () => void = findCollector()

function findCollector(): () => void {
  const bun: unknown = Reflect.get(globalThis, 'Bun')
  if (bun instanceof Object) return () => Reflect.apply(Reflect.get(bun, 'gc'), bun, [true])
  v8.setFlagsFromString('--expose-gc')
  return vm.runInNewContext('gc')
}
