import { systemClock } from '@posthorn/transport/driver'
import { Cluster } from '../src/cluster.ts'
import { Connections } from '../src/client/connections.ts'
import { Reader } from '../src/protocol/reader.ts'
import { writeByTopic, type TopicPartition } from '../src/protocol/request.ts'
import { Writer } from '../src/protocol/writer.ts'
import { committedPositions, type CommittedPosition } from './kafka-requests.ts'
import type { KafkaClient } from '../src/client/kafka-client.ts'

export interface Asked extends TopicPartition {
  readonly offset: number
}

export interface Fetched extends TopicPartition {
  readonly error: number
  readonly bytes: Buffer
}

/** What the nodes of a cluster answer. Its own state may change while it is asked. */
export interface Script {
  /** The id of the node that leads each partition, by topic; nodes are all that are named. */
  leaders: Readonly<Record<string, readonly number[]>>
  fetch?(node: number, asked: readonly Asked[]): Promise<readonly Fetched[]>
  /** Offsets: the start and the end of each partition. */
  readonly ends?: readonly [number, number]
  /** The error of each position. */
  commit?(positions: readonly CommittedPosition[]): Promise<readonly number[]>
  /** To any other request, by its number. */
  answer?(api: number, writer: Writer): void
}

/** A cluster whose nodes say what a script says: our own protocol, without a broker. */
export function scriptedCluster(script: Script): Cluster {
  const answer = async (node: number, api: number, body: Buffer): Promise<Buffer> => {
    const writer = new Writer()
    // Nobody answers within the same turn.
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    if (api === 18) {
      const apis = Array.from({ length: 60 }, (_, index) => index)
      writer.int16(0).array(apis, (one) => writer.int16(one).int16(0).int16(30))
    } else if (api === 3) {
      writeMetadata(writer, script.leaders)
    } else if (api === 10) {
      writer.int32(0).int16(0).nullableString(undefined).int32(1).string('1').int32(9_092)
    } else if (api === 1) {
      const results = await script.fetch!(node, askedOf(body))
      writer.int32(0).int16(0).int32(0)
      writeByTopic(writer, results, ({ partition, error, bytes }) => {
        writer.int32(partition).int16(error).int64(0).int64(0).int64(0).int32(0).int32(-1).sized(bytes)
      })
    } else if (api === 2) {
      writer.int32(0)
      writeByTopic(writer, timesOf(body), ({ partition, time }) => {
        writer.int32(partition).int16(0).int64(-1)
        writer.int64(script.ends![time === -2 ? 0 : 1]).int32(-1)
      })
    } else if (api !== 8) {
      script.answer!(api, writer)
    } else {
      const positions = committedPositions({ api, version: 7, correlationId: 0, bytes: body, body })
      const errors = await script.commit!(positions)
      writer.int32(0)
      let index = 0
      writeByTopic(writer, positions, ({ partition }) => writer.int32(partition).int16(errors[index++]!))
    }
    return Buffer.from(writer.bytes())
  }
  const client: KafkaClient = {
    native: undefined,
    bootstrap: () => Promise.resolve([{ host: '1', port: 9_092 }]),
    connect({ host }) {
      let end: (error: Error) => void = () => undefined
      const ended = new Promise<never>((_, reject) => {
        end = reject
      })
      ended.catch(() => undefined)
      return Promise.resolve({
        isOpen: true,
        onEnd: () => undefined,
        request: (api, _, body) => Promise.race([answer(Number(host), api, Buffer.from(body)), ended]),
        close: () => end(new Error('it was closed')),
      })
    },
  }
  return new Cluster(new Connections(client, systemClock), systemClock)
}

function askedOf(body: Buffer): readonly Asked[] {
  const reader = new Reader(body)
  reader.skip(25)
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        reader.skip(4)
        const offset = reader.int64()
        reader.skip(12)
        return { topic, partition, offset }
      })
    })
    .flat()
}

function timesOf(body: Buffer): readonly (TopicPartition & { readonly time: number })[] {
  const reader = new Reader(body)
  reader.skip(5)
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array(() => {
        const partition = reader.int32()
        reader.skip(4)
        return { topic, partition, time: reader.int64() }
      })
    })
    .flat()
}

function writeMetadata(writer: Writer, leaders: Script['leaders']): void {
  const nodes = [...new Set([1, ...Object.values(leaders).flat()])]
  const text = (value: string): void => {
    writer.unsigned(value.length + 1).raw(Buffer.from(value))
  }
  const tags = Buffer.alloc(1)
  writer.raw(tags).int32(0)
  writer.unsigned(nodes.length + 1)
  for (const node of nodes) {
    writer.int32(node)
    text(`${node}`)
    writer.int32(9_092).unsigned(0).raw(tags)
  }
  writer.unsigned(0).int32(1)
  writer.unsigned(Object.keys(leaders).length + 1)
  for (const [topic, own] of Object.entries(leaders)) {
    writer.int16(0)
    text(topic)
    writer.raw(Buffer.alloc(16, topic)).boolean(false)
    writer.unsigned(own.length + 1)
    for (const [partition, leader] of own.entries()) {
      writer.int16(0).int32(partition).int32(leader).int32(0)
      writer.unsigned(1).unsigned(1).unsigned(1).raw(tags)
    }
    writer.int32(0).raw(tags)
  }
  writer.raw(tags)
}
