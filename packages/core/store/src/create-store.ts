import { requestRules as rules } from './checks/request-rules.ts'
import type { Store, StoreOperations } from './contract/store.ts'

type StoreParts<Transaction> = Omit<Store<Transaction>, 'specificationVersion'>

/** Puts the checks before what a database does: it gets no request that cannot work, and no empty batch. */
export function createStore<Transaction>(parts: StoreParts<Transaction>): Store<Transaction> {
  return {
    ...withChecks(parts),
    specificationVersion: 'v1',
    name: parts.name,
    capabilities: parts.capabilities,
    in: (transaction) => withChecks(parts.in(transaction)),
    now: async () => parts.now(),
    migrate: async () => parts.migrate(),
    async sweep(options) {
      rules.sweep(options, { step: 'sweep()' })
      return parts.sweep(options)
    },
  }
}

function withChecks({ claims, records, outbox }: StoreOperations): StoreOperations {
  return {
    claims: {
      async claim(requests) {
        rules.claim(requests, { step: 'claim()' })
        return requests.length === 0 ? [] : claims.claim(requests)
      },
      async renew(requests) {
        rules.renew(requests, { step: 'renew()' })
        return requests.length === 0 ? [] : claims.renew(requests)
      },
      async complete(requests) {
        rules.complete(requests, { step: 'complete()' })
        return requests.length === 0 ? [] : claims.complete(requests)
      },
      async release(requests) {
        rules.release(requests, { step: 'release()' })
        return requests.length === 0 ? [] : claims.release(requests)
      },
    },
    records: {
      async get(ids) {
        rules.get(ids, { step: 'get()' })
        return ids.length === 0 ? [] : records.get(ids)
      },
      async put(writes) {
        rules.put(writes, { step: 'put()' })
        return writes.length === 0 ? [] : records.put(writes)
      },
      async list(query) {
        rules.list(query, { step: 'list()' })
        return records.list(query)
      },
      async takeDue(query) {
        rules.takeDue(query, { step: 'takeDue()' })
        return records.takeDue(query)
      },
    },
    outbox: {
      async append(messages) {
        rules.append(messages, { step: 'append()' })
        if (messages.length > 0) await outbox.append(messages)
      },
      async claim(query) {
        rules.claimMessages(query, { step: 'claim()' })
        return outbox.claim(query)
      },
      async sent(ids) {
        rules.sent(ids, { step: 'sent()' })
        if (ids.length > 0) await outbox.sent(ids)
      },
      async release(request) {
        rules.releaseMessages(request, { step: 'release()' })
        if (request.ids.length > 0) await outbox.release(request)
      },
      depth: async () => outbox.depth(),
    },
  }
}
