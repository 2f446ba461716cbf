import { expect, test } from 'vitest'
import { formatMs } from './format-ms.ts'

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_500, '1.5 s'],
  [60_000, '1 min'],
  [5_400_000, '1 h 30 min'],
  [86_461_500, '1 d 1 min 1.5 s'],
  [Infinity, 'for ever'],
])('%s milliseconds are %s', (ms, shown) => {
  expect(formatMs(ms)).toBe(shown)
})
