import { outboxMutant, type StoreMutant } from './store-mutant.ts'

export const outboxMutants: readonly StoreMutant[] = [
  outboxMutant('removes a message when it is claimed', ['o3', 'o4', 'o5', 'm2'], () => (outbox) => ({
    async claim(query) {
      const batch = await outbox.claim(query)
      await outbox.sent(batch.messages.map(({ id }) => id))
      return batch
    },
  })),
  outboxMutant('gives a message to two relays', ['o1', 'o2', 'k1', 'm2'], () => (outbox) => ({
    async claim(query) {
      const batch = await outbox.claim(query)
      await outbox.release({ fence: batch.fence, ids: batch.messages.map(({ id }) => id) })
      return batch
    },
  })),
  outboxMutant('keeps what a dead relay has', ['o3', 'm2'], () => (outbox) => ({
    claim: async (query) => outbox.claim({ ...query, leaseMs: 3_000_000_000 }),
  })),
  outboxMutant('lets the lease end too soon', ['o3', 'm2'], () => (outbox) => ({
    claim: async (query) => outbox.claim({ ...query, leaseMs: query.leaseMs / 10 }),
  })),
  outboxMutant('gives more than was asked for', ['o1', 'k1', 'm2'], () => (outbox) => ({
    claim: async (query) => outbox.claim({ ...query, limit: query.limit + 1 }),
  })),
  outboxMutant('gives the newest first', ['o1', 'o3', 'k1', 'm2'], () => (outbox) => ({
    async claim(query) {
      const { fence, messages } = await outbox.claim(query)
      return { fence, messages: messages.toReversed() }
    },
  })),
  outboxMutant('does not count claims', ['o3', 'm2'], () => (outbox) => ({
    async claim(query) {
      const { fence, messages } = await outbox.claim(query)
      return { fence, messages: messages.map((message) => ({ ...message, claims: 1 })) }
    },
  })),
  outboxMutant('does not remove what was sent by a relay whose lease ran out', ['o4', 'm2'], () => {
    const holders = new Map<string, symbol>()
    return (outbox) => {
      const relay = Symbol('relay')
      return {
        async claim(query) {
          const batch = await outbox.claim(query)
          for (const { id } of batch.messages) holders.set(id, relay)
          return batch
        },
        async sent(ids) {
          await outbox.sent(ids.filter((id) => holders.get(id) === relay))
        },
      }
    }
  }),
  outboxMutant('lets a former relay release', ['o6'], () => {
    const fences = new Map<string, number>()
    return (outbox) => ({
      async claim(query) {
        const batch = await outbox.claim(query)
        for (const { id } of batch.messages) fences.set(id, batch.fence)
        return batch
      },
      async release({ ids, fence, ...rest }) {
        for (const id of ids) await outbox.release({ ...rest, ids: [id], fence: fences.get(id) ?? fence })
      },
    })
  }),
  outboxMutant('releases without the delay', ['o5', 'k3', 'm2'], () => (outbox) => ({
    release: async ({ fence, ids }) => outbox.release({ fence, ids }),
  })),
  outboxMutant('does not take back what could not be sent', ['o5', 'k3', 'm2'], () => () => ({
    release: async () => undefined,
  })),
  outboxMutant('knows no order by key', ['k1', 'k2', 'k3', 'k4', 'k5', 'm2'], () => {
    const keys = new Map<string, string | undefined>()
    return (outbox) => ({
      async append(messages) {
        for (const { id, key } of messages) keys.set(id, key)
        await outbox.append(messages.map(({ id, body }) => ({ id, body })))
      },
      async claim(query) {
        const { fence, messages } = await outbox.claim(query)
        return { fence, messages: messages.map((message) => ({ ...message, key: keys.get(message.id) })) }
      },
    })
  }),
  outboxMutant('gives the messages of a key one by one', ['o3', 'k3', 'm2'], () => (outbox) => ({
    async claim(query) {
      const { fence, messages } = await outbox.claim(query)
      const first = messages.filter(
        ({ key }, index) => key === undefined || messages.findIndex((one) => one.key === key) === index,
      )
      const others = messages.filter((message) => !first.includes(message)).map(({ id }) => id)
      await outbox.release({ fence, ids: others })
      return { fence, messages: first }
    },
  })),
  outboxMutant('appends an id that waits once more', ['o7'], () => {
    let count = 0
    return (outbox) => ({
      async append(messages) {
        for (const message of messages) {
          const { waiting } = await outbox.depth()
          await outbox.append([message])
          if ((await outbox.depth()).waiting > waiting) continue
          count += 1
          await outbox.append([{ ...message, id: `${message.id}#${count}` }])
        }
      },
    })
  }),
  outboxMutant('replaces a message that waits', ['o7'], () => (outbox) => ({
    async append(messages) {
      await outbox.sent(messages.map(({ id }) => id))
      await outbox.append(messages)
    },
  })),
  outboxMutant('counts only what nobody has', ['o8'], () => {
    let had = 0
    return (outbox) => ({
      async claim(query) {
        const batch = await outbox.claim(query)
        had += batch.messages.length
        return batch
      },
      async depth() {
        const { waiting, oldestMs } = await outbox.depth()
        return { waiting: waiting - had, oldestMs }
      },
    })
  }),
  outboxMutant('tells the age of the newest', ['o8'], () => (outbox) => ({
    depth: async () => ({ waiting: (await outbox.depth()).waiting, oldestMs: 0 }),
  })),
  outboxMutant('looks at the oldest only', ['k6'], () => {
    const waiting = new Set<string>()
    return (outbox) => ({
      async append(messages) {
        for (const { id } of messages) waiting.add(id)
        await outbox.append(messages)
      },
      async claim(query) {
        const { fence, messages } = await outbox.claim(query)
        const oldest = [...waiting].slice(0, 100)
        const later = messages.map(({ id }) => id).filter((id) => !oldest.includes(id))
        await outbox.release({ fence, ids: later })
        return { fence, messages: messages.filter(({ id }) => !later.includes(id)) }
      },
      async sent(ids) {
        for (const id of ids) waiting.delete(id)
        await outbox.sent(ids)
      },
    })
  }),
]
