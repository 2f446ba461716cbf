// Chooses what to run: `npm test` is everything, real brokers included, `pnpm test` the part that needs no network.
// Words after the script's name choose test files by a part of their path; `conformance <broker>` chooses the
// conformance suite on that broker.
import { run } from './with-node.mjs'

const words = process.argv.slice(2)
const calledByPnpm = (process.env['npm_config_user_agent'] ?? '').startsWith('pnpm/')
// In CI nothing is left out, whoever asks.
const fast = (calledByPnpm || words.includes('--fast')) && !process.env['CI']

const projects = fast ? ['unit', 'types'] : ['unit', 'types', 'broker']
const parts = words.filter((word) => word !== '--fast')
const filters =
  parts[0] === 'conformance' && parts.length > 1
    ? parts.slice(1).flatMap((broker) => [`conformance/test/${broker}`, `brokers/${broker}/test/conformance`])
    : parts

const command = [
  'vitest',
  'run',
  ...projects.flatMap((name) => ['--project', name]),
  ...filters,
]
process.exitCode = await run(command, process.env)
