import type { ErrorPhase } from '@posthorn/transport'
import type { BreakerSettings } from './breaker-options.ts'
import type { BreakerState } from './breaker-state.ts'
import { CircuitOpenError } from './circuit-open-error.ts'

/** Milliseconds after which what was refused while trial calls run, or lets others be tried first, may come again. */
export const afterProbesMs = 1_000

/** Why a call was not let in. */
export function refusalOf(
  state: BreakerState,
  settings: BreakerSettings,
  phase: ErrorPhase,
): CircuitOpenError {
  const why = {
    closed: 'closed',
    open: `open (${state.reason})`,
    'half-open': 'half-open, and its trial calls have begun',
    isolated: 'isolated by hand',
  }[state.name]
  const known = state.name === 'isolated' ? undefined : waitMs(state, settings)
  return new CircuitOpenError(settings.name, why, known, phase)
}

/** Milliseconds after which it is worth to try again. */
export function waitMs(state: BreakerState, { clock, resetMs }: BreakerSettings): number {
  if (state.name === 'open') return Math.max(0, (state.retryAt ?? 0) - clock.now())
  return state.name === 'isolated' ? resetMs : afterProbesMs
}
