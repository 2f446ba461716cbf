import { systemClock } from '@posthorn/transport/driver'
import { expect, test } from 'vitest'
import { ScriptedNodes } from '../test/scripted-nodes.ts'
import { Cluster } from './cluster.ts'
import { Connections } from './client/connections.ts'
import { Dispatcher } from './dispatcher.ts'
import { fromWire } from './from-wire.ts'
import { Publisher } from './publisher.ts'
import type { Destination } from '@posthorn/transport/driver'

const record = { offset: 0, nextOffset: 1, timestamp: 0, key: undefined, headers: {}, problem: undefined }
const { message } = fromWire({ ...record, value: Buffer.from('{}') }, { topic: 'a', partition: 0, now: 0 })

const nodes = new ScriptedNodes()
nodes.denied.add('secret')
const cluster = new Cluster(new Connections(nodes, systemClock), systemClock)
const dispatcher = new Dispatcher(cluster, new Publisher(cluster, 'none'), '')

test.each([
  [{ kind: 'queue', name: 'orders..old', shards: 1 }, 'POSTHORN_INVALID_NAME', 'two in a row'],
  [{ kind: 'queue', name: 'secret', shards: 1 }, 'POSTHORN_ACCESS_DENIED', 'secret'],
  [{ kind: 'topic', name: 'secret' }, 'POSTHORN_ACCESS_DENIED', 'secret'],
  [{ kind: 'queue', name: 'nowhere', shards: 1 }, 'POSTHORN_UNROUTABLE', 'nowhere'],
  [{ kind: 'topic', name: 'nowhere' }, 'POSTHORN_TOPOLOGY_MISSING', 'nowhere'],
] satisfies [Destination, string, string][])(
  'a message to %j is rejected as %s',
  async (destination, code, text) => {
    const [outcome] = await dispatcher.publish(destination, [message], systemClock.now() + 10_000)
    expect(outcome).toMatchObject({ code, outcome: 'rejected', message: expect.stringContaining(text) })
  },
)
