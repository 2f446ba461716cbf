import type { Store, StoreOperations } from '@posthorn/store'
import type { ChainProcess } from './chain-process.ts'
import { storeIsAway } from './planned-errors.ts'
import type { Stage } from './stage.ts'

/** A store as one process has it, each of whose calls is a step that can fail. */
export function faultyStore<Transaction>(
  stage: Stage,
  process: ChainProcess,
  store: Store<Transaction>,
): Store<Transaction> {
  return {
    ...faultyOperations(stage, process, store, ''),
    specificationVersion: store.specificationVersion,
    name: store.name,
    capabilities: store.capabilities,
    in: (transaction) => faultyOperations(stage, process, store.in(transaction), 'in a transaction: '),
    now: () =>
      stage.wait({ process, area: 'store', name: 'now', act: () => store.now(), refuse: storeIsAway }),
    migrate: () => store.migrate(),
    sweep: (options) => store.sweep(options),
  }
}

function faultyOperations(
  stage: Stage,
  process: ChainProcess,
  { claims, records, outbox }: StoreOperations,
  where: string,
): StoreOperations {
  const faulty =
    <Given, Answer>(name: string, call: (given: Given) => Promise<Answer>) =>
    (given: Given): Promise<Answer> =>
      stage.wait({
        process,
        area: 'store',
        name: where + name,
        id: idOf(given),
        act: () => call(given),
        refuse: storeIsAway,
      })
  return {
    records,
    claims: {
      claim: faulty('claim', (requests) => claims.claim(requests)),
      renew: faulty('renew', (requests) => claims.renew(requests)),
      complete: faulty('complete', (requests) => claims.complete(requests)),
      release: faulty('release', (requests) => claims.release(requests)),
    },
    outbox: {
      append: faulty('append to the outbox', (messages) => outbox.append(messages)),
      claim: faulty('claim of the outbox', (query) => outbox.claim(query)),
      sent: faulty('sent in the outbox', (ids) => outbox.sent(ids)),
      release: faulty('release in the outbox', (request) => outbox.release(request)),
      depth: () => outbox.depth(),
    },
  }
}

/** Of the task that a key of `<queue>/<id>` is for. */
function idOf(given: unknown): string | undefined {
  const first: unknown = Array.isArray(given) ? given[0] : undefined
  const key = (first as { readonly key?: unknown } | undefined)?.key
  return typeof key === 'string' ? key.split('/')[1] : undefined
}
