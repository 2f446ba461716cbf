import { describeError, NoAnswer } from '../errors.ts'
import { Reader } from '../protocol/reader.ts'
import { Writer } from '../protocol/writer.ts'
import type { KafkaClient, KafkaWire, NodeAddress } from './kafka-client.ts'
import type { KafkaRequest } from '../protocol/request.ts'
import type { Clock } from '@posthorn/transport/driver'

/** Larger ones are made anew for each request. */
const keptBytes = 4 * 1024 * 1024

/**
 * Connections by node, one for each purpose: Kafka answers the requests of a connection one after the other, so what may
 * wait long has one of its own.
 */
export class Connections {
  private readonly client: KafkaClient
  private readonly clock: Clock
  private readonly wires = new Map<string, Promise<KafkaWire>>()
  private writer = new Writer(64 * 1024)
  private readonly watchers = new Map<string, () => void>()
  private isOver = false
  /** Tells that a connection has ended that was not to. */
  onEnd: () => void = () => undefined

  constructor(client: KafkaClient, clock: Clock) {
    this.client = client
    this.clock = clock
  }

  watch(purpose: string, listener: (() => void) | undefined): void {
    if (listener === undefined) this.watchers.delete(purpose)
    else this.watchers.set(purpose, listener)
  }

  get isClosed(): boolean {
    return this.isOver
  }

  /**
   * Asks a node, or any that was given. Rejects with `NoAnswer` when it cannot be reached, the connection ends, or `timeoutMs`
   * are over: then the connection is given up, since what comes after would wait behind it.
   */
  async ask<Response>(
    address: NodeAddress | undefined,
    purpose: string,
    request: KafkaRequest<Response>,
    timeoutMs: number,
  ): Promise<Response> {
    const key = address === undefined ? purpose : `${purpose}@${address.host}:${address.port}`
    let wire: KafkaWire
    try {
      wire = await this.within(this.wire(key, address), timeoutMs, 'it could not be reached in time')
    } catch (error) {
      const text = `No connection to ${nameOf(address)}: ${describeError(error)}`
      throw new NoAnswer(text, false, error)
    }
    let payload: Buffer
    try {
      const answer = wire.request(request.api, request.version, this.encode(request))
      payload = await this.within(answer, timeoutMs, `no answer within ${timeoutMs} ms`)
    } catch (error) {
      this.drop(key, wire)
      const text = `No answer of ${nameOf(address)} to ${request.name}: ${describeError(error)}`
      throw new NoAnswer(text, true, error)
    }
    return request.read(new Reader(payload))
  }

  /** Connects, where it is not, for what is asked later. */
  async open(address: NodeAddress, purpose: string): Promise<void> {
    await this.wire(`${purpose}@${address.host}:${address.port}`, address)
  }

  /** Ends those of a purpose, so that nothing more of it is written or answered. */
  end(purpose: string): void {
    for (const [key, wire] of this.wires) {
      if (key !== purpose && !key.startsWith(`${purpose}@`)) continue
      this.wires.delete(key)
      wire.then(
        (open) => open.close(),
        () => undefined,
      )
    }
  }

  close(): void {
    this.isOver = true
    for (const wire of this.wires.values()) {
      wire.then(
        (open) => open.close(),
        () => undefined,
      )
    }
    this.wires.clear()
  }

  private async wire(key: string, address: NodeAddress | undefined): Promise<KafkaWire> {
    const kept = this.wires.get(key)
    const known = await kept
    if (known?.isOpen === true) return known
    // It may not have said so yet.
    if (kept !== undefined) this.wireEnded(key, kept)
    if (this.isOver) throw new Error('it was closed here')
    // Somebody else may have begun meanwhile.
    if (this.wires.has(key)) return this.wire(key, address)
    const opening = this.client.connect(address)
    this.wires.set(key, opening)
    try {
      const wire = await opening
      if (this.isOver) wire.close()
      else wire.onEnd(() => this.wireEnded(key, opening))
      return wire
    } catch (error) {
      if (this.wires.get(key) === opening) this.wires.delete(key)
      throw error
    }
  }

  private wireEnded(key: string, wire: Promise<KafkaWire>): void {
    if (this.wires.get(key) !== wire) return
    this.wires.delete(key)
    this.watchers.get(key.replace(/@.*/, ''))?.()
    this.onEnd()
  }

  /** Gives up a connection that does not answer. */
  private drop(key: string, wire: KafkaWire): void {
    wire.close()
    const current = this.wires.get(key)
    void current?.then(
      (open) => open === wire && this.wireEnded(key, current),
      () => undefined,
    )
  }

  /** The client writes it before this is called again. */
  private encode<Response>(request: KafkaRequest<Response>): Buffer {
    const { writer } = this
    writer.reset()
    request.write(writer)
    const bytes = writer.bytes()
    if (bytes.length <= keptBytes) return Buffer.from(bytes)
    this.writer = new Writer(64 * 1024)
    return bytes
  }

  private within<Value>(promise: Promise<Value>, timeoutMs: number, otherwise: string): Promise<Value> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.setTimer(() => reject(new Error(otherwise)), timeoutMs)
      promise.then(
        (value) => {
          cancel()
          resolve(value)
        },
        (error: unknown) => {
          cancel()
          reject(error)
        },
      )
    })
  }
}

function nameOf(address: NodeAddress | undefined): string {
  return address === undefined ? 'any node' : `${address.host}:${address.port}`
}
