import { kafka } from '@posthorn/kafka'
import { expect, test } from 'vitest'
import { withKafka } from './with-kafka.ts'
import type { Topology } from '@posthorn/transport'

const bench = withKafka()

const queue: Topology = { queues: [{ name: 'orders' }] }
const topic: Topology = { topics: [{ name: 'orders' }] }
const subscription: Topology = { subscriptions: [{ topic: 'orders', group: 'all' }] }

test.each([
  ['queue', 'topic', queue, topic],
  ['queue', 'topic', queue, subscription],
  ['topic', 'queue', topic, queue],
])(
  'a %s and a %s of one name would get the messages of each other, and are refused, together or one after the other',
  async (found, wanted, first, second) => {
    const transport = await kafka({ url: bench.url, namespace: `${found}-${JSON.stringify(second).length}` })
    try {
      const refused = expect.objectContaining({
        code: 'POSTHORN_TOPOLOGY_MISMATCH',
        message: expect.stringContaining('another kind'),
      })
      await expect(transport.plan({ ...first, ...second })).rejects.toEqual(refused)
      await transport.declare(first)
      await expect(transport.declare(second)).rejects.toEqual(refused)
      const plan = await transport.plan(second)
      expect(plan.flatMap(({ differences }) => differences)).toContainEqual({
        argument: 'kind',
        wanted,
        found,
      })
    } finally {
      await transport.close()
    }
  },
)
