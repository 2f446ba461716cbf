import type { StoreHarness, StoreUnderTest } from '@posthorn/conformance'
import type { Store } from '@posthorn/store'
import { memoryStore } from '@posthorn/store/memory'

/** A memory store on a clock that the suite turns. `change` makes a variant of each store that is opened. */
export function memoryStoreSubject(
  change: (store: Store<unknown>) => Store<unknown> = (store) => store,
): StoreUnderTest<unknown> {
  return {
    name: 'memory',
    async create(): Promise<StoreHarness<unknown>> {
      let time = Date.UTC(2026, 10, 24)
      const store = memoryStore({ now: () => time })
      return {
        open: async () => change(store),
        pass: async (durationMs) => {
          time += durationMs
        },
        close: async () => undefined,
      }
    },
  }
}
