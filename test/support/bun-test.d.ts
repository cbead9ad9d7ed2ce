// The used part of Bun's own test module, which no installed package declares.

declare module 'bun:test' {
  export {expect, test} from 'vitest'
}
