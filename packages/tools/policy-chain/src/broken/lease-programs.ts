import { ackWith, type Message, type Middleware, type Settlement } from '@posthorn/transport'
import type { Breaker } from '@posthorn/circuit-breaker'
import type { Metrics } from '@posthorn/metrics'
import { leaseForm, type LeaseBreak } from '../lease-form.ts'
import { naiveOnce } from './naive-once.ts'
import type { BrokenProgram } from './broken-program.ts'
import type { ChainBreak } from '../run-worker.ts'

const inForm = (name: string, caughtAs: RegExp, broken: LeaseBreak): BrokenProgram => ({
  name,
  caughtAs,
  form: (stage) => leaseForm(stage, broken),
})

const inChain = (name: string, caughtAs: RegExp, broken: ChainBreak): BrokenProgram => ({
  name,
  caughtAs,
  form: (stage) => leaseForm(stage),
  broken,
})

/** Fails like any call, which the retry policy does not tell from others. */
const throwingBreaker = (breaker: Breaker): Middleware => ({
  name: 'throwing breaker',
  phase: 'guard',
  wrap: (next) => async (message, context) =>
    message.type === 'pay' ? breaker.execute(async () => next(message, context)) : next(message, context),
})

/** Releases are seen as acks. */
const blindMetrics = ({ use }: Metrics): Middleware => ({
  ...use,
  wrap(next, runtime) {
    const settlements = new WeakMap<Message, Settlement>()
    const watched = use.wrap(async (message, context) => {
      const settlement = await next(message, context)
      settlements.set(message, settlement)
      return settlement.verb === 'release' ? ackWith(undefined) : settlement
    }, runtime)
    return async (message, context) => {
      const seen = await watched(message, context)
      return settlements.get(message) ?? seen
    }
  },
})

export const brokenLeasePrograms: readonly BrokenProgram[] = [
  inForm('marks before the work', /: lost$/, { once: naiveOnce({ marksBeforeTheWork: true }) }),
  inForm('acks what is in progress elsewhere', /: lost$/, {
    once: naiveOnce({ acksWhatIsInProgress: true }),
  }),
  inForm('forgets what is done', /^twice: \d effects/, { once: naiveOnce({ forgetsWhatIsDone: true }) }),
  inForm('spends attempts when there is no store', /attempts spent by/, {
    once: naiveOnce({ spendsAttemptsWithoutStore: true }),
  }),
  inForm('tries the record of an effect only once', /2 effects, with 0 faults/, { once: naiveOnce({}) }),
  inForm('asks for no fence', /whose claim was taken over wrote/, { unfenced: true }),
  inForm('gives everybody the same fence', /fences given out twice/, { fenceOf: () => 1 }),
  inChain('spends attempts while a breaker is open', /attempts spent by/, { guard: throwingBreaker }),
  inChain('counts what is released as handled', /^worker-\d: metrics say/, { observe: blindMetrics }),
]
