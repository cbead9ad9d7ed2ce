/**
 * The tests of the examples, a part of `npm run examples`: what they print, and a mirror that is killed. They need `dist`. `npm test`
 * has none of them, because most of their time is that of other programs.
 */
import {mergeConfig, type ViteUserConfig} from 'vitest/config'
import sources from './vitest.config.ts'

const config: ViteUserConfig = mergeConfig(sources, {})
config.test = {...config.test, include: ['test/examples/**/*.test.ts'], exclude: []}

export default config
