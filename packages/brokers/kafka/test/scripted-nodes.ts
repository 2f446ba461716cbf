import { once } from 'node:events'
import { kafkaErrors } from '../src/protocol/error-names.ts'
import { readBatches } from '../src/protocol/read-batches.ts'
import { Reader } from '../src/protocol/reader.ts'
import { Writer } from '../src/protocol/writer.ts'
import type { KafkaClient, KafkaWire, NodeAddress } from '../src/client/kafka-client.ts'
import type { RecordError } from '../src/protocol/produce.ts'

/** What a Produce has for one partition. */
export interface Written {
  readonly node: number
  readonly topic: string
  readonly partition: number
  readonly values: readonly string[]
}

/** What becomes of it. With `offset` it is in the log all the same. */
export interface Answer {
  readonly error: number
  readonly offset?: number
  readonly recordErrors?: readonly RecordError[]
}

/** `append` does as a broker does; `silent` never answers; `cut` ends the connection, after it was appended or before. */
export type Script = 'append' | 'silent' | 'cut after' | 'cut before' | Answer

/** Nodes that answer as a test says, and otherwise as brokers do: those that do not lead a partition refuse what is for it. */
export class ScriptedNodes implements KafkaClient {
  readonly native = undefined
  /** The leader of each partition, by topic. */
  readonly topics = new Map<string, readonly number[]>()
  /** What has been written, in order, whatever became of it. */
  readonly seen: Written[] = []
  /** What is in the log. */
  readonly log: Written[] = []
  /** How many Produce there were. */
  requests = 0
  /** Nodes that cannot be connected to. */
  readonly away = new Set<number>()
  /** Nodes that let nobody in, and do not say so. */
  readonly mute = new Set<number>()
  /** Topics that this user may not know of. */
  readonly denied = new Set<string>()
  script: (written: Written) => Script | Promise<Script> = () => 'append'

  bootstrap(): Promise<readonly NodeAddress[]> {
    return Promise.resolve([addressOf(1)])
  }

  async connect({ port }: NodeAddress, signal: AbortSignal): Promise<KafkaWire> {
    const node = port
    if (this.away.has(node)) throw new Error('it is away')
    if (this.mute.has(node)) await once(signal, 'abort').then(() => signal.throwIfAborted())
    return new ScriptedWire((api, body) => this.answer(node, api, body))
  }

  /** The values in one partition, in their order. */
  valuesOf(topic: string, partition: number): string[] {
    return this.log
      .filter((one) => one.topic === topic && one.partition === partition)
      .flatMap(({ values }) => values)
  }

  private async answer(node: number, api: number, body: Buffer): Promise<Buffer | 'silent' | 'cut'> {
    const writer = new Writer()
    if (api === apis.versions) {
      const all = Array.from({ length: 100 }, (_, one) => one)
      writer.int16(0).array(all, (one) => writer.int16(one).int16(0).int16(20))
    } else if (api === apis.metadata) {
      this.writeMetadata(writer, body)
    } else {
      const end = await this.produce(node, body, writer)
      if (end !== undefined) return end
    }
    return Buffer.from(writer.bytes())
  }

  private async produce(node: number, body: Buffer, writer: Writer): Promise<'silent' | 'cut' | undefined> {
    this.requests += 1
    const written = readProduce(node, body)
    this.seen.push(...written)
    const answers: (readonly [Written, Answer])[] = []
    for (const one of written) {
      const script = await this.script(one)
      if (script === 'silent') return 'silent'
      if (script === 'cut before') return 'cut'
      const isLeader = this.topics.get(one.topic)?.[one.partition] === node
      const given =
        typeof script === 'object' ? script : { error: isLeader ? 0 : kafkaErrors.NOT_LEADER_OR_FOLLOWER }
      const answer = given.error === 0 ? { ...given, offset: this.log.length } : given
      if (answer.offset !== undefined) this.log.push(one)
      if (script === 'cut after') return 'cut'
      answers.push([one, answer])
    }
    writer.array(answers, ([{ topic, partition }, { error, offset = -1, recordErrors = [] }]) => {
      writer.string(topic).int32(1).int32(partition).int16(error).int64(offset).int64(-1).int64(-1)
      writer.array(recordErrors, ({ index, message }) => writer.int32(index).nullableString(message))
      writer.nullableString(undefined)
    })
    writer.int32(0)
    return undefined
  }

  private writeMetadata(writer: Writer, body: Buffer): void {
    const reader = new Reader(body)
    reader.skip(1)
    const asked = Array.from({ length: reader.unsigned() - 1 }, () => {
      reader.skip(16)
      const topic = reader.text(reader.unsigned() - 1)
      reader.skip(1)
      return topic
    })
    const compact = (text: string): Writer => writer.unsigned(text.length + 1).raw(Buffer.from(text))
    const nodes = [...new Set([1, ...[...this.topics.values()].flat()])].filter((node) => node > 0)
    writer.int8(0).int32(0)
    writer.unsigned(nodes.length + 1)
    for (const node of nodes) {
      writer.int32(node)
      compact(addressOf(node).host).int32(node).unsigned(0).int8(0)
    }
    writer.unsigned(0).int32(1)
    writer.unsigned(asked.length + 1)
    for (const topic of asked) {
      const leaders = this.topics.get(topic)
      const missing = this.denied.has(topic)
        ? kafkaErrors.TOPIC_AUTHORIZATION_FAILED
        : kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
      writer.int16(leaders === undefined ? missing : 0)
      compact(topic).raw(Buffer.alloc(16)).int8(0)
      writer.unsigned((leaders?.length ?? 0) + 1)
      for (const [partition, leader] of leaders?.entries() ?? []) {
        writer.int16(0).int32(partition).int32(leader).int32(0)
        writer.unsigned(1).unsigned(1).unsigned(1).int8(0)
      }
      writer.int32(0).int8(0)
    }
    writer.int8(0)
  }
}

const apis = { metadata: 3, versions: 18 } as const

/** The port says which one it is. */
function addressOf(node: number): NodeAddress {
  return { host: 'node', port: node }
}

function readProduce(node: number, body: Buffer): Written[] {
  const reader = new Reader(body)
  reader.nullableString()
  reader.skip(6)
  return reader
    .array(() => {
      const topic = reader.string()
      return reader.array((): Written => {
        const partition = reader.int32()
        const { records } = readBatches(reader.sized(), 0)
        return { node, topic, partition, values: records.map(({ value }) => String(value)) }
      })
    })
    .flat()
}

class ScriptedWire implements KafkaWire {
  isOpen = true
  private readonly reply: (api: number, body: Buffer) => Promise<Buffer | 'silent' | 'cut'>
  private readonly listeners: (() => void)[] = []
  private readonly fail = new Set<(error: Error) => void>()

  constructor(reply: (api: number, body: Buffer) => Promise<Buffer | 'silent' | 'cut'>) {
    this.reply = reply
  }

  onEnd(listener: () => void): void {
    if (this.isOpen) this.listeners.push(listener)
    else listener()
  }

  request(api: number, _version: number, body: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.fail.add(reject)
      void this.reply(api, Buffer.from(body)).then((answer) => {
        if (answer === 'cut') this.close()
        else if (answer !== 'silent') resolve(answer)
      })
    })
  }

  close(): void {
    if (!this.isOpen) return
    this.isOpen = false
    for (const fail of this.fail) fail(new Error('the connection was cut'))
    for (const listener of this.listeners) listener()
  }
}
