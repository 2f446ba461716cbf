import type { Socket } from 'node:net'
import { delay, monotonicMs, nextTurn } from '../wall-clock.ts'
import { AmqpFrameCounter } from './amqp-frame-counter.ts'
import { FrameEditor, type FrameChange } from './frame-editor.ts'

export type Direction = 'toServer' | 'toClient'

/** How bytes travel in one direction. */
export interface LinkShape {
  /** How much later each byte arrives. Default: 0. */
  readonly delayMs?: number
  /** Default: no bound. */
  readonly bytesPerSecond?: number
  /** Whether bytes arrive in pieces of one to three. Default: false. */
  readonly slice?: boolean
}

/** What the links of one direction share, and are told by the proxy. */
export interface LinkControl {
  readonly direction: Direction
  readonly random: () => number
  shape: LinkShape
  /** Unresolved while nothing may pass. */
  hold: Promise<void> | undefined
  /** What frames are shown to before they pass. */
  change: FrameChange | undefined
  /** How many of these bytes may pass before the cut, given the frames that end in them; undefined: all. */
  admit(bytes: Buffer, frameEnds: readonly number[]): number | undefined
  /** The last admitted byte has been handed over. */
  cut(): void
}

type Piece = { readonly bytes: Buffer; readonly dueAt: number } | 'end' | 'reset'

// A delayed link holds what is on its way; more than this is not read.
const maxBufferedBytes = 1024 * 1024
const pieceMs = 20

/** Carries one direction of one connection. Pieces wait in a queue, so a delay does not bound the throughput. */
export class Link {
  #source: Socket
  #destination: Socket
  #control: LinkControl
  #frames: AmqpFrameCounter | undefined
  #editor: FrameEditor | undefined
  #queue: Piece[] = []
  #bufferedBytes = 0
  #pumping = false
  #stopped = false

  /** `connection` is what the frames are told to come from; without it they are no frames of AMQP. */
  constructor(source: Socket, destination: Socket, control: LinkControl, connection: number | undefined) {
    this.#source = source
    this.#destination = destination
    this.#control = control
    this.#frames = connection === undefined ? undefined : new AmqpFrameCounter()
    this.#editor = connection === undefined ? undefined : new FrameEditor(connection)
    source.on('data', (bytes: Buffer) => {
      this.#bufferedBytes += bytes.length
      this.#add({ bytes, dueAt: monotonicMs() + (control.shape.delayMs ?? 0) })
      if (this.#bufferedBytes > maxBufferedBytes || control.hold !== undefined) source.pause()
    })
    source.on('end', () => this.#add('end'))
    source.on('error', () => this.#add('reset'))
  }

  /** Nothing more passes, nor is anything told to the other side. */
  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
  }

  #add(piece: Piece): void {
    if (this.#stopped) return
    this.#queue.push(piece)
    if (this.#pumping) return
    this.#pumping = true
    this.#pump().catch((error: unknown) => this.#destination.destroy(error as Error))
  }

  async #pump(): Promise<void> {
    for (;;) {
      while (this.#control.hold !== undefined) await this.#control.hold
      const piece = this.#queue.shift()
      if (piece === undefined || this.#stopped) break
      if (piece === 'end') this.#destination.end()
      else if (piece === 'reset') this.#destination.resetAndDestroy()
      else await this.#carry(piece.bytes, piece.dueAt)
    }
    this.#pumping = false
  }

  async #carry(bytes: Buffer, dueAt: number): Promise<void> {
    const early = dueAt - monotonicMs()
    if (early > 0) await delay(early)
    const passing = this.#editor?.push(bytes, this.#control.change) ?? bytes
    for (const part of this.#split(passing)) {
      while (this.#control.hold !== undefined) await this.#control.hold
      if (this.#stopped) return
      await this.#write(part)
    }
    this.#bufferedBytes -= bytes.length
    if (this.#bufferedBytes <= maxBufferedBytes && this.#source.isPaused()) this.#source.resume()
  }

  async #write(part: Buffer): Promise<void> {
    const admitted = this.#control.admit(part, this.#frames?.push(part) ?? [])
    const sent = admitted === undefined ? part : part.subarray(0, admitted)
    if (sent.length > 0 && !this.#destination.write(sent)) await drained(this.#destination)
    if (admitted !== undefined) {
      this.#control.cut()
      return
    }
    const { bytesPerSecond, slice = false } = this.#control.shape
    if (bytesPerSecond !== undefined) await delay((part.length / bytesPerSecond) * 1000)
    // Lets the piece leave on its own.
    else if (slice) await nextTurn()
  }

  *#split(bytes: Buffer): Generator<Buffer> {
    let offset = 0
    while (offset < bytes.length) {
      const { bytesPerSecond, slice = false } = this.#control.shape
      const length = slice
        ? 1 + Math.floor(this.#control.random() * 3)
        : bytesPerSecond === undefined
          ? bytes.length
          : Math.max(1, Math.floor((bytesPerSecond * pieceMs) / 1000))
      yield bytes.subarray(offset, offset + length)
      offset += length
    }
  }
}

async function drained(socket: Socket): Promise<void> {
  if (socket.destroyed) return
  return new Promise((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle).off('close', settle)
      resolve()
    }
    socket.on('drain', settle).on('close', settle)
  })
}
