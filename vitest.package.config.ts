/**
 * The tests of the packed package, a part of `npm run package`: five bundlers, the compilers of users, an editor, and a release. They
 * need `dist`. `npm test` has none of them, because most of their time is that of other programs.
 */
import {mergeConfig, type ViteUserConfig} from 'vitest/config'
import sources, {PACKED} from './vitest.config.ts'

const config: ViteUserConfig = mergeConfig(sources, {})
config.test = {...config.test, include: PACKED, exclude: [], testTimeout: 120_000}

export default config
