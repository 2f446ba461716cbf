import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compatibilityTable } from '../packages/core/conformance/src/table.ts'
import { compatibilityPage, readResults } from './write-compatibility-page.ts'

test('the compatibility page is what the results of the runs say', () => {
  // `npm run compat -- --page` writes it.
  expect(readFileSync(compatibilityPage, 'utf8')).toBe(compatibilityTable(readResults()))
})
