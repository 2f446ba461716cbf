/** One figure that a scenario is to reach. */
export interface Goal {
  readonly name: string
  readonly measured: number
  readonly wanted: number
  /** Of both numbers. */
  readonly unit: string
  /** `atLeast`: more is better. */
  readonly kind: 'atLeast' | 'atMost'
}

export function isReached(goal: Goal): boolean {
  return goal.kind === 'atLeast' ? goal.measured >= goal.wanted : goal.measured <= goal.wanted
}

/** `<goal> <measured> <wanted> ok|short`, the last lines of every run. */
export function goalLine(goal: Goal): string {
  const sign = goal.kind === 'atLeast' ? '>=' : '<='
  const shown = `${format(goal.measured)}${goal.unit} ${sign}${format(goal.wanted)}${goal.unit}`
  return `${goal.name} ${shown} ${isReached(goal) ? 'ok' : 'short'}`
}

function format(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(2)
}
