import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findPackedMistakes } from './package-shape.ts'

const doors = ['@posthorn/transport', '@posthorn/transport/memory']

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packed-'))
  writeManifest({ dependencies: { '@posthorn/store': '^0.1.0' } })
  write('README.md', '')
  write('LICENSE', '')
  write('src/index.ts', '')
  write('dist/index.js.map', JSON.stringify({ sources: ['../src/index.ts'] }))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}
function writeManifest(fields: object): void {
  const exports = { '.': {}, './memory': {}, './package.json': './package.json' }
  write('package.json', JSON.stringify({ name: '@posthorn/transport', exports, ...fields }))
}

it('finds nothing in a package that is as it should be', () => {
  expect(findPackedMistakes(folder, doors)).toEqual([])
})

it('finds what only works inside the workspace', () => {
  writeManifest({
    dependencies: { '@posthorn/store': 'workspace:^' },
    exports: { '.': { 'posthorn-source': '' } },
  })
  expect(findPackedMistakes(folder, doors)).toEqual([
    '@posthorn/transport/memory is in exports, but not in publishConfig.exports',
    'workspace: is left in package.json',
    'posthorn-source is left in package.json',
  ])
})

it('finds tests that are packed, files that are missing and maps that lead nowhere', () => {
  rmSync(join(folder, 'LICENSE'))
  rmSync(join(folder, 'src/index.ts'))
  write('src/index.test.ts', '')
  expect(findPackedMistakes(folder, doors)).toEqual([
    'LICENSE is missing',
    'src/index.test.ts is a test',
    'dist/index.js.map names ../src/index.ts, which is not in the package',
  ])
})
