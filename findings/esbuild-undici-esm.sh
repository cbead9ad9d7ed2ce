#!/usr/bin/env bash
# esbuild 0.28.2: a program for Node with undici 8.12.4, bundled as ESM, is built without a warning, and ends at its start.
# Input: esbuild main.mjs --bundle --platform=node --format=esm, and main.mjs imports {Agent} from 'undici'.
# Guess of those who met it, noted before this script was written: it runs, as platform=node keeps the modules of Node outside.
# Observed: Error: Dynamic require of "node:assert" is not supported. undici is CommonJS, and its require calls stay calls, which an
# ES module does not have. With --format=cjs, with --external:undici, or with a banner that makes `require` by createRequire, it runs.
# For a library: keep undici outside of the bundle, or build for CommonJS. That a bundle was built does not prove that it starts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >log
npm install --no-audit --no-fund esbuild@0.28.2 undici@8.12.4 "node-linux-$(node -p process.arch)@24.21.0" >>log 2>&1 || { cat log; exit 1; }
node=$(echo node_modules/node-linux-*/bin/node)
echo "import {Agent} from 'undici'; console.log(typeof new Agent().dispatch)" >main.mjs
check() {
  printf '  %-44s %s\n' "$1" "$2"
  [ "$2" = "$3" ] || { echo "CHANGED, expected: $3"; exit 1; }
}
# Arguments: extension, options of esbuild. Prints the warnings and errors of the build.
build() {
  node_modules/.bin/esbuild main.mjs --bundle --platform=node --log-level=warning "--outfile=out.$1" "${@:2}" 2>&1 || echo "exit $?"
}
run() { "$node" "$1" 2>&1 | grep -oE '^function$|Error: Dynamic require of .* is not supported'; }

echo "esbuild $(node_modules/.bin/esbuild --version), Node $("$node" --version)"
check 'without a bundle' "$(run main.mjs)" function
check 'esm: warnings of the build' "$(build mjs --format=esm)" ''
check 'esm' "$(run out.mjs)" 'Error: Dynamic require of "node:assert" is not supported'
check 'cjs: warnings of the build' "$(build cjs --format=cjs)" ''
check 'cjs' "$(run out.cjs)" function
check 'esm, external: warnings of the build' "$(build mjs --format=esm --external:undici)" ''
check 'esm, external' "$(run out.mjs)" function
banner="import {createRequire} from 'node:module'; const require = createRequire(import.meta.url)"
check 'esm, a banner: warnings of the build' "$(build mjs --format=esm "--banner:js=$banner")" ''
check 'esm, a banner' "$(run out.mjs)" function
