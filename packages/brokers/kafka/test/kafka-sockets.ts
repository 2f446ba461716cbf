import { connect, type Socket } from 'node:net'
import { Reader } from '../src/protocol/reader.ts'
import { Writer } from '../src/protocol/writer.ts'

/** A request on its way to the broker. */
export interface Request {
  readonly api: number
  readonly version: number
  readonly correlationId: number
  /** Without its length. */
  readonly bytes: Buffer
  /** After its header. */
  readonly body: Buffer
}

/**
 * What becomes of a request: it goes on, as it is or changed; it waits until the sockets are looked at again; it goes on and
 * its answer is lost; or it never arrives, and this is answered instead.
 */
export type Fate = 'pass' | 'hold' | 'unanswered' | { readonly send: Buffer } | { readonly answer: Buffer }

/** The sockets of one process: real ones, on which requests and answers can be held, lost and changed. */
export class KafkaSockets {
  /** Decides on each request. */
  decide: (request: Request) => Fate = () => 'pass'
  /** Whether the answer to it waits until the sockets are looked at again. */
  keepsAnswer: (request: Request) => boolean = () => false
  /** What arrives in place of an answer; both without their length. */
  changeAnswer: (request: Request, bytes: Buffer) => Buffer = (_, bytes) => bytes
  private refuses = false
  private readonly open = new Set<Watched>()

  /** For kafkajs, as `socketFactory`. */
  readonly factory = ({
    host,
    port,
    onConnect,
  }: {
    host: string
    port: number
    onConnect: () => void
  }): Socket => {
    const socket = connect(this.refuses ? { host, port: 1 } : { host, port }, onConnect)
    this.watch(socket)
    return socket
  }

  get isRefusing(): boolean {
    return this.refuses
  }

  /** A socket that is just being connected, before anybody listens for its data. */
  watch(socket: Socket): void {
    const watched = new Watched(socket, this)
    this.open.add(watched)
    socket.on('close', () => this.open.delete(watched))
  }

  refuse(on: boolean): void {
    this.refuses = on
  }

  cut(): void {
    for (const { socket } of this.open) socket.destroy()
  }

  /** Decides anew on what is held. */
  look(): void {
    for (const watched of this.open) watched.look()
  }
}

class Watched {
  readonly socket: Socket
  private readonly sockets: KafkaSockets
  private readonly write: (bytes: Buffer) => void
  private readonly held: Request[] = []
  private readonly lost = new Set<number>()
  private readonly asked = new Map<number, Request>()
  private keptAnswers: Buffer[] = []
  private onData: (bytes: Buffer) => void = () => undefined

  constructor(socket: Socket, sockets: KafkaSockets) {
    this.socket = socket
    this.sockets = sockets
    const write = socket.write.bind(socket) as (bytes: Buffer) => boolean
    this.write = write
    const outgoing = new Frames((bytes) => this.send(toRequest(bytes)))
    socket.write = ((bytes: Buffer) => {
      outgoing.add(bytes)
      return true
    }) as Socket['write']
    const on = socket.on.bind(socket) as (event: string, listener: (...given: never[]) => void) => Socket
    const incoming = new Frames((bytes) => this.receive(bytes))
    socket.on = ((event: string, listener: (...given: never[]) => void) => {
      if (event !== 'data') return on(event, listener)
      this.onData = listener as (bytes: Buffer) => void
      return on('data', ((bytes: Buffer) => incoming.add(bytes)) as (...given: never[]) => void)
    }) as Socket['on']
  }

  look(): void {
    for (const request of this.held.splice(0)) this.send(request)
    const answers = this.keptAnswers
    this.keptAnswers = []
    for (const bytes of answers) this.receive(bytes)
  }

  private receive(bytes: Buffer): void {
    const correlationId = bytes.readInt32BE(0)
    const request = this.asked.get(correlationId)
    if (this.keptAnswers.length > 0 || (request !== undefined && this.sockets.keepsAnswer(request))) {
      this.keptAnswers.push(bytes)
      return
    }
    this.asked.delete(correlationId)
    if (this.lost.delete(correlationId)) return
    this.onData(framed(request === undefined ? bytes : this.sockets.changeAnswer(request, bytes)))
  }

  private send(request: Request): void {
    // What comes later on a connection does not overtake.
    const fate = this.held.length > 0 ? 'hold' : this.sockets.decide(request)
    if (fate === 'hold') {
      this.held.push(request)
    } else if (typeof fate === 'object' && 'answer' in fate) {
      const writer = new Writer()
      writer.int32(request.correlationId).raw(fate.answer)
      // Not before whoever asked knows that it was written.
      setImmediate(() => this.onData(framed(writer.bytes())))
    } else {
      this.asked.set(request.correlationId, request)
      if (fate === 'unanswered') this.lost.add(request.correlationId)
      this.write(framed(typeof fate === 'object' ? fate.send : request.bytes))
    }
  }
}

/** Bytes as they come, as what is between their lengths. */
class Frames {
  private readonly onFrame: (bytes: Buffer) => void
  private rest: Buffer = Buffer.alloc(0)

  constructor(onFrame: (bytes: Buffer) => void) {
    this.onFrame = onFrame
  }

  add(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes])
    while (this.rest.length >= 4) {
      const end = 4 + this.rest.readInt32BE(0)
      if (this.rest.length < end) return
      const frame = this.rest.subarray(4, end)
      this.rest = this.rest.subarray(end)
      this.onFrame(frame)
    }
  }
}

function framed(bytes: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(4 + bytes.length)
  frame.writeInt32BE(bytes.length, 0)
  bytes.copy(frame, 4)
  return frame
}

function toRequest(bytes: Buffer): Request {
  const reader = new Reader(bytes)
  const [api, version, correlationId] = [reader.int16(), reader.int16(), reader.int32()]
  reader.nullableString()
  return { api, version, correlationId, bytes, body: bytes.subarray(reader.position) }
}
