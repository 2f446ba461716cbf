import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ClaimAnswer, ClaimRequest, Store } from '@posthorn/store'
import type { StoreBench } from '../store-bench.ts'
import { ClaimsModel, type WantedAnswer } from './claims-model.ts'

/** One step of a program; `process` says which of the two takes it. */
export type ClaimsCommand =
  | {
      readonly name: 'claim'
      readonly process: number
      readonly requests: readonly Omit<ClaimRequest, 'owner'>[]
    }
  | { readonly name: HeldName; readonly process: number; readonly holders: readonly Holder[] }
  | { readonly name: 'pass'; readonly durationMs: number }
  | { readonly name: 'sweep'; readonly process: number }

interface Holder {
  readonly key: string
  /** Which of the fences that were given for the key so far, the last one first. */
  readonly which: number
  readonly length: number
  readonly result: string | undefined
}

// Leases and retentions end halfway between the times that are looked at, so that the real time which a database takes for
// a program, seconds at most, decides nothing.
const steps = [20_000, 20_000, 60_000, 86_400_000]
const lengths = [10_000, 50_000]
const toleranceMs = 10_000

const key = fc.constantFrom('a', 'b', 'c')
const which = fc.oneof({ arbitrary: fc.constant(0), weight: 3 }, { arbitrary: fc.nat({ max: 2 }), weight: 1 })
const length = fc.constantFrom(...lengths)
const process = fc.nat({ max: 1 })
const payloadHash = fc.constantFrom(undefined, 'p', 'q')

const claimCommand = fc.record({
  name: fc.constant('claim' as const),
  process,
  requests: fc.array(fc.record({ key, leaseMs: length, payloadHash }), { minLength: 1, maxLength: 4 }),
})
const heldCommand = fc.record({
  name: fc.constantFrom('renew' as const, 'complete' as const, 'release' as const),
  process,
  holders: fc.array(fc.record({ key, which, length, result: fc.constantFrom(undefined, '', 'r') }), {
    minLength: 1,
    maxLength: 3,
  }),
})
const passCommand = fc.record({ name: fc.constant('pass' as const), durationMs: fc.constantFrom(...steps) })
const sweepCommand = fc.record({ name: fc.constant('sweep' as const), process })

const commands: fc.Arbitrary<ClaimsCommand> = fc.oneof(
  { arbitrary: claimCommand, weight: 5 },
  { arbitrary: heldCommand, weight: 5 },
  { arbitrary: passCommand, weight: 3 },
  { arbitrary: sweepCommand, weight: 1 },
)

export const claimsPrograms: fc.Arbitrary<readonly ClaimsCommand[]> = fc.array(commands, {
  minLength: 1,
  maxLength: 25,
  size: 'max',
})

/** Runs a program on two processes' stores, comparing each answer with the model's. `run` keeps its keys apart from others'. */
export async function runClaimsProgram(
  bench: StoreBench,
  stores: readonly Store<unknown>[],
  run: string,
  program: readonly ClaimsCommand[],
): Promise<void> {
  const model = new ClaimsModel()
  const given = new Map<string, number[]>()

  for (const command of program) {
    if (command.name === 'pass') {
      await bench.pass(command.durationMs)
      model.now += command.durationMs
      continue
    }
    const store = stores[command.process]!
    if (command.name === 'sweep') {
      await store.sweep({ limit: 10 })
    } else if (command.name === 'claim') {
      const requests = command.requests.map((request) => ({
        ...request,
        key: `${run}-${request.key}`,
        owner: `process ${command.process}`,
      }))
      const answers = await store.claims.claim(requests)
      assert.equal(answers.length, requests.length)
      for (const [index, request] of requests.entries()) compareClaim(request, answers[index]!)
    } else {
      const held = command.holders.map((holder) => {
        const name = `${run}-${holder.key}`
        return { ...holder, key: name, fence: given.get(name)?.at(-1 - holder.which) ?? 1 }
      })
      assert.deepEqual(
        await act(store, command.name, held),
        held.map((one) => wanted(command.name, one)),
      )
    }
  }

  function compareClaim(request: ClaimRequest, answer: ClaimAnswer): void {
    const expected = model.claim(request)
    if (expected.status !== 'claimed' || answer.status !== 'claimed') return sameAnswer(answer, expected)
    assert.ok(answer.fence > expected.above, `Fence ${answer.fence} follows ${expected.above}`)
    model.grant(request, answer.fence)
    given.set(request.key, [...(given.get(request.key) ?? []), answer.fence])
  }

  function wanted(name: HeldName, { key: name_, fence, length: ms, result }: Held): string {
    if (name === 'renew') return model.renew(name_, fence, ms)
    return name === 'complete' ? model.complete(name_, fence, result, ms) : model.release(name_, fence)
  }
}

type HeldName = 'renew' | 'complete' | 'release'

interface Held {
  readonly key: string
  readonly fence: number
  readonly length: number
  readonly result: string | undefined
}

async function act(store: Store<unknown>, name: HeldName, held: readonly Held[]): Promise<readonly string[]> {
  if (name === 'renew')
    return store.claims.renew(
      held.map(({ key: name_, fence, length: leaseMs }) => ({ key: name_, fence, leaseMs })),
    )
  if (name === 'release')
    return store.claims.release(held.map(({ key: name_, fence }) => ({ key: name_, fence })))
  return store.claims.complete(
    held.map(({ key: name_, fence, result, length: retentionMs }) => ({
      key: name_,
      fence,
      result,
      retentionMs,
    })),
  )
}

function sameAnswer(answer: ClaimAnswer, expected: WantedAnswer): void {
  if (answer.status !== 'inProgress' || expected.status !== 'inProgress') {
    assert.deepEqual(answer, expected)
    return
  }
  assert.equal(answer.owner, expected.owner)
  const early = expected.remainingMs - answer.remainingMs
  assert.ok(early >= 0 && early < toleranceMs, `${answer.remainingMs} ms of ${expected.remainingMs} remain`)
}
