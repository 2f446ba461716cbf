import { startWorker, type WorkerProcess } from '@posthorn/test-brokers'
import { findBroker, type SoakProxy } from '../soak-broker.ts'

export interface MemberParameters {
  readonly broker: string
  /** Of the member's proxy. */
  readonly url: string
  readonly ledger: string
  /** Of the whole run. */
  readonly messages: number
  /** A producer sends the keys that leave `place` when divided by `producers`, each in the order of its numbers. */
  readonly producers: number
  readonly place: number
  /** Whether the workers want the messages of each key in order. */
  readonly ordered: boolean
}

/** Tells a producer below which number it may send. */
export interface AllowMessage {
  readonly type: 'allow'
  readonly allowed: number
}

const modules = {
  producer: new URL('producer.ts', import.meta.url),
  worker: new URL('worker.ts', import.meta.url),
}
const dayMs = 86_400_000
const tolerated = 3

/** A producer or worker: a process with a connection of its own, which is started anew when it was killed. */
export class Member {
  readonly name: string
  readonly ledger: string
  readonly proxy: SoakProxy
  /** It has ended as it should. */
  isDone = false
  /** What it wrote when it ended by itself: a defect. */
  readonly crashes: string[] = []
  process: WorkerProcess
  #module: URL
  #parameters: MemberParameters
  #killed = false
  #before = 0
  #count = 0
  #done!: () => void
  readonly #ended: Promise<void> = new Promise((resolve) => {
    this.#done = resolve
  })

  private constructor(name: string, module: URL, proxy: SoakProxy, parameters: MemberParameters) {
    this.name = name
    this.ledger = parameters.ledger
    this.proxy = proxy
    this.#module = module
    this.#parameters = parameters
    this.process = this.#start()
  }

  static async start(
    name: string,
    kind: 'producer' | 'worker',
    parameters: MemberParameters,
  ): Promise<Member> {
    const proxy = await (await findBroker(parameters.broker)).startProxy(parameters.url)
    return new Member(name, modules[kind], proxy, { ...parameters, url: proxy.url })
  }

  /** Messages confirmed or handled, as far as it has told. */
  get count(): number {
    return this.#before + this.#count
  }

  /** SIGKILL, and another process in its place. */
  async kill(): Promise<void> {
    if (this.isDone) return
    this.#killed = true
    await this.process.kill()
  }

  /** Has it end what is in hand; resolves when it has. */
  async stop(): Promise<void> {
    if (!this.isDone) this.process.tell({ type: 'stop' })
    await this.#ended
  }

  /** Lets a producer send the messages below this number. */
  allow(allowed: number): void {
    this.process.tell<AllowMessage>({ type: 'allow', allowed })
  }

  async close(): Promise<void> {
    this.isDone = true
    await this.process.kill()
    await this.proxy.close()
  }

  #start(): WorkerProcess {
    const process = startWorker(this.#module, { ...this.#parameters })
    void this.#listen(process)
    return process
  }

  async #listen(process: WorkerProcess): Promise<void> {
    try {
      while (!this.isDone) {
        const message = await process.waitFor(() => true, dayMs)
        if (message.type === 'progress') this.#count = (message as unknown as { count: number }).count
        if (message.type === 'done') this.isDone = true
      }
    } catch (error) {
      if (!this.isDone) this.#goOn(error as Error)
    }
    if (this.isDone) this.#done()
  }

  #goOn(error: Error): void {
    if (!this.#killed) this.crashes.push(error.message)
    this.#killed = false
    if (this.crashes.length > tolerated) {
      this.isDone = true
      return
    }
    // A producer counts what is in its ledger, a worker what it did itself.
    if (this.#module === modules.worker) this.#before += this.#count
    this.#count = 0
    this.process = this.#start()
  }
}
