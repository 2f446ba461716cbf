// Chooses what to run: `npm test` is everything, real brokers included, `pnpm test` the part that needs no network.
// Words after the script's name choose test files by a part of their path.
import { run } from './with-node.mjs'

const words = process.argv.slice(2)
const calledByPnpm = (process.env['npm_config_user_agent'] ?? '').startsWith('pnpm/')
// In CI nothing is left out, whoever asks.
const fast = (calledByPnpm || words.includes('--fast')) && !process.env['CI']

const projects = fast ? ['unit', 'types'] : ['unit', 'types', 'broker']
const command = [
  'vitest',
  'run',
  ...projects.flatMap((name) => ['--project', name]),
  ...words.filter((word) => word !== '--fast'),
]
process.exitCode = await run(command, process.env)
