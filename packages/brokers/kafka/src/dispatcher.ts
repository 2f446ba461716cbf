import { isPosthornError, withOutcome } from '@posthorn/transport/driver'
import { readyCount, readyPartition, stepFor } from './delay-steps.ts'
import {
  describeError,
  KafkaError,
  notWritten,
  timedOut,
  toKafkaError,
  topologyMissing,
  unroutable,
} from './errors.ts'
import { ownHeaders } from './headers.ts'
import { partitionOfKey } from './murmur2.ts'
import { delayedTopic, nativeName, retryTopic, type SourceNames } from './names.ts'
import { toWire } from './to-wire.ts'
import type { Cluster } from './cluster.ts'
import type { Parcel } from './parcel.ts'
import type { Publisher } from './publisher.ts'
import type { NewRecord } from './protocol/record.ts'
import type { Destination, PosthornError, PublishOutcome, WireMessage } from '@posthorn/transport/driver'

interface OpenParcel {
  readonly topic: string
  readonly partition: number | undefined
  readonly records: NewRecord[]
  readonly indexes: number[]
}

/** Decides for each message with a key which partition it goes to. */
export class Dispatcher {
  private readonly cluster: Cluster
  private readonly publisher: Publisher
  private readonly namespace: string
  /** Calls that wait to be told how many partitions a topic has; what comes after them waits for its turn. */
  private readonly asking = new Map<string, Promise<unknown>>()

  constructor(cluster: Cluster, publisher: Publisher, namespace: string) {
    this.cluster = cluster
    this.publisher = publisher
    this.namespace = namespace
  }

  publish(
    destination: Destination,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    let topic: string
    try {
      topic = nativeName(this.namespace, destination.name)
    } catch (error) {
      return Promise.resolve(allOf(batch, refused(error, destination)))
    }
    if (this.cluster.partitionCount(topic) > 0 && !this.asking.has(topic) && !batch.some(isDelayed)) {
      return this.write(destination, topic, undefined, batch, deadline)
    }
    return this.afterAsking(destination, topic, batch, deadline)
  }

  /** Writes copies to a partition of a source's retry topic: of a step, or ready for the partition `line` of the source. */
  copies(
    { topic, retry }: Pick<SourceNames, 'topic' | 'retry'>,
    batch: readonly { readonly message: WireMessage; readonly line: number; readonly delayMs: number }[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const now = this.cluster.clock.now()
    const parcels = new Parcels()
    const ready = readyCount(this.cluster.partitionCount(retry))
    for (const [index, { message, line, delayMs }] of batch.entries()) {
      const partition = delayMs > 0 ? stepFor(delayMs) : readyPartition(line, ready)
      parcels.add(retry, partition, toWire(message, topic, now, { [ownHeaders.line]: `${line}` }), index)
    }
    const missing = (): PosthornError =>
      withOutcome(topologyMissing(`The retry topic "${retry}"`), 'rejected')
    return this.publisher.publish(parcels.all, batch.length, deadline, missing)
  }

  /** Writes when it is known what there is, in the order of the calls. */
  private async afterAsking(
    destination: Destination,
    topic: string,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const waiting = batch.some(isDelayed)
      ? destination.kind === 'queue'
        ? retryTopic(topic)
        : delayedTopic(topic)
      : undefined
    const before = this.asking.get(topic) ?? Promise.resolve()
    const begun = before.then(async () => {
      const missing = await this.ask(waiting === undefined ? [topic] : [topic, waiting], deadline)
      if (missing !== undefined)
        return { outcomes: allOf(batch, missingOutcome(destination, missing, missing === topic)) }
      if (this.cluster.clock.now() >= deadline) return { outcomes: allOf(batch, timedOut('rejected')) }
      return { outcomes: this.write(destination, topic, waiting, batch, deadline) }
    })
    const settled = begun.catch(() => undefined)
    this.asking.set(topic, settled)
    void settled.then(() => this.asking.get(topic) === settled && this.asking.delete(topic))
    try {
      return await (
        await this.by(deadline, begun)
      ).outcomes
    } catch (error) {
      return allOf(batch, refused(error, destination))
    }
  }

  private by<Value>(deadline: number, promise: Promise<Value>): Promise<Value> {
    const { clock } = this.cluster
    return new Promise((resolve, reject) => {
      const cancel = clock.setTimer(() => reject(timedOut('rejected')), Math.max(0, deadline - clock.now()))
      promise.then(resolve, reject).finally(cancel)
    })
  }

  /** Answers the first topic that does not exist. */
  private async ask(topics: readonly string[], deadline: number): Promise<string | undefined> {
    for (const topic of topics) {
      const left = deadline - this.cluster.clock.now()
      if ((await this.cluster.persist(() => this.cluster.countPartitions(topic), left)) === 0) return topic
    }
    return undefined
  }

  private write(
    destination: Destination,
    topic: string,
    waiting: string | undefined,
    batch: readonly WireMessage[],
    deadline: number,
  ): Promise<readonly PublishOutcome[]> {
    const { cluster } = this
    const now = cluster.clock.now()
    const count = cluster.partitionCount(topic)
    const parcels = new Parcels()
    for (let index = 0; index < batch.length; index++) {
      const message = batch[index]!
      const { key, notBefore } = message
      const record = toWire(message, topic, now)
      if (waiting !== undefined && notBefore !== undefined && notBefore > now) {
        parcels.add(waiting, stepFor(notBefore - now), record, index)
      } else {
        parcels.add(topic, lineOf(key, count), record, index)
      }
    }
    const missing = (): PosthornError => missingOutcome(destination, topic, true)
    return this.publisher.publish(parcels.all, batch.length, deadline, missing)
  }
}

function missingOutcome({ kind, name }: Destination, topic: string, isMain: boolean): PosthornError {
  return isMain && kind !== 'topic'
    ? unroutable(name)
    : withOutcome(topologyMissing(`The topic "${topic}"`), 'rejected')
}

/** `error` is why nothing was written. */
function refused(error: unknown, { kind, name }: Destination): PosthornError {
  if (!isPosthornError(error) && !(error instanceof KafkaError))
    return notWritten(describeError(error), error)
  return withOutcome(toKafkaError(error, `the ${kind} "${name}"`, { phase: 'publish' }), 'rejected')
}

function allOf(batch: readonly WireMessage[], outcome: PublishOutcome): readonly PublishOutcome[] {
  return batch.map(() => outcome)
}

/** The partition of a key given as text. */
export function keyPartition(key: string, partitions: number): number {
  return partitions === 1 ? 0 : partitionOfKey(Buffer.from(key), partitions)
}

/** Where only one line is, what has no key is in order too. */
function lineOf(key: string | undefined, partitions: number): number | undefined {
  return key === undefined && partitions > 1 ? undefined : keyPartition(key ?? '', partitions)
}

function isDelayed({ notBefore }: WireMessage): boolean {
  return notBefore !== undefined
}

/** The records of a batch by their partitions. */
class Parcels {
  readonly all: Parcel[] = []
  private readonly open: OpenParcel[] = []

  add(topic: string, partition: number | undefined, record: NewRecord, index: number): void {
    let parcel = this.open.find((one) => one.partition === partition && one.topic === topic)
    if (parcel === undefined) {
      parcel = { topic, partition, records: [], indexes: [] }
      this.open.push(parcel)
      this.all.push(parcel)
    }
    parcel.records.push(record)
    parcel.indexes.push(index)
  }
}
