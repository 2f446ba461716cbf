import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultRecord } from './fault-log.ts'
import type { MemberFault, PlannedFault } from './fault-plan.ts'
import type { Member } from '../crew/member.ts'
import type { SoakServer } from '../soak-broker.ts'

export interface FaultScene {
  readonly server: SoakServer
  readonly producers: readonly Member[]
  readonly workers: readonly Member[]
  /** Which share of the messages has been handled. */
  progress(): number
  /** Aborts when there is nothing left to break. */
  readonly signal: AbortSignal
  /** Told of each fault when it is over. */
  onFault(fault: FaultRecord): void
}

const lookEveryMs = 20
/** The server is down, or a process not started again, for so long. */
const downMs = 500

/**
 * Brings the faults, each when its time has come; those of the server one after the other, all others meanwhile. Resolves
 * when the last one is over.
 */
export async function bringFaults(plan: readonly PlannedFault[], scene: FaultScene): Promise<void> {
  const underWay: Promise<void>[] = []
  for (const fault of plan) {
    while (scene.progress() < fault.at && !scene.signal.aborted) await sleep(lookEveryMs)
    if (scene.signal.aborted) break
    const { kind } = fault
    if (kind === 'server killed' || kind === 'server frozen') {
      await record(scene, kind, 'server', async () => hitServer(kind, scene.server, fault.durationMs))
    } else {
      const victim = choose(kind, scene, fault.victim)
      if (victim === undefined) continue
      underWay.push(record(scene, kind, victim.name, async () => hitMember(kind, victim, fault.durationMs)))
    }
  }
  await Promise.all(underWay)
}

async function record(
  scene: FaultScene,
  kind: FaultRecord['kind'],
  target: string,
  bring: () => Promise<void>,
): Promise<void> {
  const startedAt = Date.now()
  await bring()
  scene.onFault({ kind, target, startedAt, endedAt: Date.now() })
}

async function hitServer(
  kind: 'server killed' | 'server frozen',
  server: SoakServer,
  durationMs: number,
): Promise<void> {
  if (kind === 'server frozen') {
    server.pause()
    await sleep(durationMs)
    server.resume()
    return
  }
  await server.kill()
  await sleep(downMs)
  await server.restart()
}

function choose(kind: MemberFault, { producers, workers }: FaultScene, victim: number): Member | undefined {
  const all = kind.startsWith('connection')
    ? [...producers, ...workers]
    : kind === 'producer killed'
      ? producers
      : workers
  // Who is done has nothing left that could be lost.
  const left = all.filter(({ isDone }) => !isDone)
  return left[victim % left.length]
}

async function hitMember(kind: MemberFault, member: Member, durationMs: number): Promise<void> {
  switch (kind) {
    case 'producer killed':
    case 'worker killed':
      return member.kill()
    case 'worker frozen': {
      const { process } = member
      process.pause()
      await sleep(durationMs)
      return process.resume()
    }
    case 'connection cut':
      return member.proxy.cut()
    case 'connection reset':
      return member.proxy.reset()
    case 'connection silent':
      member.proxy.halfOpen()
      await sleep(durationMs)
      return member.proxy.heal()
  }
}
