import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { findFreePorts } from '../process/find-free-ports.ts'
import { seededRandom } from '../seeded-random.ts'
import type { FrameChange } from './frame-editor.ts'
import { Link, type Direction, type LinkControl, type LinkShape } from './link.ts'
import { CutCounter, type CutUnit, type PendingCut } from './pending-cut.ts'

export interface TcpProxyOptions {
  /** The server, as a URL: `amqp://guest:guest@127.0.0.1:5672`, `tcp://127.0.0.1:6379`. Frames are counted for `amqp:`. */
  readonly target: string
  /** Where it listens, on 127.0.0.1. Default: a free port. */
  readonly port?: number
  /** For the lengths of slices. Default: 1. */
  readonly seed?: number
}

/** Stands between a client and a server and breaks their connections on demand. */
export interface TcpProxy {
  /** The target's URL with this proxy's host and port. */
  readonly url: string
  readonly port: number
  /** How many clients are connected now. */
  readonly connections: number
  /** How many clients have ever connected. */
  readonly accepted: number
  /** For connections that exist and those to come. */
  shape(direction: Direction | 'both', shape: LinkShape): void
  /** Ends every connection on both sides, as when a process goes away. */
  cut(): void
  /** Ends every connection with RST on both sides. */
  reset(): void
  /** Nothing passes any more in either direction, not even the end of a connection; all sockets stay open. */
  halfOpen(): void
  /** The same in one direction. What is sent into it waits, as TCP would send it again, and arrives after `heal`. */
  blackHole(direction: Direction): void
  /** While on, new connections are refused; those that exist go on. */
  refuse(on: boolean): Promise<void>
  /**
   * Lets `count` more frames of this direction pass, counted over all connections and without heartbeats, and then
   * cuts all connections. The last frame arrives whole.
   */
  cutAfterFrames(count: number, direction: Direction): PendingCut
  /** The same with bytes, which may end within a frame. */
  cutAfterBytes(count: number, direction: Direction): PendingCut
  /**
   * From the next frame on, what passes in the place of each frame of this direction is what `change` answers for it;
   * nothing where it answers `undefined`.
   */
  rewrite(direction: Direction, change: FrameChange): void
  /** Undoes `shape`, `halfOpen`, `blackHole`, `refuse`, `rewrite` and cuts that have not happened. */
  heal(): Promise<void>
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

interface Pair {
  readonly client: Socket
  readonly server: Socket
  readonly links: readonly Link[]
}

/** A client that connects while the server is down gets a connection that is reset at once. */
export async function startTcpProxy({ target, port = 0, seed = 1 }: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new RunningProxy(target, port === 0 ? ((await findFreePorts(1))[0] ?? 0) : port, seed)
  await proxy.listen()
  return proxy
}

class RunningProxy implements TcpProxy {
  readonly url: string
  readonly port: number
  accepted = 0
  #target: { readonly host: string; readonly port: number }
  #countFrames: boolean
  #pairs = new Set<Pair>()
  #listener: Server | undefined
  #controls: Readonly<Record<Direction, Control>>

  constructor(target: string, port: number, seed: number) {
    const url = new URL(target)
    this.#countFrames = url.protocol === 'amqp:'
    const targetPort = Number(url.port || (this.#countFrames ? 5672 : 0))
    if (targetPort === 0)
      throw new Error(`The proxy's target ${url.protocol}//${url.host} has no port: add one`)
    this.#target = { host: url.hostname, port: targetPort }
    this.port = port
    url.hostname = '127.0.0.1'
    url.port = String(port)
    this.url = url.href
    const random = seededRandom(seed)
    const cut = (): void => this.#end((socket) => socket.destroySoon())
    this.#controls = {
      toServer: new Control('toServer', random, cut),
      toClient: new Control('toClient', random, cut),
    }
  }

  get connections(): number {
    return this.#pairs.size
  }

  async listen(): Promise<void> {
    if (this.#listener !== undefined) return
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
    this.#listener = listener
    listener.listen({ port: this.port, host: '127.0.0.1' })
    await once(listener, 'listening')
  }

  shape(direction: Direction | 'both', shape: LinkShape): void {
    for (const control of this.#chosen(direction)) control.shape = shape
  }

  cut(): void {
    this.#end((socket) => socket.destroy())
  }

  reset(): void {
    this.#end((socket) => socket.resetAndDestroy())
  }

  halfOpen(): void {
    for (const control of this.#chosen('both')) control.close()
  }

  blackHole(direction: Direction): void {
    this.#controls[direction].close()
  }

  async refuse(on: boolean): Promise<void> {
    if (!on) return this.listen()
    // It stops to listen at once; its own end comes with that of its last connection.
    this.#listener?.close()
    this.#listener = undefined
  }

  cutAfterFrames(count: number, direction: Direction): PendingCut {
    if (!this.#countFrames) throw new Error('Frames are only counted for a target that starts with amqp://')
    return this.#controls[direction].arm(count, 'frames')
  }

  cutAfterBytes(count: number, direction: Direction): PendingCut {
    return this.#controls[direction].arm(count, 'bytes')
  }

  rewrite(direction: Direction, change: FrameChange): void {
    if (!this.#countFrames) throw new Error('Frames are only known for a target that starts with amqp://')
    this.#controls[direction].change = change
  }

  async heal(): Promise<void> {
    for (const control of this.#chosen('both')) control.heal()
    await this.listen()
  }

  async close(): Promise<void> {
    await this.refuse(true)
    this.cut()
    for (const control of this.#chosen('both')) control.heal()
  }

  #chosen(direction: Direction | 'both'): readonly Control[] {
    return direction === 'both' ? Object.values(this.#controls) : [this.#controls[direction]]
  }

  #accept(client: Socket): void {
    this.accepted++
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    const connection = this.#countFrames ? this.accepted : undefined
    const links = [
      new Link(client, server, this.#controls.toServer, connection),
      new Link(server, client, this.#controls.toClient, connection),
    ]
    const pair: Pair = { client, server, links }
    this.#pairs.add(pair)
    const forget = (): void => {
      if (client.destroyed && server.destroyed) this.#pairs.delete(pair)
    }
    client.on('close', forget)
    server.on('close', forget)
  }

  #end(how: (socket: Socket) => void): void {
    for (const { client, server, links } of this.#pairs) {
      for (const link of links) link.stop()
      how(client)
      how(server)
    }
    this.#pairs.clear()
  }
}

class Control implements LinkControl {
  readonly direction: Direction
  readonly random: () => number
  shape: LinkShape = {}
  hold: Promise<void> | undefined
  change: FrameChange | undefined
  #open: (() => void) | undefined
  #counter: CutCounter | undefined
  #cutAll: () => void

  constructor(direction: Direction, random: () => number, cutAll: () => void) {
    this.direction = direction
    this.random = random
    this.#cutAll = cutAll
  }

  close(): void {
    this.hold ??= new Promise((resolve) => {
      this.#open = resolve
    })
  }

  arm(count: number, unit: CutUnit): PendingCut {
    this.#counter?.settle(false)
    this.#counter = new CutCounter(count, unit)
    return this.#counter
  }

  admit(bytes: Buffer, frameEnds: readonly number[]): number | undefined {
    return this.#counter?.admit(bytes, frameEnds)
  }

  cut(): void {
    const counter = this.#counter
    this.#counter = undefined
    this.#cutAll()
    counter?.settle(true)
  }

  heal(): void {
    this.shape = {}
    this.change = undefined
    this.hold = undefined
    this.#open?.()
    this.#open = undefined
    this.#counter?.settle(false)
    this.#counter = undefined
  }
}
