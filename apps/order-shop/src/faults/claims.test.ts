import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVirtualClock } from '@posthorn/transport/testing'
import { afterAll, expect, test } from 'vitest'
import { createClaims } from './claims.ts'

const folder = mkdtempSync(join(tmpdir(), 'order-shop-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a name is given out once, also to a process that comes after a killed one, and says when', async () => {
  const clock = createVirtualClock()
  const claims = createClaims(join(folder, 'claims'), clock)

  expect(claims.since('crash a/b')).toBeUndefined()
  expect([claims.claim('crash a/b'), claims.claim('crash a/b'), claims.claim('crash a c')]).toEqual([
    true,
    false,
    true,
  ])
  const claimedAt = clock.now()
  await clock.advance(1_000)
  const later = createClaims(join(folder, 'claims'), clock)
  expect(later.claim('crash a/b')).toBe(false)
  expect(later.since('crash a/b')).toBe(claimedAt)
})
