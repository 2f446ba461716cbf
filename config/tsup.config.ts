import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'tsup'

const sourceCondition = 'posthorn-source'

/** The doors of a package, read from its `exports`: `./memory` is built from `src/memory.ts` to `dist/memory.js`. */
function readDoors(packageFolder: string): Record<string, string> {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  const doors: Record<string, string> = {}
  for (const target of Object.values<string | Record<string, string>>(manifest.exports)) {
    if (typeof target === 'string') continue
    const source = target[sourceCondition]!
    const name = source.replace(/^\.\/src\//, '').replace(/\.ts$/, '')
    doors[name] = source
  }
  return doors
}

/** One recipe for every package. Declarations are written by `tsc`: tsup 9 cannot with TypeScript 7. */
export default defineConfig({
  entry: readDoors(process.cwd()),
  format: ['esm'],
  target: 'node22',
  dts: false,
  sourcemap: true,
  clean: true,
  splitting: true,
  treeshake: true,
  silent: true,
})
