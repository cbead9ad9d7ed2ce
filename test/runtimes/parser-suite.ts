// Runs test files in any runtime, without the processes of vitest. Its collector, its matchers and its runner are bundled with them.

import {startTests} from 'vitest/internal/browser'

/** The outcome of a suite. */
export interface SuiteOutcome {
  /** The number of tests that passed, by file. */
  readonly passed: Readonly<Record<string, number>>
  /** The tests that failed, each with its error. */
  readonly failed: readonly string[]
}

interface Task {
  readonly name: string
  readonly type: string
  readonly tasks?: readonly Task[]
  readonly result?: {
    readonly state: string
    readonly errors?: readonly {readonly message: string}[]
  }
}

const CONFIG = {
  root: '/',
  name: '',
  setupFiles: [],
  sequence: {shuffle: false, concurrent: false, seed: 1, hooks: 'stack', setupFiles: 'list'},
  testTimeout: 60_000,
  hookTimeout: 60_000,
  teardownTimeout: 10_000,
  slowTestThreshold: 1000,
  retry: 0,
  repeats: 0,
  maxConcurrency: 1,
  allowOnly: false,
  passWithNoTests: false,
  includeTaskLocation: false,
  testNamePattern: undefined,
  tags: [],
  strictTags: false,
  chaiConfig: {},
  expect: {requireAssertions: false, poll: {}},
  snapshotOptions: {expand: false, updateSnapshot: 'none', snapshotEnvironment: null},
  diffOptions: {},
}

/** Runs test files one after the other. */
export async function runSuite(
  files: Readonly<Record<string, () => Promise<unknown>>>,
): Promise<SuiteOutcome> {
  Reflect.set(globalThis, '__vitest_worker__', {
    config: CONFIG,
    ctx: {},
    providedContext: {},
    durations: {},
  })
  const runner = {
    config: CONFIG,
    pool: 'forks',
    importFile: (path: string) => files[path.slice(1)]?.(),
  }
  const names = Object.keys(files)
  const ran: readonly Task[] = await Reflect.apply(startTests, undefined, [
    names.map((name) => `/${name}`),
    runner,
  ])
  const passed: Record<string, number> = {}
  const failed: string[] = []
  for (const [index, file] of ran.entries()) {
    const name = names[index] ?? ''
    passed[name] = 0
    const visit = (task: Task, path: string): void => {
      const {state, errors = []} = task.result ?? {state: 'none'}
      if (task.type === 'test' && state === 'pass') passed[name] = (passed[name] ?? 0) + 1
      else if (state === 'fail' && (task.tasks === undefined || errors.length > 0))
        failed.push(`${path}: ${errors.map(({message}) => message).join('; ')}`)
      for (const below of task.tasks ?? []) visit(below, `${path} > ${below.name}`)
    }
    visit(file, name)
  }
  return {passed, failed}
}
