/** The method that `await using` calls, in declarations that compile without it. */

/**
 * An `AsyncDisposable`, for compilers that know one. Those without `esnext.disposable` among their libraries see no member: a
 * declaration with `[Symbol.asyncDispose]` would be an error there.
 */
export type AsyncDisposing = SymbolConstructor extends {
  readonly asyncDispose: infer Key extends symbol
}
  ? {readonly [Name in Key]: () => Promise<void>}
  : Record<never, never>
