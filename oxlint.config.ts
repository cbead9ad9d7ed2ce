/** The lint rules, and the layers of `src`: imports run only downwards, and each dependency is imported in one file. */

import type {OxlintConfig} from 'oxlint'
import {defineConfig} from 'oxlint'

type Override = NonNullable<OxlintConfig['overrides']>[number]

/** The folders of `src`, from the highest layer to the lowest. */
const LAYERS = [
  'testing',
  'jobs',
  'client',
  'verbs',
  'sync',
  'engine',
  'transfer',
  'listing',
  'call',
  'retry',
  'auth',
  'transport',
  'multistatus',
  'properties',
  'xml',
  'protocol',
]

const DOORS = [
  '../index.ts',
  '../parser.ts',
  '../undici.ts',
  '../http.ts',
  '../fetch.ts',
  '../testing.ts',
  '../jobs.ts',
]

/** The packages and built-ins that are imported in few files, with these files. */
const IMPORTED_IN: Readonly<Record<string, readonly string[]>> = {
  undici: [
    'src/transport/undici.ts',
    'src/transport/connector.ts',
    'src/transport/global-dispatcher.ts',
    'src/transport/earlier-handler.ts',
  ],
  'fast-xml-parser': ['src/testing/multistatus-body.ts'],
  'p-limit': ['src/retry/pace.ts'],
  'node:*': [
    'src/transport/undici.ts',
    'src/transport/connector.ts',
    'src/transport/tls.ts',
    'src/transport/proxy.ts',
    'src/transport/socks.ts',
    'src/transport/env-proxy.ts',
    'src/transport/global-dispatcher.ts',
    'src/transport/http.ts',
    'src/transport/http2.ts',
    'src/transport/codings.ts',
    'src/transport/node-answer.ts',
    'src/transport/answer-starts.ts',
    'src/transport/diagnostics.node.ts',
    'src/transfer/files.node.ts',
    'src/jobs/sqlite.ts',
    'src/jobs/run.ts',
    'src/jobs/create.ts',
    'src/jobs/folder.ts',
    'src/jobs/send.ts',
    'src/jobs/shorten.ts',
  ],
  '@noble/hashes/*': ['src/auth/digest-hash.ts'],
  pg: ['src/jobs/postgres.ts'],
  bullmq: ['src/jobs/bullmq.ts'],
}

const PACKAGES = Object.keys(IMPORTED_IN)

/** Forbids imports from the layers above a folder, from the doors, and of the packages that are not allowed there. */
function restrict(files: string[], layer: string, allowed: readonly string[] = []): Override {
  const above = LAYERS.slice(0, LAYERS.indexOf(layer)).map((folder) => `../${folder}/*`)
  const elsewhere = PACKAGES.filter((name) => !allowed.includes(name))
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(above.length > 0
              ? [{group: above, message: `${layer}/ knows nothing of the layers above it.`}]
              : []),
            {
              group: [...elsewhere, ...DOORS],
              message: 'Each dependency is imported in one file, and no layer imports a door.',
            },
          ],
        },
      ],
    },
  }
}

/** The files that may import some package, each with its layer. */
function exceptions(): Override[] {
  const files = new Set(Object.values(IMPORTED_IN).flat())
  return [...files].map((file) => {
    const allowed = PACKAGES.filter((name) => IMPORTED_IN[name]?.includes(file))
    return restrict([file], file.split('/')[1] ?? '', allowed)
  })
}

const config: OxlintConfig = defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'jsdoc', 'vitest'],
  categories: {
    correctness: 'error',
    suspicious: 'error',
    perf: 'error',
  },
  options: {
    typeAware: true,
  },
  rules: {
    'import/no-cycle': [
      'error',
      {
        ignoreTypes: false,
      },
    ],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-floating-promises': 'error',
    'import/no-default-export': 'error',
    'no-await-in-loop': 'off',
    'jsdoc/require-yields': 'off',
    'jsdoc/check-tag-names': [
      'error',
      {
        definedTags: ['packageDocumentation', 'typeParam', 'remarks', 'defaultValue'],
      },
    ],
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-generated-empty-object-type': 'off',
  },
  ignorePatterns: ['dist', 'docs', 'coverage', 'node_modules'],
  overrides: [
    ...LAYERS.map((layer) => restrict([`src/${layer}/**`], layer)),
    ...exceptions(),
    {
      files: ['src/*.ts'],
      rules: {
        'no-restricted-imports': [
          'error',
          {patterns: [{group: PACKAGES, message: 'A door has no logic.'}]},
        ],
      },
    },
    {
      files: ['test/**/*.ts', 'examples/**/*.ts', '*.config.ts'],
      rules: {
        'unicorn/consistent-function-scoping': 'off',
        'no-control-regex': 'off',
        'import/no-named-as-default-member': 'off',
        'oxc/no-map-spread': 'off',
        'typescript/no-misused-spread': 'off',
        'vitest/no-conditional-tests': 'off',
        'vitest/require-to-throw-message': 'off',
        'vitest/expect-expect': ['error', {assertFunctionNames: ['expect', 'expect*']}],
      },
    },
    {
      files: ['examples/**/*.ts'],
      rules: {
        // The runner of node:test waits for its tests.
        'typescript/no-floating-promises': [
          'error',
          {allowForKnownSafeCalls: [{from: 'package', name: 'test', package: 'node:test'}]},
        ],
      },
    },
    {files: ['*.config.ts'], rules: {'import/no-default-export': 'off'}},
  ],
})

export default config
