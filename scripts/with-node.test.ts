import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { isInstalled, isSupportedNode, isSupportedPnpm } from './with-node.mjs'

it.each([
  ['20.20.2', false],
  ['22.17.9', false],
  ['22.18.0', true],
  ['23.0.0', true],
  ['24.21.0', true],
])('takes Node %s as it is: %s', (version, expected) => {
  expect(isSupportedNode(version)).toBe(expected)
})

it.each([
  ['', false],
  ['11.28.11', false],
  ['12.0.0', true],
  ['13.1.0', true],
])('takes pnpm "%s" as it is: %s', (version, expected) => {
  expect(isSupportedPnpm(version)).toBe(expected)
})

it('installs where nothing is installed, or another lockfile was', () => {
  const folder = mkdtempSync(join(tmpdir(), 'with-node-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'one')
  expect(isInstalled(folder)).toBe(false)

  mkdirSync(join(folder, 'node_modules/.pnpm'), { recursive: true })
  writeFileSync(join(folder, 'node_modules/.pnpm/lock.yaml'), 'one')
  expect(isInstalled(folder)).toBe(true)

  writeFileSync(join(folder, 'pnpm-lock.yaml'), 'two')
  expect(isInstalled(folder)).toBe(false)
})
