#!/usr/bin/env bash
# Bun 1.4.5: an import of the installed package undici 8.12.4 gives a module of Bun's own. Its Agent cannot dispatch.
# Input: import {Agent, request} from 'undici' in a folder where undici 8.12.4 is installed.
# Believed until a test run on Bun failed, so no prediction: "Bun resolves bare names from node_modules, so it is undici 8.12.4; it
# may be slow or miss something."
# Observed: new Agent() has no dispatch, but the Agent of node_modules/undici/index.js has one. A dispatcher given to a client does
# nothing. A WebDAV client with undici as its Node transport must use fetch under the condition "bun".
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund undici@8.12.4 bun@1.4.5 >/dev/null 2>&1
cat >main.mjs <<'JS'
import {Agent} from 'undici'

const agent = new Agent()
const own = await import(new URL('node_modules/undici/index.js', import.meta.url).href)
const [shim, real] = [typeof agent.dispatch, typeof new own.Agent().dispatch]
console.log(`bun ${Bun.version}: Agent of 'undici' has dispatch: ${shim}; Agent of node_modules/undici/index.js: ${real}`)
process.exit(shim === 'undefined' && real === 'function' ? 0 : 1)
JS
# Its own command, whether or not its install script was run.
node_modules/.bin/bun run main.mjs
