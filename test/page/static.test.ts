/**
 * The static files of the page on Apache and nginx, with the configuration of the guide. There is no proxy.
 */
import {readFile, writeFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {join} from 'node:path'
import {beforeAll, expect, it} from 'vitest'
import {buildPage} from '../../examples/browser/server/files.ts'
import {apache} from '../servers/apache.ts'
import {nginx} from '../servers/nginx.ts'
import {readPaths} from '../servers/support/disk.ts'
import type {ServerRecipe, Site} from '../servers/support/recipe.ts'
import {describeServers} from '../servers/support/suite.ts'
import {makeCollection} from '../servers/support/trees.ts'
import {describeBrowsers} from './support/browsers.ts'
import {ShownPage} from './support/shown-page.ts'

const GUIDE = fileURLToPath(new URL('../../guide/page.md', import.meta.url))
const guide = await readFile(GUIDE, 'utf8')
const page = await buildPage('/')
const MODULES = ['alias', 'dir', 'headers', 'mime'].map(
  (name) => `/usr/lib/apache2/modules/mod_${name}.so`,
)

const apacheWithPage: ServerRecipe = {
  ...apache,
  modules: [...apache.modules, ...MODULES],
  files: (site) => ({
    ...filesOf(site),
    'httpd.conf': `${apache.files(site)['httpd.conf']}
${MODULES.map((file) => `LoadModule ${/mod_(\w+)/.exec(file)?.[1]}_module ${file}`).join('\n')}
TypesConfig /etc/mime.types
${snippet('With Apache', site)}`,
  }),
}
const nginxWithPage: ServerRecipe = {
  ...nginx,
  files: (site) => {
    const files = nginx.files(site)
    const [name, configuration] = Object.entries(files).find(([, text]) =>
      text.includes('server {'),
    ) ?? ['', '']
    const served = configuration
      .replace('http {', 'http {\n  include /etc/nginx/mime.types;')
      .replace('server {', `server {\n${snippet('With nginx', site)}`)
    return {...files, ...filesOf(site), [name]: served}
  },
}

describeBrowsers((current) => {
  describeServers([apacheWithPage, nginxWithPage], (server) => {
    let url: string
    beforeAll(() => {
      url = `${server.url()}page/`
    })

    it('lists, uploads and deletes without a proxy', async () => {
      const folder = await makeCollection(server, 'static', ['a.txt', 'b.txt'])
      const file = join(server.root, '..', 'new.txt')
      await writeFile(file, 'new')
      const answer = await fetch(url)
      expect(answer.headers.get('content-security-policy')).toBe("frame-ancestors 'none'")
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
      const shown = await ShownPage.open(current(), `${url}#static/`)

      expect((await shown.names()).toSorted()).toEqual(['a.txt', 'b.txt'])
      await shown.deleteAll()
      await shown.until('#status', '2 of 2 items deleted.')
      await shown.choose(file)
      await shown.click('#upload-dialog [value=yes]')
      await shown.until('#status', '1 of 1 item uploaded.')
      expect(await readPaths(folder)).toEqual(['new.txt'])
      await shown.close()
    })
  })
})

/** The files of the page, in the folder of a site. */
function filesOf(site: Site): Readonly<Record<string, string>> {
  const {passwords = ''} = apache.files(site)
  return {
    passwords,
    ...Object.fromEntries(Array.from(page, ([name, text]) => [`page/${name}`, text])),
  }
}

/** The configuration below a sentence of the guide, with the folder of a site. */
function snippet(sentence: string, {folder}: Site): string {
  const text = new RegExp(`^${sentence}[^]*?\`\`\`text\\n([^]*?)\`\`\``, 'm').exec(guide)?.[1]
  if (text === undefined) throw new Error(`guide/page.md has no configuration "${sentence}"`)
  return text.replaceAll('/srv/page', `${folder}/page`)
}
