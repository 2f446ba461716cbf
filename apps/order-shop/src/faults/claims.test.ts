import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createClaims, createSharedClaims } from './claims.ts'

const folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['in memory', createClaims()],
  ['in a folder', createSharedClaims(join(folder, 'claims'))],
])('a name is given out once, %s', (_, claims) => {
  expect([claims.claim('crash a/b'), claims.claim('crash a/b'), claims.claim('crash a c')]).toEqual([
    true,
    false,
    true,
  ])
})

test('a process that comes after a killed one is refused what that had claimed', () => {
  expect(createSharedClaims(join(folder, 'shared')).claim('crash')).toBe(true)
  expect(createSharedClaims(join(folder, 'shared')).claim('crash')).toBe(false)
})
