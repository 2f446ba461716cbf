import { createTransport } from '@posthorn/transport/driver'
import type { DeadLetter, Transport } from '@posthorn/transport'
import type { MemoryBrokerOptions, MemoryNative } from '@posthorn/transport/memory'
import { ChainProcess } from './chain-process.ts'
import { checkRun } from './check-run.ts'
import { faultySending } from './faulty-driver.ts'
import { runWorker, type ChainBreak, type RunningWorker } from './run-worker.ts'
import { queue, Stage } from './stage.ts'
import { tasks } from './tasks.ts'
import type { AppliedFault, PlannedFault, Step } from './fault-plan.ts'
import type { Form } from './form.ts'

export interface Schedule {
  readonly faults: readonly PlannedFault[]
  readonly form: (stage: Stage) => Form
  readonly broker?: MemoryBrokerOptions
  readonly broken?: ChainBreak
}

export interface Outcome {
  readonly steps: readonly Step[]
  readonly applied: readonly AppliedFault[]
  /** What is not as it was promised. */
  readonly violations: readonly string[]
  /** How often a breaker opened. */
  readonly opened: number
}

const restartMs = 2_000
/** After so long in virtual time nothing more is expected. */
const patienceMs = 900_000

/** Two workers and a producer, until all that was sent has ended and all that was broken is whole again. */
export async function runSchedule({
  faults,
  form: formOf,
  broker = {},
  broken = {},
}: Schedule): Promise<Outcome> {
  const stage = new Stage(faults, broker)
  const { clock, journal, plan } = stage
  const form = formOf(stage)
  const running = new Map<string, RunningWorker>()
  const processes: ChainProcess[] = []

  const start = (name: string, generation: number): void => {
    const process = new ChainProcess(name, generation, clock)
    processes.push(process)
    runWorker(stage, process, form, broken).then(
      (worker) => running.set(name, worker),
      (error: unknown) => {
        if (plan.applied.length === 0) journal.surprises.push(`${name} did not start: ${String(error)}`)
        // Whoever runs it starts it again.
        stage.kill(process)
      },
    )
  }
  stage.killed = ({ name, generation }) => {
    running.delete(name)
    clock.setTimer(() => start(name, generation + 1), restartMs)
  }

  const observer = await stage.broker.connect()
  let unsent = 0
  const send = async (to: Transport, id: string): Promise<void> => {
    const { type } = tasks.find((task) => task.id === id) ?? { type: 'mail' }
    const copy = `${id}#${journal.sent.add(id)}`
    await to.send(queue, { id, type, data: { task: id }, headers: { copy } })
  }
  stage.duplicate = (id = 'pay-1') => void send(observer, id)

  const producing = new ChainProcess('producer', 1, clock)
  processes.push(producing)
  const producer = await createTransport(faultySending(stage, producing), { clock })
  await producer.declare({ queues: [{ name: queue }, { name: 'receipts' }] })
  const sendUntilConfirmed = async (id: string): Promise<void> => {
    for (;;) {
      try {
        await send(producer, id)
        unsent -= 1
        return
      } catch {
        await producing.sleep(1_000)
      }
    }
  }
  for (const { id, sentAtMs } of tasks) {
    for (const atMs of sentAtMs) {
      unsent += 1
      clock.setTimer(() => void sendUntilConfirmed(id), atMs)
    }
  }
  start('worker-1', 1)
  start('worker-2', 1)

  const isEmpty = (source: string): boolean => {
    const { ready, delayed, inFlight } = (observer.native as MemoryNative).depth(source)
    return ready === 0 && delayed === 0 && inFlight === 0
  }
  const isQuiet = (): boolean =>
    unsent === 0 &&
    running.size === 2 &&
    stage.isHealed &&
    isEmpty(queue) &&
    isEmpty('receipts') &&
    form.isQuiet()
  const endAt = clock.now() + patienceMs
  let quietRounds = 0
  while (quietRounds < 2 && clock.now() < endAt) {
    await clock.advance(1_000)
    quietRounds = isQuiet() ? quietRounds + 1 : 0
  }

  const deadLetters: DeadLetter[] = [...(await observer.deadLetters(queue).page()).entries]
  const evidence = { journal, faults: plan.applied, deadLetters }
  const depth = JSON.stringify((observer.native as MemoryNative).depth(queue))
  const violations = [
    ...(quietRounds < 2
      ? [`not quiet after ${patienceMs} ms: ${unsent} not sent, ${running.size} running, ${depth}`]
      : []),
    ...journal.surprises,
    ...checkRun(evidence, form, [...running.values()]),
  ]
  for (const process of processes) process.die()
  form.close()
  return { steps: plan.steps, applied: plan.applied, violations, opened: journal.opened }
}
