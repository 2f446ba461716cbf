import { parseArgs } from 'node:util'
import type { SoakOptions } from './run-soak.ts'
import { brokerNames } from './soak-broker.ts'

export const usage = `npm run soak -- BROKER [options]

  BROKER          ${brokerNames.join(', ')}
  --messages N    default 100000; with --quick 20000
  --restarts N    how often the server is killed; default 5, with --quick 3
  --seed N        of the faults; default 1
  --version V     of the server; default: whichever can be had
  --ordered       the workers want the messages of each key in order
  --quick         freezes and silences stay short
`

const options = {
  messages: { type: 'string' },
  restarts: { type: 'string' },
  seed: { type: 'string' },
  version: { type: 'string' },
  ordered: { type: 'boolean' },
  quick: { type: 'boolean' },
} as const

/** Throws an error for people when something cannot be used. */
export function readArguments(words: readonly string[]): SoakOptions {
  const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true })
  const [broker, ...rest] = positionals
  if (broker === undefined || !brokerNames.includes(broker) || rest.length > 0) {
    throw new Error(`One broker is wanted (${brokerNames.join(', ')}), and got "${positionals.join(' ')}".`)
  }
  const quick = values.quick === true
  const whole = (name: 'messages' | 'restarts' | 'seed', otherwise: number, min: number): number => {
    const text = values[name]
    const value = text === undefined ? otherwise : Number(text)
    if (text === '' || !Number.isInteger(value) || value < min)
      throw new Error(`--${name} takes a whole number from ${min}, and got "${text}".`)
    return value
  }
  return {
    broker,
    quick,
    ordered: values.ordered === true,
    version: values.version,
    messages: whole('messages', quick ? 20_000 : 100_000, 1),
    restarts: whole('restarts', quick ? 3 : 5, 0),
    seed: whole('seed', 1, 0),
  }
}
