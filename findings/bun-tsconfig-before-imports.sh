#!/usr/bin/env bash
# Bun 1.4.5: `paths` of a tsconfig.json win over "imports" and "exports" of package.json at run time, in plain JavaScript too.
# Input: a package with "imports": {"#which": "./built.mjs"}, and a tsconfig.json whose paths map "#which" and the package's own
# name to sources, as a type check without a build wants it.
# Guess written before: "`#` names belong to package.json alone; paths are for the type check, or for TypeScript files at most."
# Observed: both names lead to the sources. A program that tests the built package on Bun tests the sources, under another condition.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >package.json <<'JSON'
{"name": "some-package", "type": "module", "imports": {"#which": "./built.mjs"}, "exports": "./built.mjs"}
JSON
npm install --silent --no-audit --no-fund bun@1.4.5 >/dev/null 2>&1
echo '{"compilerOptions": {"paths": {"#which": ["./source.ts"], "some-package": ["./source.ts"]}}}' >tsconfig.json
echo "export const which = 'built'" >built.mjs
echo "export const which = 'source'" >source.ts
cat >main.mjs <<'JS'
import {which as internal} from '#which'
import {which as own} from 'some-package'

console.log(`bun ${Bun.version}: '#which' is the ${internal}, 'some-package' is the ${own}`)
process.exit(internal === 'source' && own === 'source' ? 0 : 1)
JS
node_modules/.bin/bun run main.mjs
