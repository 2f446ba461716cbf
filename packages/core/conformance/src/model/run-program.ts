import { fixed, isPosthornError, PartialPublishError, type Transport } from '@posthorn/transport'
import { Ledger, type Disturbance, type SendOutcome } from './ledger.ts'
import { retryDelayMs, scriptedHandler, type ModelProcess } from './scripted-handler.ts'
import type { Bench } from '../bench/bench.ts'
import type { Command, Program } from './program.ts'

/** Where the program's messages go. */
export interface ProgramTarget {
  readonly kind: 'queue' | 'topic'
  readonly keyed: boolean
}

const maxAttempts = 4
const firstConcurrency = 3
const mostProcesses = 3
/** A settlement that fails is tried again for so long. */
const settleRetriesMs = 60_000
/** By then, whatever can still happen has happened. */
const longestMs = 24 * 3_600_000
const longestDelayMs = 5_000
/** A confirmation that was lost is not waited for by a real clock for long. */
const realSendTimeoutMs = 3_000

/** Runs a program against a broker, with the model beside it; fails where they differ. */
export async function runProgram(bench: Bench, target: ProgramTarget, program: Program): Promise<void> {
  const run = await ProgramRun.create(bench, target)
  for (const command of program) await run.execute(command)
  await run.finish()
}

class ProgramRun {
  private readonly bench: Bench
  private readonly target: ProgramTarget
  private readonly sender: Transport
  private readonly destination: string
  private readonly sources: readonly string[]
  private readonly ledger: Ledger
  private readonly processes: ModelProcess[] = []
  private readonly sends: Promise<void>[] = []
  private failure: unknown
  private started = 0
  private sent = 0
  private settlementsFail = false

  private constructor(bench: Bench, target: ProgramTarget, sender: Transport) {
    this.bench = bench
    this.target = target
    this.sender = sender
    this.destination = bench.name('orders')
    this.sources =
      target.kind === 'queue' ? [this.destination] : [`${this.destination}/a`, `${this.destination}/b`]
    this.ledger = new Ledger({
      maxAttempts,
      holdKey: target.keyed,
      countsFailures: bench.countsFailures,
      keepsDelays: bench.has('delayedRetry') || bench.has('uncountedRelease'),
    })
  }

  static async create(bench: Bench, target: ProgramTarget): Promise<ProgramRun> {
    const run = new ProgramRun(bench, target, await bench.open())
    const { destination } = run
    if (target.keyed) await bench.declareKeyed(run.sender, destination)
    else if (target.kind === 'queue') await run.sender.declare({ queues: [{ name: destination }] })
    else
      await run.sender.declare({ subscriptions: ['a', 'b'].map((group) => ({ topic: destination, group })) })
    await run.start()
    return run
  }

  async execute(command: Command): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    const { bench } = this
    switch (command.do) {
      case 'send':
        return this.send(command)
      case 'advance':
        return bench.advance(command.ms)
      case 'start':
        return this.start()
      case 'loseConfirmations':
      case 'rejectPublishes':
        return bench.faults[command.do](command.count)
      case 'failSettlements':
      case 'failDeadLetters':
        this.settlementsFail = true
        return bench.faults[command.do](command.count)
      case 'dropLeases':
      case 'revoke':
      case 'endConsumers': {
        const source = this.sources[command.source % this.sources.length] as string
        // A source that never had a consumer has no leases.
        await this.disturb(undefined, source, () => bench.faults[command.do](source))
        if (command.do === 'dropLeases') this.ledger.loosen(source)
        return
      }
      case 'stop':
      case 'kill':
      case 'cut':
      case 'pause':
      case 'resume':
      case 'concurrency':
        return this.onProcess(command)
    }
  }

  private async onProcess(command: Extract<Command, { readonly process: number }>): Promise<void> {
    const alive = this.processes.filter((process) => process.alive)
    const process = alive[command.process % Math.max(1, alive.length)]
    if (process === undefined) return
    const { transport, consumers, name } = process
    switch (command.do) {
      case 'pause':
        for (const consumer of consumers) consumer.pause()
        return
      case 'resume':
        for (const consumer of consumers) consumer.resume()
        return
      case 'concurrency':
        process.concurrency = Math.max(command.concurrency, process.running)
        for (const consumer of consumers) consumer.setConcurrency(command.concurrency)
        return
      case 'cut':
        return this.disturb(name, undefined, () => this.bench.faults.cut(transport))
      case 'kill':
        process.alive = false
        process.killed = true
        return this.disturb(name, undefined, () => this.bench.faults.kill(transport))
      case 'stop':
        process.alive = false
        // Handlers that outlast the deadline lose their messages, and those that fail meanwhile may fail or not.
        return this.disturb(name, undefined, () => transport.close({ deadlineMs: 1_000 }))
    }
  }

  /**
   * What is held when a fault comes, or was settled just before, may come again as it was: while the fault takes effect,
   * and until it is noticed.
   */
  private async disturb(
    process: string | undefined,
    source: string | undefined,
    fault: () => Promise<unknown>,
  ): Promise<void> {
    const { bench, ledger } = this
    const since = bench.now() - bench.slackMs - (this.settlementsFail ? settleRetriesMs : 0)
    const disturbance: Disturbance = { process, source, since, until: Infinity }
    ledger.disturb(disturbance)
    await fault()
    disturbance.until = bench.now() + bench.slackMs
  }

  private async start(): Promise<void> {
    if (this.processes.filter((process) => process.alive).length >= mostProcesses) return
    const { bench, target, sources, destination } = this
    const transport = await bench.open()
    const process: ModelProcess = {
      name: `process ${this.started++}`,
      transport,
      consumers: [],
      concurrency: firstConcurrency,
      running: 0,
      alive: true,
      killed: false,
    }
    transport.on('expired', ({ id, source }) => {
      if (!process.killed) this.ledger.find(source, id).expired = true
    })
    transport.on('deadLettered', ({ id, source }) => {
      if (!process.killed) this.ledger.find(source, id).buried = true
    })
    const options = {
      concurrency: firstConcurrency,
      prefetch: 8,
      maxAttempts,
      // Here only handlers' answers end a message.
      maxDeliveries: 1_000_000,
      retryDelay: fixed(retryDelayMs),
      ...(target.keyed ? { order: 'key' as const } : {}),
    }
    for (const source of sources) {
      const handler = scriptedHandler(bench, this.ledger, process, source, (error) => {
        this.failure ??= error
      })
      const group = source.slice(destination.length + 1)
      process.consumers.push(
        target.kind === 'queue'
          ? await transport.consume(source, handler, options)
          : await transport.subscribe(destination, handler, { ...options, group }),
      )
    }
    this.processes.push(process)
  }

  private async send(command: Extract<Command, { readonly do: 'send' }>): Promise<void> {
    const { bench, sender, sources, destination, target } = this
    const now = bench.now()
    const id = `m${this.sent++}`
    const expiresAt = command.expiresInMs === undefined ? undefined : now + command.expiresInMs
    const key = command.key === undefined ? undefined : `k${command.key}`
    const fields = { id, key, script: command.script, expiresAt, notBefore: now + (command.delayMs ?? 0) }
    const entries = sources.map((source) => this.ledger.sent(source, fields))
    const message = {
      data: null,
      id,
      ...(key === undefined ? {} : { key }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(command.delayMs === undefined ? {} : { delayMs: command.delayMs }),
    }
    const options = bench.virtual ? {} : { timeoutMs: realSendTimeoutMs }
    const told = (outcome: SendOutcome): void => {
      for (const entry of entries) entry.outcome = outcome
    }
    const sending =
      target.kind === 'queue'
        ? sender.send(destination, message, options)
        : sender.publish(destination, message, options)
    this.sends.push(
      sending.then(
        () => told('confirmed'),
        (error: unknown) => {
          if (
            isPosthornError(error) &&
            !(error instanceof PartialPublishError) &&
            error.outcome !== undefined
          )
            told(error.outcome)
          else this.failure ??= error
        },
      ),
    )
    // Sends of one turn travel together; what comes after is later.
    await sending.catch(() => undefined)
  }

  /** No more faults: all that is there has to end. */
  async finish(): Promise<void> {
    const { bench, ledger, sources, sender } = this
    await Promise.all(this.sends)
    if (this.processes.every((process) => !process.alive)) await this.start()
    for (const process of this.processes)
      if (process.alive) for (const consumer of process.consumers) consumer.resume()
    const isEmpty = async (): Promise<boolean> => {
      if (this.failure !== undefined) return true
      for (const source of sources) {
        const { ready, delayed, inFlight } = await sender.depth(source)
        if ((ready ?? 0) + (delayed ?? 0) + (inFlight ?? 0) > 0) return false
        if (delayed === undefined) isBlind = true
      }
      return this.ended()
    }
    const empty = (): Promise<void> =>
      bench.until('everything that was sent has ended', isEmpty, bench.virtual ? longestMs : undefined)
    let isBlind = false
    await empty()
    // Where a broker does not say what waits for its time, the longest delay of a program has to pass without a call.
    for (let calls = -1; isBlind && calls !== ledger.calls;) {
      calls = ledger.calls
      await bench.pause(longestDelayMs + bench.lateness('delayedRetry', longestDelayMs))
      await empty()
    }
    // A consumer may take its time to be back, with what no depth shows; what never comes is told by the model.
    const ended = (): boolean => this.failure !== undefined || ledger.haveEnded(bench.now())
    if (isBlind) await bench.until('each message has ended', ended).catch(() => undefined)
    await bench.quiet()
    if (this.failure !== undefined) throw this.failure
    const letters = new Map<string, Map<string, number[]>>()
    for (const source of sources) {
      const found = new Map<string, number[]>()
      const { entries } = await sender.deadLetters(source).page({ limit: 1_000 })
      for (const { id, attempts } of entries) found.set(id, [...(found.get(id) ?? []), attempts])
      letters.set(source, found)
    }
    const found = await this.whatIsLeft()
    ledger.finished(bench.now(), (source) => letters.get(source) ?? new Map(), found)
  }

  /** For what the model says of a message that has not ended. */
  private async whatIsLeft(): Promise<string> {
    const depths = await Promise.all(
      this.sources.map(async (source) => `${source} has ${JSON.stringify(await this.sender.depth(source))}`),
    )
    const consumers = this.processes
      .filter(({ alive }) => alive)
      .flatMap((process) => process.consumers.map((consumer) => JSON.stringify(consumer.health())))
    return [...depths, ...consumers].join('; ')
  }

  /** Whether no handler runs in a process that lives. */
  private ended(): boolean {
    return this.processes.every((process) => !process.alive || process.running === 0)
  }
}
