// Runs the conformance suite: `npm run conformance -- memory` on one broker, without a word on all of them. The results
// are kept, and docs/compatibility.md is written from them anew.
import { run } from './with-node.mjs'
import { resultsFolder, writeCompatibilityPage } from './write-compatibility-page.ts'

const brokers = process.argv.slice(2)
const files =
  brokers.length === 0
    ? ['conformance/test/memory', '/test/conformance']
    : brokers.flatMap((broker) => [`conformance/test/${broker}`, `brokers/${broker}/test/conformance`])

process.exitCode = await run(['vitest', 'run', '--project', 'unit', '--project', 'broker', ...files], {
  ...process.env,
  POSTHORN_CONFORMANCE_RESULTS: resultsFolder,
})
writeCompatibilityPage()
