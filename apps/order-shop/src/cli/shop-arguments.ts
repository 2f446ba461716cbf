import { parseArgs } from 'node:util'
import { nearestName } from './nearest-name.ts'

export interface ShopArguments {
  /** A file, `-` for standard input, or `undefined` for what there is. */
  readonly orders: string | undefined
  readonly seed: number
  readonly out: string | undefined
  readonly broker: string
  readonly quick: boolean
  readonly realTime: boolean
  readonly metricsPort: number | undefined
  readonly deadLetters: boolean
  readonly replay: boolean
  readonly json: boolean
  readonly help: boolean
}

/** Something that was typed cannot be used; the message says what, and what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const helpText = `A small shop, twice: on Posthorn, and as the code that everyone starts from.
Both get the same orders and the same faults. The end shows what became of the
orders, counted from the files that each version has written.

  npm run demo -- [options]

  --orders FILE   orders as JSON lines; "-" is standard input. Also what is
                  piped in. Default: the 523 lines of data/orders.jsonl
  --seed N        of the faults and the simulated clock. Default: 1
  --out DIR       a new or empty folder for all effects. Default: a fresh one
                  in the folder for temporary files
  --broker URL    run the Posthorn version there, as real processes that are
                  killed with -9, with the driver that is installed for it:
                  amqp:, kafka:, redis:, sqs:, ... Default: memory:
  --metrics-port N
                  show the metrics of the Posthorn version while it runs, at
                  http://127.0.0.1:N/metrics; 0 is any free port. With --broker
                  each process shows its own, at N, N+1, ...
  --dead-letters  list each dead letter of the Posthorn version, not only how
                  many there are of which kind
  --replay        replay what ran out of attempts when all else is done and the
                  cause is repaired: the mailbox that was full has room again
  --real-time     the system's clock in place of a simulated one
  --quick         only the first 130 lines, as fast as it goes
  --json          only JSON on standard output
  --help          this text

Exit code: 0 when the Posthorn version lost, doubled, disordered and dropped
nothing; 1 when it did, or when something is left after SIGTERM or Ctrl+C;
2 when an option cannot be used.
`

const options = {
  orders: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  broker: { type: 'string' },
  quick: { type: 'boolean' },
  'metrics-port': { type: 'string' },
  'dead-letters': { type: 'boolean' },
  replay: { type: 'boolean' },
  'real-time': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/** Room for one of each process. */
const maxPort = 65_500

/** Throws a `UsageError`. */
export function readArguments(words: readonly string[]): ShopArguments {
  const { tokens, values } = parseArgs({ args: [...words], options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      throw new UsageError(
        `"${token.value}" is not an option. Orders are read with --orders FILE; see --help.`,
      )
    }
    const option = Object.hasOwn(options, token.name)
      ? options[token.name as keyof typeof options]
      : undefined
    if (option === undefined)
      throw new UsageError(`There is no option ${token.rawName}.${suggest(token.name)}`)
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new UsageError(`${token.rawName} takes no value, and got "${token.value}".`)
    }
    if (option.type === 'string' && (token.value === undefined || token.value === '')) {
      throw new UsageError(`${token.rawName} needs a value; see --help.`)
    }
  }
  const text = (name: 'orders' | 'seed' | 'out' | 'broker' | 'metrics-port'): string | undefined =>
    values[name] as string | undefined
  return {
    orders: text('orders'),
    seed: readNumber('seed', text('seed')) ?? 1,
    metricsPort: readNumber('metrics-port', text('metrics-port'), maxPort),
    deadLetters: values['dead-letters'] === true,
    replay: values.replay === true,
    out: text('out'),
    broker: text('broker') ?? 'memory:',
    quick: values.quick === true,
    realTime: values['real-time'] === true,
    json: values.json === true,
    help: values.help === true,
  }
}

function suggest(name: string): string {
  const near = nearestName(name, Object.keys(options))
  return near === undefined ? ' See --help.' : ` Did you mean --${near}?`
}

function readNumber(name: string, text: string | undefined, max?: number): number | undefined {
  if (text === undefined) return undefined
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number <= (max ?? number)) return number
  const range = max === undefined ? 'from 0' : `from 0 to ${max}`
  throw new UsageError(`--${name} takes a whole number ${range}, and got "${text}".`)
}
