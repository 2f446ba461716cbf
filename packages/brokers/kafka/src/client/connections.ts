import { describeError, NoAnswer } from '../errors.ts'
import { apiVersions, checkVersions } from './check-versions.ts'
import { Reader } from '../protocol/reader.ts'
import { Writer } from '../protocol/writer.ts'
import type { KafkaClient, KafkaWire, NodeAddress } from './kafka-client.ts'
import type { KafkaRequest } from '../protocol/request.ts'
import type { Clock } from '@posthorn/transport/driver'

/** Larger ones are made anew for each request. */
const keptBytes = 4 * 1024 * 1024

/** Milliseconds until a node that does not let anybody log in is given up. */
const connectMs = 10_000

interface Line {
  readonly wire: Promise<KafkaWire>
  /** Ends the try to connect. */
  readonly abort: AbortController
}

/**
 * Connections by node, one for each purpose: Kafka answers the requests of a connection one after the other, so what may
 * wait long has one of its own.
 */
export class Connections {
  private readonly client: KafkaClient
  private readonly clock: Clock
  private readonly lines = new Map<string, Line>()
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

  /** The nodes that were given to begin with. Rejects where a function that names them takes too long. */
  bootstrap(): Promise<readonly NodeAddress[]> {
    const otherwise = `the brokers of the instance were not named within ${connectMs} ms`
    return this.within(this.client.bootstrap(), connectMs, otherwise)
  }

  /**
   * Asks a node. Rejects with `NoAnswer` when it cannot be reached, the connection ends, or `timeoutMs` are over: then the
   * connection is given up, since what comes after would wait behind it.
   */
  async ask<Response>(
    address: NodeAddress,
    purpose: string,
    request: KafkaRequest<Response>,
    timeoutMs: number,
  ): Promise<Response> {
    const key = keyOf(purpose, address)
    let wire: KafkaWire
    try {
      wire = await this.within(this.wire(key, address), timeoutMs, 'it could not be reached in time')
    } catch (error) {
      throw unreached(address, error)
    }
    let answer: Buffer
    try {
      answer = await this.answerOf(wire, request, timeoutMs)
    } catch (error) {
      this.drop(key, wire)
      const text = `No answer of ${nameOf(address)} to ${request.name}: ${describeError(error)}`
      throw new NoAnswer(text, true, error)
    }
    return request.read(new Reader(answer))
  }

  /** Connects, where it is not, for what is asked later. Rejects as `ask`. */
  async open(address: NodeAddress, purpose: string): Promise<void> {
    try {
      await this.wire(keyOf(purpose, address), address)
    } catch (error) {
      throw unreached(address, error)
    }
  }

  /** Ends those of a purpose, or the one to a node, so that nothing more of it is written or answered. */
  end(purpose: string, address?: NodeAddress): void {
    const own = address === undefined ? `${purpose}@` : keyOf(purpose, address)
    for (const [key, line] of this.lines) {
      if (address === undefined ? !key.startsWith(own) : key !== own) continue
      this.lines.delete(key)
      giveUp(line)
    }
  }

  close(): void {
    this.isOver = true
    for (const line of this.lines.values()) giveUp(line)
    this.lines.clear()
  }

  private async wire(key: string, address: NodeAddress): Promise<KafkaWire> {
    const kept = this.lines.get(key)
    const known = await kept?.wire
    if (known?.isOpen === true) return known
    // It may not have said so yet.
    if (kept !== undefined) this.lineEnded(key, kept)
    if (this.isOver) throw new Error('it was closed here')
    // Somebody else may have begun meanwhile.
    if (this.lines.has(key)) return this.wire(key, address)
    const abort = new AbortController()
    const line: Line = { wire: this.connect(address, abort), abort }
    this.lines.set(key, line)
    try {
      const wire = await line.wire
      if (this.isOver) wire.close()
      else wire.onEnd(() => this.lineEnded(key, line))
      return wire
    } catch (error) {
      if (this.lines.get(key) === line) this.lines.delete(key)
      throw error
    }
  }

  /** Connects, and sees whether the node knows what will be asked. */
  private async connect(address: NodeAddress, abort: AbortController): Promise<KafkaWire> {
    const giveUpLate = (): void => abort.abort(new Error(`it let nobody in within ${connectMs} ms`))
    const cancel = this.clock.setTimer(giveUpLate, connectMs)
    try {
      const wire = await this.client.connect(address, abort.signal)
      const stop = (): void => wire.close()
      abort.signal.addEventListener('abort', stop, { once: true })
      try {
        abort.signal.throwIfAborted()
        const answer = await this.answerOf(wire, apiVersions, connectMs)
        checkVersions(apiVersions.read(new Reader(answer)))
        return wire
      } catch (error) {
        wire.close()
        throw error
      } finally {
        abort.signal.removeEventListener('abort', stop)
      }
    } finally {
      cancel()
    }
  }

  private answerOf<Response>(
    wire: KafkaWire,
    request: KafkaRequest<Response>,
    timeoutMs: number,
  ): Promise<Buffer> {
    const answer = wire.request(request.api, request.version, this.encode(request))
    return this.within(answer, timeoutMs, `no answer within ${timeoutMs} ms`)
  }

  private lineEnded(key: string, line: Line): void {
    if (this.lines.get(key) !== line) return
    this.lines.delete(key)
    this.watchers.get(key.replace(/@.*/, ''))?.()
    this.onEnd()
  }

  /** Gives up a connection that does not answer. */
  private drop(key: string, wire: KafkaWire): void {
    wire.close()
    const current = this.lines.get(key)
    void current?.wire.then(
      (open) => open === wire && this.lineEnded(key, current),
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

function giveUp({ wire, abort }: Line): void {
  abort.abort(new Error('it was closed here'))
  wire.then(
    (open) => open.close(),
    () => undefined,
  )
}

function keyOf(purpose: string, address: NodeAddress): string {
  return `${purpose}@${nameOf(address)}`
}

function nameOf({ host, port }: NodeAddress): string {
  return `${host}:${port}`
}

function unreached(address: NodeAddress, error: unknown): NoAnswer {
  return new NoAnswer(`No connection to ${nameOf(address)}: ${describeError(error)}`, false, error)
}
