import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { runCommand } from './run-command.ts'
import { root } from './workspace.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'totals-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The lines that a run ends with, from the first that is the reporter's. */
async function runTests(tests: string, ci: string): Promise<{ exitCode: number | null; lines: string[] }> {
  writeFileSync(join(folder, 'a.test.ts'), `import { expect, it } from 'vitest'\n${tests}`)
  const words = ['run', '--root', folder, '--reporter', join(root, 'scripts/totals-reporter.ts')]
  const { exitCode, stdout } = await runCommand('vitest', words, { env: { ...process.env, CI: ci } })
  return { exitCode, lines: stdout.split('\n') }
}

it('closes with the totals', async () => {
  const { exitCode, lines } = await runTests(`it('a', () => {})\nit('b', () => expect(1).toBe(2))`, '')
  expect(lines.at(-1)).toBe('1 passed, 1 failed')
  expect(exitCode).toBe(1)
})

it('says why tests were skipped', async () => {
  const skips = `it('a', () => {})\nit('b', (context) => context.skip('no broker'))\nit.skip('c', () => {})`
  expect(await runTests(skips, '')).toEqual({
    exitCode: 0,
    lines: ['skipped 1: no broker', 'skipped 1: no reason given: c', '1 passed, 0 failed, 2 skipped'],
  })
})

it('names what passed at the second try alone', async () => {
  const { exitCode, lines } = await runTests(
    `let tries = 0\nit('a', { retry: 1 }, () => expect(++tries).toBe(2))\nit('b', () => {})`,
    '',
  )
  expect(lines.slice(-2)).toEqual(['passed at the second try: a', '2 passed, 0 failed'])
  expect(exitCode).toBe(0)
})

it('fails in CI when a test was skipped', async () => {
  const { exitCode, lines } = await runTests(`it.skip('a', () => {})`, 'true')
  expect(lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped')
  expect(exitCode).toBe(1)
})

it('counts a file that cannot be loaded as a failure', async () => {
  const { exitCode, lines } = await runTests(`throw new Error('broken')`, '')
  expect(lines.at(-1)).toBe('0 passed, 1 failed')
  expect(exitCode).toBe(1)
})
