import { createVirtualClock } from '@posthorn/transport/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { ScriptedNodes } from '../test/scripted-nodes.ts'
import { Cluster } from './cluster.ts'
import { Connections } from './client/connections.ts'
import type { VirtualClock } from '@posthorn/transport/testing'

let clock: VirtualClock
let nodes: ScriptedNodes
let cluster: Cluster

beforeEach(async () => {
  clock = createVirtualClock()
  nodes = new ScriptedNodes()
  nodes.topics.set('orders', [1, 2])
  cluster = new Cluster(new Connections(nodes, clock), clock)
  await cluster.refresh(['orders'])
})

describe('the nodes that were given', () => {
  test.each([
    ['fails', () => Promise.reject(new Error('nobody knows'))],
    ['never ends', () => new Promise<never>(() => undefined)],
  ])(
    'are not asked for while one that is known answers, so that it does not matter when that %s',
    async (_, bootstrap) => {
      nodes.bootstrap = bootstrap
      nodes.topics.set('orders', [2, 2])
      await cluster.refresh(['orders'])
      expect(cluster.leader({ topic: 'orders', partition: 0 })).toBe(2)
    },
  )

  test('are waited for no longer than ten seconds, and the error has all reasons', async () => {
    nodes.bootstrap = () => new Promise<never>(() => undefined)
    nodes.away.add(1).add(2)
    const asked = cluster.refresh(['orders']).catch((error: unknown) => error)
    await clock.advance(30_000)
    const error = await asked
    expect(error).toMatchObject({ isWritten: false })
    expect(String(error)).toMatch(/node:1: it is away.*not named within 10000 ms/)
  })
})

test('of many topics that were written to once, those are kept that were asked about last', async () => {
  const names = Array.from({ length: 10_001 }, (_, index) => `inbox-${index}`)
  for (const name of names) nodes.topics.set(name, [1])
  await cluster.refresh(names)
  expect(cluster.partitionCount('orders')).toBe(0)
  expect(cluster.partitionCount('inbox-10000')).toBe(1)
  expect(await cluster.countPartitions('orders')).toBe(2)
})
