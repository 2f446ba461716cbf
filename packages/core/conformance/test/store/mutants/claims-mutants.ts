import type { ClaimAnswer, ClaimRequest, HeldClaim } from '@posthorn/store'
import { claimsMutant, type StoreMutant } from './store-mutant.ts'

/** Changes each request to claim on its way to the database. */
const claiming = (
  name: string,
  caughtBy: readonly string[],
  change: (request: ClaimRequest) => ClaimRequest,
): StoreMutant =>
  claimsMutant(name, caughtBy, () => (claims) => ({
    claim: async (requests) => claims.claim(requests.map(change)),
  }))

/** Changes each answer to a claim on its way back. */
const answering = (
  name: string,
  caughtBy: readonly string[],
  change: (answer: ClaimAnswer) => ClaimAnswer,
): StoreMutant =>
  claimsMutant(name, caughtBy, () => (claims) => ({
    claim: async (requests) => (await claims.claim(requests)).map(change),
  }))

/** Whoever asks, acts as the owner of now. */
function unfenced(part: 'renew' | 'complete' | 'release'): () => Parameters<typeof claimsMutant>[2] {
  return () => () => {
    const fences = new Map<string, number>()
    const current = <Request extends HeldClaim>(request: Request): Request => {
      return { ...request, fence: fences.get(request.key) ?? request.fence }
    }
    return (claims) => ({
      async claim(requests) {
        const answers = await claims.claim(requests)
        for (const [index, answer] of answers.entries())
          if (answer.status === 'claimed') fences.set(requests[index]!.key, answer.fence)
        return answers
      },
      ...(part === 'renew' && { renew: async (requests) => claims.renew(requests.map(current)) }),
      ...(part === 'complete' && { complete: async (requests) => claims.complete(requests.map(current)) }),
      ...(part === 'release' && { release: async (requests) => claims.release(requests.map(current)) }),
    })
  }
}

/** How far the client's clock is off. */
const skewMs = (): number => Math.round(Date.now() - performance.timeOrigin - performance.now())

export const claimsMutants: readonly StoreMutant[] = [
  answering('takes a claim in progress for done', ['c1', 'c3', 'm1'], (answer) =>
    answer.status === 'inProgress' ? { status: 'done', result: undefined } : answer,
  ),
  answering('gives a claim to two', ['c1', 'c2', 'b5', 'm1'], (answer) =>
    answer.status === 'inProgress' ? { status: 'claimed', fence: 1_000_000 } : answer,
  ),
  claiming('lets leases end too soon', ['c3', 'm1'], (request) => ({
    ...request,
    leaseMs: request.leaseMs / 10,
  })),
  claiming('keeps leases of the dead', ['c3', 'c4', 'm1'], (request) => ({
    ...request,
    leaseMs: request.leaseMs * 10,
  })),
  claiming("gives leases by the client's clock", ['c15'], (request) => ({
    ...request,
    leaseMs: Math.max(1, request.leaseMs + skewMs()),
  })),
  claiming('ignores the payload', ['c11', 'm1'], (request) => ({ ...request, payloadHash: undefined })),
  claiming('takes no payload for one of its own', ['c11', 'c12', 'm1'], (request) => ({
    ...request,
    payloadHash: request.payloadHash ?? 'none',
  })),
  claimsMutant('remembers for ever what was abandoned', ['c13', 'm1'], () => {
    const hashes = new Map<string, string>()
    return (claims) => ({
      async claim(requests) {
        const answers = await claims.claim(requests)
        return answers.map((answer, index) => {
          const { key, payloadHash = '' } = requests[index]!
          const recorded = hashes.get(key) ?? payloadHash
          hashes.set(key, recorded)
          if (recorded === payloadHash || recorded === '' || payloadHash === '') return answer
          return { status: 'conflict', payloadHash: recorded }
        })
      },
      async release(requests) {
        for (const { key } of requests) hashes.delete(key)
        return claims.release(requests)
      },
    })
  }),
  claiming('ignores the case of keys', ['h5'], (request) => ({ ...request, key: request.key.toLowerCase() })),
  claiming('trims keys', ['h5'], (request) => ({ ...request, key: request.key.trim() || 'x' })),
  claiming('repairs keys that cannot work', ['h4'], (request) => ({
    ...request,
    key: String(request.key).replace('\0', '').slice(0, 512) || 'x',
  })),
  claimsMutant('lets the former owner complete', ['c4', 'm1'], unfenced('complete')()),
  claimsMutant('lets the former owner renew', ['c4', 'm1'], unfenced('renew')()),
  claimsMutant('lets the former owner release', ['c4', 'm1'], unfenced('release')()),
  claimsMutant('counts fences in each process anew', ['c14'], () => (claims) => {
    const given = new Map<number, number>()
    let last = 0
    return {
      async claim(requests) {
        const answers = await claims.claim(requests)
        return answers.map((answer) => {
          if (answer.status !== 'claimed') return answer
          last += 1
          given.set(last, answer.fence)
          return { ...answer, fence: last }
        })
      },
      release: async (requests) =>
        claims.release(requests.map((one) => ({ ...one, fence: given.get(one.fence) ?? one.fence }))),
      complete: async (requests) =>
        claims.complete(requests.map((one) => ({ ...one, fence: given.get(one.fence) ?? one.fence }))),
    }
  }),
  claimsMutant('does not renew', ['c5', 'c9', 'm1'], () => () => ({
    renew: async (requests) => requests.map(() => 'renewed'),
  })),
  claimsMutant('renews for ever', ['c5', 'm1'], () => (claims) => ({
    renew: async (requests) => claims.renew(requests.map((one) => ({ ...one, leaseMs: one.leaseMs * 100 }))),
  })),
  claimsMutant('does not release', ['c8', 'm1'], () => () => ({
    release: async (requests) => requests.map(() => 'released'),
  })),
  claimsMutant('forgets results', ['c6', 'c7', 'm1'], () => (claims) => ({
    complete: async (requests) =>
      claims.complete(requests.map((request) => ({ ...request, result: undefined }))),
  })),
  claimsMutant('takes no result for an empty one', ['c7', 'c9', 'm1'], () => (claims) => ({
    complete: async (requests) =>
      claims.complete(requests.map((one) => ({ ...one, result: one.result ?? '' }))),
  })),
  claimsMutant('forgets what is done too soon', ['c6', 'm1'], () => (claims) => ({
    complete: async (requests) =>
      claims.complete(requests.map((one) => ({ ...one, retentionMs: Math.ceil(one.retentionMs / 10) }))),
  })),
  claimsMutant('never forgets what is done', ['c6', 'm1'], () => (claims) => ({
    complete: async (requests) =>
      claims.complete(requests.map((one) => ({ ...one, retentionMs: 3_000_000_000 }))),
  })),
  claimsMutant('refuses to complete after the lease, though nobody took over', ['c9', 'm1'], () => {
    const leaseEnds = new Map<string, number>()
    return (claims, store) => ({
      async claim(requests) {
        const answers = await claims.claim(requests)
        const now = await store.now()
        for (const [index, { status }] of answers.entries())
          if (status === 'claimed') leaseEnds.set(requests[index]!.key, now + requests[index]!.leaseMs)
        return answers
      },
      async complete(requests) {
        const now = await store.now()
        const inTime = requests.filter(({ key }) => now < (leaseEnds.get(key) ?? Infinity))
        const answers = await claims.complete(inTime)
        return requests.map((request) => answers[inTime.indexOf(request)] ?? 'lost')
      },
    })
  }),
  claimsMutant('cannot be told twice that it is done', ['c10', 'm1'], () => {
    const told = new Set<number>()
    return (claims) => ({
      async complete(requests) {
        const answers = await claims.complete(requests)
        return answers.map((answer, index) => {
          const { fence } = requests[index]!
          if (answer === 'lost' || told.has(fence)) return 'lost'
          told.add(fence)
          return answer
        })
      },
    })
  }),
  claimsMutant('answers a batch in another order', ['b1', 'm1'], () => (claims) => ({
    claim: async (requests) => (await claims.claim(requests)).toReversed(),
  })),
  claimsMutant('lets one request of a batch spoil the others', ['b1', 'm1'], () => (claims) => ({
    async claim(requests) {
      const answers = await claims.claim(requests)
      const spoiled = answers.find(({ status }) => status !== 'claimed')
      return spoiled === undefined ? answers : answers.map(() => spoiled)
    },
  })),
  claimsMutant('answers a key twice in a batch with the same claim', ['b2', 'm1'], () => (claims) => ({
    async claim(requests) {
      const keys = [...new Set(requests.map(({ key }) => key))]
      const firsts = keys.map((key) => requests.find((request) => request.key === key)!)
      const answers = await claims.claim(firsts)
      return requests.map(({ key }) => answers[keys.indexOf(key)]!)
    },
  })),
  claimsMutant('takes batches of any size', ['b4'], () => (claims) => ({
    claim: async (requests) => [
      ...(await claims.claim(requests.slice(0, 1_000))),
      ...(await claims.claim(requests.slice(1_000))),
    ],
  })),
  claimsMutant('answers an empty batch with an error', ['b3'], () => (claims) => ({
    async renew(requests) {
      if (requests.length === 0) throw new Error('nothing to do')
      return claims.renew(requests)
    },
  })),
]
