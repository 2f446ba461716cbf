import { CannotBeBroken, NotShown, type Behaviour } from './behaviour.ts'
import { runOnBench, type Bench } from './bench/bench.ts'
import { askFor, canBeAskedFor } from './features/asking.ts'
import type { TransportHarness, TransportUnderTest } from './harness.ts'

/**
 * What became of a behaviour. `refused`: a feature that it needs is unsupported, and asking for it was refused as it has
 * to be. `declared`: it is unsupported and nobody can ask for it, and the capability names the alternative; or what the
 * behaviour is about cannot happen on this broker.
 */
export type Outcome =
  | { readonly result: 'shown' }
  | { readonly result: 'refused' | 'declared' | 'not shown'; readonly reason: string }
  | { readonly result: 'failed'; readonly reason: string; readonly error: unknown }

/** Runs a behaviour on a harness of its own. Never rejects. */
export async function runBehaviour<Harness extends TransportHarness>(
  subject: TransportUnderTest<Harness>,
  behaviour: Behaviour,
): Promise<Outcome> {
  try {
    return await runOnBench(subject, (bench) => attempt(bench, behaviour))
  } catch (error) {
    return failed(error)
  }
}

async function attempt(bench: Bench, behaviour: Behaviour): Promise<Outcome> {
  const { features = [], faults: needed = [] } = behaviour.needs ?? {}
  try {
    if (features.length > 0) {
      const transport = await bench.open()
      const unsupported = features.filter((feature) => !bench.has(feature))
      for (const feature of unsupported) {
        if (!canBeAskedFor(feature)) {
          return { result: 'declared', reason: `"${feature}" is unsupported: ${alternative(bench, feature)}` }
        }
        await askFor(bench, transport, feature)
      }
      if (unsupported.length > 0)
        return { result: 'refused', reason: `"${unsupported.join('", "')}" is unsupported` }
    }
    // Asking for one that is not offered says why.
    for (const name of needed) void bench.faults[name]
  } catch (error) {
    if (error instanceof CannotBeBroken) return { result: 'declared', reason: error.message }
    return notShown(error)
  }
  try {
    await behaviour.run(bench)
    return { result: 'shown' }
  } catch (error) {
    return notShown(error)
  }
}

function alternative(bench: Bench, feature: keyof Bench['capabilities']['features']): string {
  const named = bench.capabilities.features[feature].alternative
  if (named === undefined || named === '')
    throw new Error(`"${feature}" is unsupported, and the capability names no alternative.`)
  return named
}

function notShown(error: unknown): Outcome {
  return error instanceof NotShown ? { result: 'not shown', reason: error.message } : failed(error)
}

function failed(error: unknown): Outcome {
  const reason = error instanceof Error ? error.message : String(error)
  return { result: 'failed', reason, error }
}
