/**
 * rclone 1.60, serving a folder. It shows control characters as their pictures (U+2400 and on), and finds such a name
 * by these alone.
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
    // No listing is remembered: what a test has just made has to show. One that is remembered also loses each file that a
    // DELETE was refused for, which is 404 from then on.
    '--dir-cache-time=0',
    '--vfs-cache-mode=off',
  ],
}

function pictureOf(control: string): string {
  return control === '\u007F' ? '\u2421' : String.fromCharCode(0x2400 + control.charCodeAt(0))
}
