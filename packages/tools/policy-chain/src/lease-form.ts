import { fenceOf, idempotency, type IdempotencyOptions } from '@posthorn/idempotency'
import { memoryStore } from '@posthorn/store/memory'
import type { Context, Middleware } from '@posthorn/transport'
import { FencedEffects } from './fenced-effects.ts'
import { faultyStore } from './faulty-store.ts'
import { tasks, taskHandler } from './tasks.ts'
import type { FaultKind } from './fault-plan.ts'
import type { Form } from './form.ts'
import type { Stage } from './stage.ts'

/** What a broken variant does differently. */
export interface LeaseBreak {
  readonly once?: (options: IdempotencyOptions) => Middleware
  readonly fenceOf?: (context: Context) => number | undefined
  readonly unfenced?: boolean
}

/** What can part an effect from its record, so that it has to be repeated. */
const repeaters: ReadonlySet<FaultKind> = new Set([
  'throw',
  'throw for good',
  'freeze',
  'kill before',
  'kill after',
])

/** At least once: claims with leases, and an effect elsewhere that asks for the fence. */
export function leaseForm(stage: Stage, broken: LeaseBreak = {}): Form {
  const store = memoryStore({ now: () => stage.clock.now() })
  const effects = new FencedEffects(broken.unfenced !== true)
  const { once = idempotency, fenceOf: fence = fenceOf } = broken
  return {
    open(process) {
      const owner = `${process.name}, the ${process.generation}.`
      return {
        once: [once({ store: faultyStore(stage, process, store), leaseMs: 10_000, owner })],
        handler: taskHandler(stage, process, fence, ({ id }, context: Context) =>
          effects.write(id, fence(context) ?? 0),
        ),
      }
    },
    isQuiet: () => true,
    effects: (id) => effects.of(id).length,
    check({ journal, faults }) {
      const repeatsAtMost = faults.filter(({ kind }) => repeaters.has(kind)).length
      return tasks.flatMap(({ id }) => {
        const writes = effects.of(id)
        const fences = journal.calls.filter((call) => call.id === id).map((call) => call.fence ?? 0)
        return [
          ...(writes.length > 1 + repeatsAtMost
            ? [`${id}: ${writes.length} effects, with ${repeatsAtMost} faults that can repeat one`]
            : []),
          ...(isRising(writes) ? [] : [`${id}: an owner whose claim was taken over wrote: ${writes.join()}`]),
          // A frozen process may begin with what it has claimed long after another one.
          ...(new Set(fences).size === fences.length
            ? []
            : [`${id}: fences given out twice: ${fences.join()}`]),
        ]
      })
    },
    close: () => undefined,
  }
}

function isRising(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0))
}
