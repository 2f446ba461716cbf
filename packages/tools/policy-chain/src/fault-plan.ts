/** Where a program waits for something that can fail. */
export type Area = 'handler' | 'store' | 'broker' | 'sending'

export type FaultKind =
  | 'throw'
  | 'throw for good'
  | 'refuse'
  | 'lose the answer'
  | 'hang'
  | 'freeze'
  | 'cut'
  | 'kill before'
  | 'kill after'
  | 'drop leases'
  | 'duplicate'

const anywhere = ['hang', 'freeze', 'cut', 'kill before', 'kill after', 'drop leases', 'duplicate'] as const

/** What can happen at a step, by its area. */
export const kindsOf: Readonly<Record<Area, readonly FaultKind[]>> = {
  handler: ['throw', 'throw for good', ...anywhere],
  store: ['refuse', 'lose the answer', ...anywhere],
  broker: ['refuse', 'lose the answer', ...anywhere],
  sending: ['refuse', 'lose the answer', 'hang'],
}

export interface Step {
  readonly process: string
  readonly area: Area
  readonly name: string
}

/** A fault at the n-th step of a run, from 0: the kind of that number among those of its area, which wraps around. */
export interface PlannedFault {
  readonly step: number
  readonly kind: number
}

export interface AppliedFault extends Step {
  readonly kind: FaultKind
  readonly at: number
}

/** Counts the steps of one run, and says which of them fail. */
export class FaultPlan {
  readonly steps: Step[] = []
  readonly applied: AppliedFault[] = []
  private readonly planned: ReadonlyMap<number, number>

  constructor(faults: readonly PlannedFault[]) {
    this.planned = new Map(faults.map(({ step, kind }) => [step, kind]))
  }

  arrive(step: Step): FaultKind | undefined {
    const at = this.steps.length
    this.steps.push(step)
    const planned = this.planned.get(at)
    if (planned === undefined) return undefined
    const kinds = kindsOf[step.area]
    const kind = kinds[planned % kinds.length] as FaultKind
    this.applied.push({ ...step, kind, at })
    return kind
  }
}
