import type { Claims, Outbox, Records, Store, StoreOperations } from '@posthorn/store'

/** Makes a broken store of one that works; called for each store of a harness. */
export type Change = (store: Store<unknown>) => Store<unknown>

/** A store that breaks a promise, and the behaviours that must notice. */
export interface StoreMutant {
  readonly name: string
  /** Each of them has to fail. */
  readonly caughtBy: readonly string[]
  /** Made anew for each database, for what its stores share. */
  create(): Change
}

type Twist<Part> = (part: Part, store: Store<unknown>) => Partial<Part>

/** Changes the parts of what does the work. */
function twist(
  store: StoreOperations,
  parts: { claims?: Partial<Claims>; records?: Partial<Records>; outbox?: Partial<Outbox> },
): StoreOperations {
  return {
    claims: { ...store.claims, ...parts.claims },
    records: { ...store.records, ...parts.records },
    outbox: { ...store.outbox, ...parts.outbox },
  }
}

type Maker = <Part extends keyof StoreOperations>(
  part: Part,
) => (name: string, caughtBy: readonly string[], create: () => Twist<StoreOperations[Part]>) => StoreMutant

const maker: Maker = (part) => (name, caughtBy, create) => ({
  name,
  caughtBy,
  create: () => {
    const change = create()
    return (store) => ({ ...store, ...twist(store, { [part]: change(store[part], store) }) })
  },
})

export const claimsMutant = maker('claims')
export const recordsMutant = maker('records')
export const outboxMutant = maker('outbox')
