import type { PutAnswer, RecordWrite, StoredRecord } from '@posthorn/store'
import { recordsMutant, type StoreMutant } from './store-mutant.ts'

/** Changes each write on its way to the database. */
const writing = (
  name: string,
  caughtBy: readonly string[],
  change: (write: RecordWrite, known: StoredRecord | undefined) => RecordWrite,
): StoreMutant =>
  recordsMutant(name, caughtBy, () => (records) => ({
    async put(writes) {
      const known = await records.get(writes.map(({ collection, key }) => ({ collection, key })))
      return records.put(writes.map((write, index) => change(write, known[index])))
    },
  }))

export const recordsMutants: readonly StoreMutant[] = [
  recordsMutant('lets the last write win', ['r2', 'r3'], () => (records) => ({
    async put(writes) {
      const answers: PutAnswer[] = []
      for (const write of writes) {
        for (let answer: PutAnswer | undefined; answer?.status !== 'stored';) {
          const [known] = await records.get([{ collection: write.collection, key: write.key }])
          ;[answer] = await records.put([{ ...write, expectedVersion: known?.version ?? 0 }])
          if (answer?.status === 'stored') answers.push(answer)
        }
      }
      return answers
    },
  })),
  writing('creates what is there', ['r1'], (write, known) => ({
    ...write,
    expectedVersion: write.expectedVersion === 0 ? (known?.version ?? 0) : write.expectedVersion,
  })),
  writing('creates what a write expects to be there', ['r2', 'r4'], (write, known) => ({
    ...write,
    expectedVersion: known === undefined ? 0 : write.expectedVersion,
  })),
  writing('never lets a record expire', ['r4'], (write) => ({ ...write, expiresInMs: undefined })),
  writing('keeps the index that a write leaves out', ['r2'], (write, known) => ({
    ...write,
    index: write.index ?? known?.index,
  })),
  writing('is due too soon', ['d1'], (write) => ({
    ...write,
    due: write.due !== undefined && 'inMs' in write.due ? { inMs: write.due.inMs / 10 } : write.due,
  })),
  writing('forgets absolute due times', ['d4'], (write) => ({
    ...write,
    due: write.due !== undefined && 'at' in write.due ? undefined : write.due,
  })),
  recordsMutant('counts the versions of each record from one', ['r4'], () => {
    const counts = new Map<string, number>()
    return (records) => ({
      async put(writes) {
        const known = await records.get(writes.map(({ collection, key }) => ({ collection, key })))
        const answers = await records.put(
          writes.map((write, index) => {
            const current = known[index] === undefined ? 0 : (counts.get(write.key) ?? 0)
            const expectedVersion = write.expectedVersion === current ? (known[index]?.version ?? 0) : 9e9
            return { ...write, expectedVersion }
          }),
        )
        return answers.map((answer, index) => {
          if (answer.status === 'conflict') return answer
          const { key, expectedVersion } = writes[index]!
          counts.set(key, expectedVersion + 1)
          return { ...answer, version: expectedVersion + 1 }
        })
      },
      async get(ids) {
        const found = await records.get(ids)
        return found.map((record) => record && { ...record, version: counts.get(record.key) ?? 0 })
      },
    })
  }),
  recordsMutant('sends what a conflict would have sent', ['r5'], () => (records, store) => ({
    async put(writes) {
      for (const { outbox = [] } of writes) await store.outbox.append(outbox)
      return records.put(writes)
    },
  })),
  recordsMutant('forgets the messages of a write', ['r5'], () => (records) => ({
    put: async (writes) => records.put(writes.map((write) => ({ ...write, outbox: undefined }))),
  })),
  recordsMutant('lists all for an index', ['r6'], () => (records) => ({
    list: async (query) => records.list({ ...query, index: undefined }),
  })),
  recordsMutant('begins a page with the last of the one before', ['r6'], () => (records) => ({
    async list(query) {
      const { collection, after } = query
      const page = await records.list(query)
      if (after === undefined) return page
      const last = (await records.list({ collection, limit: 1_000 })).filter(({ key }) => key === after)
      return [...last, ...page].slice(0, query.limit)
    },
  })),
  recordsMutant('lists without order', ['r6'], () => (records) => ({
    list: async (query) => (await records.list(query)).toReversed(),
  })),
  recordsMutant('lists all collections as one', ['r4', 'r6'], () => {
    const others = new Set<string>()
    return (records) => ({
      async put(writes) {
        for (const { collection } of writes) others.add(collection)
        return records.put(writes)
      },
      async list(query) {
        const pages = await Promise.all(
          [...others].map(async (collection) => records.list({ ...query, collection })),
        )
        return [...pages.flat(), { ...({} as StoredRecord), key: 'another' }].slice(0, query.limit)
      },
    })
  }),
  recordsMutant('gives due records to everybody', ['d1', 'd2', 'd3'], () => {
    const taken: StoredRecord[] = []
    return (records) => ({
      async takeDue(query) {
        taken.push(...(await records.takeDue(query)))
        return taken.filter(({ collection }) => collection === query.collection).slice(-query.limit)
      },
    })
  }),
  recordsMutant('never gives a due record again', ['d2'], () => (records) => ({
    takeDue: async (query) => records.takeDue({ ...query, leaseMs: 3_000_000_000 }),
  })),
  recordsMutant('gives the latest first', ['d1'], () => (records) => ({
    async takeDue(query) {
      const all = await records.takeDue({ ...query, limit: 1_000 })
      return all.toReversed().slice(0, query.limit)
    },
  })),
]
