/**
 * rclone 1.60, serving a folder. It lists control characters as their pictures (U+2400 and on), and finds such a name by
 * these only.
 */
import {listsEverything, type ServerRecipe} from './support/recipe.ts'

export const rclone: ServerRecipe = {
  name: 'rclone serve webdav',
  packages: 'rclone',
  program: 'rclone',
  modules: [],
  traits: {
    ...listsEverything,
    infinity: 'answered',
    hrefs: 'path',
    etag: '"d9dd3bdce4bf4003"',
    unknownProperties: 'named',
    nameOf: (onDisk) => onDisk.replaceAll(/[\u0000-\u001F\u007F]/g, pictureOf),
    basicAuth: false,
  },
  files: () => ({'rclone.conf': ''}),
  args: ({folder, root, port}) => [
    'serve',
    'webdav',
    root,
    `--addr=127.0.0.1:${port}`,
    `--config=${folder}/rclone.conf`,
    // Listings are not cached: a new file must be visible at once. In a cached folder, each file with a refused DELETE
    // would answer 404 from then on.
    '--dir-cache-time=0',
    '--vfs-cache-mode=off',
  ],
}

function pictureOf(control: string): string {
  return control === '\u007F' ? '\u2421' : String.fromCharCode(0x2400 + control.charCodeAt(0))
}
