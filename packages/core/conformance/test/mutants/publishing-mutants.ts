import { isPosthornError } from '@posthorn/transport'
import { aroundDriver, type Twist } from './around-driver.ts'
import type { Mutant } from './mutant.ts'
import type { PublishOutcome, WireMessage } from '@posthorn/transport/driver'

const mutant = (name: string, caughtBy: readonly string[], twist: () => Twist): Mutant => ({
  name,
  caughtBy,
  create: () => {
    const made = twist()
    return { wrapDriver: (driver) => aroundDriver(driver, made) }
  },
})

/** A change of every message that is sent. */
const changing = (
  name: string,
  caughtBy: readonly string[],
  change: (message: WireMessage) => Partial<WireMessage>,
): Mutant =>
  mutant(name, caughtBy, () => ({
    publish: (publish, batch) => publish(batch.map((message) => ({ ...message, ...change(message) }))),
  }))

/** A change of every answer. */
const answering = (
  name: string,
  caughtBy: readonly string[],
  change: (outcomes: readonly PublishOutcome[]) => readonly PublishOutcome[],
): Mutant =>
  mutant(name, caughtBy, () => ({
    publish: async (publish, batch) => change(await publish(batch)),
  }))

const confirmedIf =
  (test: (error: Exclude<PublishOutcome, 'confirmed'>) => boolean) => (outcomes: readonly PublishOutcome[]) =>
    outcomes.map((outcome) => (isPosthornError(outcome) && test(outcome) ? 'confirmed' : outcome))

export const publishingMutants: readonly Mutant[] = [
  {
    name: 'confirms before it stores',
    caughtBy: ['1b'],
    create: () => ({
      wrapDriver: (driver, { clock }) =>
        aroundDriver(driver, {
          publish: async (publish, batch) => {
            clock.setTimer(() => void publish(batch), 5)
            return batch.map(() => 'confirmed')
          },
        }),
    }),
  },
  answering(
    'an unroutable send resolves',
    ['3', '59'],
    confirmedIf((error) => error.code === 'POSTHORN_UNROUTABLE'),
  ),
  answering(
    'a lost confirmation counts as confirmed',
    ['41'],
    confirmedIf((error) => error.outcome === 'unknown'),
  ),
  answering('the outcome of a batch is all or nothing', ['5b'], (outcomes) => {
    const error = outcomes.find(isPosthornError)
    return error === undefined ? outcomes : outcomes.map(() => error)
  }),
  answering(
    'a refused message of a batch counts as sent',
    ['5b', '5c'],
    confirmedIf((error) => error.outcome === 'rejected'),
  ),
  mutant('publishes out of order', ['29', '43'], () => ({
    publish: async (publish, batch) => (await publish(batch.toReversed())).toReversed(),
  })),
  mutant('drops one message in a thousand', ['20', '73'], () => {
    let count = 0
    return {
      publish: async (publish, batch) => {
        const kept = batch.filter(() => ++count % 1_000 !== 0)
        const outcomes = await publish(kept)
        return batch.map((_, index) => outcomes[Math.min(index, outcomes.length - 1)] ?? 'confirmed')
      },
    }
  }),
  changing('the delay of a send is ignored', ['31b', '31d'], () => ({ notBefore: undefined })),
  changing('a delayed message comes a second early', ['31b'], ({ notBefore }) => ({
    notBefore: notBefore === undefined ? undefined : notBefore - 1_000,
  })),
  changing('priority is ignored', ['33'], () => ({ priority: undefined })),
  changing('a message loses its routing key', ['24b', '6b'], ({ type }) => ({ routingKey: type })),
  changing('a body is decoded and encoded again', ['6'], ({ body }) => ({
    body: Buffer.from(Buffer.from(body).toString()),
  })),
  mutant('a conflicting declaration goes through', ['38', '77'], () => ({
    declare: (declare, topology, mode) =>
      declare(topology, mode).catch((error: unknown) => {
        if (!isPosthornError(error) || error.code !== 'POSTHORN_TOPOLOGY_MISMATCH') throw error
      }),
  })),
  mutant('mode check makes what is missing', ['3b', '77'], () => ({
    declare: (declare, topology) => declare(topology, 'create'),
  })),
]
