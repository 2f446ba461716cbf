import type { Store } from '@posthorn/store'
import type { StoreMutant } from './store-mutant.ts'

const mutant = (
  name: string,
  caughtBy: readonly string[],
  change: (store: Store<unknown>) => Partial<Store<unknown>>,
): StoreMutant => ({
  name,
  caughtBy,
  create: () => (store) => ({ ...store, ...change(store) }),
})

/** Made of a store that has no transactions. */
export const plainStoreMutants: readonly StoreMutant[] = [
  mutant('takes a transaction that it cannot join', ['t1'], (store) => ({ in: () => store })),
  mutant('refuses transactions without a word on what to do', ['t1'], () => ({
    in() {
      throw new Error('no')
    },
  })),
  mutant('tells no time', ['d2', 'd4', 'h3'], () => ({ now: async () => 0 })),
  mutant('sweeps more than was asked for', ['h2'], (store) => ({
    sweep: async () => store.sweep({ limit: 1_000 }),
  })),
  mutant('sweeps nothing', ['h2'], () => ({ sweep: async () => 0 })),
  mutant('migrates once', ['h1'], () => {
    let done = false
    return {
      async migrate() {
        if (done) throw new Error('it is there already')
        done = true
      },
    }
  }),
]

/** Made of a store whose transactions are on connections of their own. */
export const transactionMutants: readonly StoreMutant[] = [
  mutant('writes outside of the transaction', ['t2', 't4', 't5'], (store) => ({ in: () => store })),
  mutant('writes its outbox outside of the transaction', ['t2', 't8'], (store) => ({
    in: (transaction) => ({ ...store.in(transaction), outbox: store.outbox }),
  })),
  mutant('writes its records outside of the transaction', ['t2'], (store) => ({
    in: (transaction) => ({ ...store.in(transaction), records: store.records }),
  })),
  mutant('tells every owner in a transaction that it has completed', ['t6'], (store) => ({
    in(transaction) {
      const inside = store.in(transaction)
      const complete: typeof inside.claims.complete = async (requests) => {
        await inside.claims.complete(requests)
        return requests.map(() => 'completed')
      }
      return { ...inside, claims: { ...inside.claims, complete } }
    },
  })),
  mutant('forgets what it does in a transaction', ['t1', 't3'], (store) => ({
    in(transaction) {
      const inside = store.in(transaction)
      const complete: typeof inside.claims.complete = async (requests) => requests.map(() => 'completed')
      return { ...inside, claims: { ...inside.claims, complete } }
    },
  })),
]
