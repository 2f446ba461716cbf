import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startLocalRegistry, type LocalRegistry } from './local-registry.ts'

const run = promisify(execFile)

let registry: LocalRegistry
let folder: string
beforeEach(async () => {
  registry = await startLocalRegistry({ owned: ['@here/greeting'], upstream: 'http://upstream.invalid/base' })
  folder = mkdtempSync(join(tmpdir(), 'registry-'))
})
afterEach(async () => {
  await registry[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

it('gives back what was published, to npm itself', async () => {
  const { host } = new URL(registry.url)
  // As npm is by itself, whatever this machine has configured.
  const defaults = ['--offline=false', '--audit', '--loglevel', 'notice']
  const npm = (cwd: string, ...words: string[]): Promise<unknown> =>
    run('npm', [...words, ...defaults, '--registry', registry.url, '--cache', join(folder, 'cache')], { cwd })
  for (const name of ['package', 'consumer']) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, '.npmrc'), `//${host}/:_authToken=local`)
  }
  const manifest = { name: '@here/greeting', version: '1.2.3', main: 'index.js' }
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'package/index.js'), 'hello')
  writeFileSync(join(folder, 'consumer/package.json'), '{}')

  await npm(join(folder, 'package'), 'publish', '--access', 'public')
  expect(registry.published).toEqual(['@here/greeting@1.2.3'])
  await npm(join(folder, 'consumer'), 'install', '@here/greeting')
  expect(readFileSync(join(folder, 'consumer/node_modules/@here/greeting/index.js'), 'utf8')).toBe('hello')

  await expect(npm(join(folder, 'package'), 'publish', '--access', 'public')).rejects.toThrow('1.2.3')
  expect(registry.published).toHaveLength(1)
}, 20_000)

it('redirects to the upstream for packages of others', async () => {
  const asked = async (path: string): Promise<string | null> => {
    const response = await fetch(new URL(path, registry.url), { redirect: 'manual' })
    return response.headers.get('location')
  }
  expect(await asked('@types%2fnode')).toBe('http://upstream.invalid/base/@types%2fnode')
  expect(await asked('left-pad/-/left-pad-1.0.0.tgz')).toBe(
    'http://upstream.invalid/base/left-pad/-/left-pad-1.0.0.tgz',
  )
})

it('does not know a package of ours before it is published', async () => {
  const response = await fetch(new URL('@here%2fgreeting', registry.url))
  expect(response.status).toBe(404)
})
