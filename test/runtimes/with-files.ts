// The scenarios of the runtimes with files and modules on a disk: Node, Bun and Deno.

import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

import {line, nameOfThrown, open, type Place, type Scenario, TEXT} from './scenario.ts'
import {seen} from './with-faults.ts'

/** Runs a function with a folder for its files. */
async function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'multistatus-files-'))
  try {
    return await run(folder)
  } finally {
    await rm(folder, {recursive: true})
  }
}

const LONG = TEXT.repeat(10_000)

export const fileScenarios: readonly Scenario[] = [
  {
    feature: 'files of the disk',
    title: 'a broken download into a file goes on after its last byte',
    run: (place: Place) =>
      withFolder(async (folder) => {
        const file = join(folder, 'a')
        const dav = open(place, 'faults', 'content/', {
          retry: {attempts: 3, minDelay: 1, maxDelay: 1},
        })
        const {status} = await dav.download('file', file)
        return [status, await readFile(file, 'utf8')]
      }),
    expected: [200, '0123456789'],
  },
  {
    feature: 'files of the disk',
    title: 'a file is sent with its length, and no type',
    run: (place: Place) =>
      withFolder(async (folder) => {
        const [short, long] = [join(folder, 'short'), join(folder, 'long')]
        await writeFile(short, TEXT)
        await writeFile(long, LONG)
        const dav = open(place, 'faults', 'uploads/files/')
        const verdicts = [
          await dav.put('short', {path: short}),
          await dav.put('long', {path: long}),
          await dav.put('none', {path: join(folder, 'none')}),
        ]
        const requests = await seen(place, 'uploads/files/')
        return [
          verdicts.map((verdict) => line(place, verdict)),
          requests.map(({body, length, type}) => [
            body === TEXT || body === LONG,
            length,
            type ?? null,
          ]),
        ]
      }),
    expected: [
      [
        'ok 201 self /uploads/files/short 1',
        'ok 201 self /uploads/files/long 1',
        'refused 0 self /uploads/files/none 1',
      ],
      [
        [true, '12', null],
        [true, '120000', null],
      ],
    ],
  },
  {
    feature: 'modules',
    title: 'the package is the packed one',
    run: async () => import.meta.resolve('multistatus').split('/').slice(-4),
    expected: ['node_modules', 'multistatus', 'dist', 'index.js'],
  },
  {
    feature: 'modules',
    title: 'undici is a transport',
    run: () => nameOfThrown(() => import('multistatus/undici').then((u) => u.undiciTransport())),
    expected: 'nothing',
  },
]
