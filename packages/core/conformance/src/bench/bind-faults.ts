import { CannotBeBroken, NotShown } from '../behaviour.ts'
import {
  faultsSomeLack,
  type CannotHappen,
  type FaultName,
  type Faults,
  type TransportHarness,
} from '../harness.ts'

/** The faults of a harness, bound to it. Reading one that is not offered throws `NotShown` or `CannotBeBroken`. */
export type BoundFaults = {
  readonly [Name in FaultName]: Exclude<Faults[Name], string | CannotHappen | undefined> extends (
    harness: TransportHarness,
    ...rest: infer Rest
  ) => unknown
    ? (...rest: Rest) => Promise<void>
    : never
}

export function bindFaults<Harness extends TransportHarness>(
  harness: Harness,
  faults: Faults<Harness>,
): BoundFaults {
  return new Proxy({} as BoundFaults, {
    get(_, property) {
      const name = property as FaultName
      const fault: unknown = faults[name]
      if (typeof fault === 'function') {
        return async (...rest: readonly unknown[]): Promise<void> => {
          await (fault as (...args: readonly unknown[]) => unknown)(harness, ...rest)
        }
      }
      if (typeof fault === 'string') throw new NotShown(fault)
      if (fault === undefined) throw new NotShown(`the harness offers no fault "${name}"`)
      throw new CannotBeBroken(whyNot(name, fault))
    },
  })
}

export function offeredFaults(faults: object): ReadonlySet<FaultName> {
  const offered = Object.entries(faults).filter(([, fault]) => typeof fault === 'function')
  return new Set(offered.map(([name]) => name as FaultName))
}

/** Whether the harness says that this never happens on its broker. */
export function isLacking(faults: Faults, name: FaultName): boolean {
  return typeof faults[name] === 'object'
}

/** No broker is excused from what can befall any of them. */
function whyNot(name: FaultName, fault: unknown): string {
  const reason: unknown = (fault as Partial<CannotHappen> | null)?.cannotHappen
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new Error(`The fault "${name}" is neither a function nor a text nor { cannotHappen: 'why' }.`)
  if (!(faultsSomeLack as readonly FaultName[]).includes(name))
    throw new Error(
      `The harness says that "${name}" cannot happen (${reason}), but it can befall any broker: offer the fault, or say in a text why the harness has none.`,
    )
  return reason
}
