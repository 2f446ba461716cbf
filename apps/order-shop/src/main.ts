import { constants } from 'node:os'
import { runDemo } from './cli/run-demo.ts'

const stop = new AbortController()

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(128 + constants.signals[signal])
    process.stderr.write(`\n${signal}: handlers may end what they have in hand. Once more to end at once.\n`)
    stop.abort()
  })
}

const { stdout, stderr } = process
const exitCode = await runDemo({ words: process.argv.slice(2), stdout, stderr, signal: stop.signal })
// Timers of processes that have crashed may still run; what was written has to be out first.
stdout.write('', () => process.exit(exitCode))
