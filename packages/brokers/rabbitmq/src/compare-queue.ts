import { replyCode } from './errors.ts'
import { readInequivalent, type ArgumentValue } from './inequivalent-argument.ts'
import { declaredName, isMismatch, type Arguments } from './queue-arguments.ts'
import type { Questions } from './questions.ts'
import type { WantedQueue } from './wanted-objects.ts'
import type { PlanItem } from '@posthorn/transport/driver'

/** How an object on the broker compares with what is wanted. */
export type Comparison = Pick<PlanItem, 'action' | 'differences'>

export const missing: Comparison = { action: 'create', differences: [] }
export const same: Comparison = { action: 'none', differences: [] }

/** The broker names one difference at a time; more than there are arguments cannot be. */
const maxDifferences = 30

/** False where the broker says that there is no such object. */
export async function exists(
  questions: Questions,
  kind: 'queue' | 'exchange',
  name: string,
): Promise<boolean> {
  try {
    await questions.ask(async (channel) =>
      kind === 'queue' ? channel.checkQueue(name) : channel.checkExchange(name),
    )
    return true
  } catch (error) {
    if (replyCode(error) === 404) return false
    throw error
  }
}

/**
 * Declares the queue, which makes one that is missing, and answers how one that is there differs. The broker names only
 * the first difference, so it is asked again with that argument as it is, until it agrees.
 */
export async function declareQueue(
  questions: Questions,
  wanted: WantedQueue,
  mode: 'create' | 'check',
): Promise<Comparison> {
  const differences: {
    argument: string
    wanted: ArgumentValue | undefined
    found: ArgumentValue | undefined
  }[] = []
  const options: { durable: boolean; autoDelete: boolean; arguments: Arguments } = {
    durable: true,
    autoDelete: false,
    arguments: wanted.arguments,
  }
  for (let round = 0; round < maxDifferences; round += 1) {
    try {
      await questions.ask((channel) => channel.assertQueue(wanted.subject.nativeName, { ...options }))
      break
    } catch (error) {
      // It is there, and who may not configure it cannot ask how it differs.
      if (mode === 'check' && replyCode(error) === 403) break
      const found = readInequivalent(error instanceof Error ? error.message : '')
      if (found === undefined) throw error
      const { argument } = found
      if (isMismatch(argument, wanted.asked, mode)) {
        differences.push({ argument: declaredName(argument), wanted: found.wanted, found: found.found })
      }
      if (argument === 'durable') options.durable = found.found === true
      else if (argument === 'auto_delete') options.autoDelete = found.found === true
      else options.arguments = withArgument(options.arguments, argument, found.found)
    }
  }
  return differences.length === 0 ? same : { action: 'mismatch', differences }
}

function withArgument(given: Arguments, name: string, value: ArgumentValue | undefined): Arguments {
  const { [name]: _, ...rest } = given
  return value === undefined ? rest : { ...rest, [name]: value }
}
