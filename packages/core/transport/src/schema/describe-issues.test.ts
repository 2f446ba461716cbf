import { expect, test } from 'vitest'
import { describeIssues } from './describe-issues.ts'

test('names the path of each issue, however the library writes it', () => {
  const issues = [
    { message: 'too short', path: ['items', 0, 'name'] },
    { message: 'not a number', path: [{ key: 'items' }, { key: 1 }, { key: Symbol('total') }] },
    { message: 'no order' },
    { message: 'empty', path: [] },
  ]
  expect(describeIssues(issues)).toBe(
    'items.0.name: too short; items.1.Symbol(total): not a number; no order; empty',
  )
})

test('names the first five and counts the others', () => {
  const issues = Array.from({ length: 8 }, (_, index) => ({ message: `issue ${index}` }))
  expect(describeIssues(issues)).toBe('issue 0; issue 1; issue 2; issue 3; issue 4; and 3 more')
})

test('stays on one line that fits a header', () => {
  const text = describeIssues([{ message: `line\none\t${'x'.repeat(1_000)}` }])
  expect(text).toMatch(/^line one x+…$/)
  expect(text).toHaveLength(400)
})
