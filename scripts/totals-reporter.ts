import { writeSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Closes each run with a line such as `12 passed, 0 failed, 1 skipped`, after saying what passed at the second try alone
 * and why things were skipped.
 * In CI a skipped test fails the run.
 */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    let passed = 0
    let failed = unhandledErrors.length
    const reasons = new Map<string, number>()
    const flaky: string[] = []
    for (const module of modules) {
      let failedInModule = 0
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') {
          passed += 1
          if (test.diagnostic()?.flaky) flaky.push(test.fullName)
        } else if (result.state === 'failed') failedInModule += 1
        else {
          const reason = ('note' in result && result.note) || `no reason given: ${test.fullName}`
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
        }
      }
      // A file that could not be loaded, or whose hooks threw, has no failed test to show for it.
      if (failedInModule === 0 && !module.ok()) failedInModule = 1
      failed += failedInModule
    }

    const skipped = [...reasons.values()].reduce((sum, count) => sum + count, 0)
    const lines = flaky.map((name) => `passed at the second try: ${name}`)
    for (const [reason, count] of reasons) lines.push(`skipped ${count}: ${reason}`)
    if (skipped > 0 && process.env['CI']) {
      process.exitCode = 1
      lines.push('Skipped tests fail this run, because CI is set.')
    }
    lines.push(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    // At exit, so that nothing is printed after it.
    process.once('exit', () => writeSync(1, `${lines.join('\n')}\n`))
  }
}
