import { readDepths, sources } from './depths.ts'
import { exportDeadLetters, groupDeadLetters, replayDeadLetters } from './dead-letters.ts'
import type { SourceGroup } from './dead-letters.ts'
import { sleep } from './run-parts.ts'
import type { RunParts } from './run-parts.ts'
import type { ShopBroker } from './shop-broker.ts'
import type { CutOff, Staff } from './staff.ts'
import { untilIdle } from './until-idle.ts'
import { addImages, addReports, takeOrder } from '../services/intake.ts'

export interface PosthornReport extends Pick<Staff, 'restarts' | 'events'> {
  /** Lines handed over. */
  readonly published: number
  /** Dead letters that were given back. */
  readonly replayed: number
  /** Of the dead letters that are left. */
  readonly groups: readonly SourceGroup[]
  /** Of a run that was ended early. */
  readonly left: Left | undefined
}

export interface Left extends CutOff {
  /** Messages at each source that were not done with, and in the outbox. */
  readonly queued: Readonly<Record<string, number>>
}

/** Runs all services over all lines until nothing is left to do, or until it is told to end. */
export async function runPosthornVersion(
  broker: ShopBroker,
  parts: RunParts,
  folder: string,
): Promise<PosthornReport> {
  const staff = broker.hire(parts, folder)
  return Promise.race([staff.failed, run(broker, staff, parts, folder)])
}

async function run(
  broker: ShopBroker,
  staff: Staff,
  parts: RunParts,
  folder: string,
): Promise<PosthornReport> {
  const { clock, lines, signal } = parts
  const office = await broker.connect('office')
  parts.onMetrics(await staff.start())
  await addImages(office)
  let published = 0
  for (const line of lines) {
    if (signal.aborted) break
    await takeOrder(office, line, published + 1)
    if (parts.isSentTwice(line)) await takeOrder(office, line, published + 1)
    parts.onLine(++published)
    await sleep(clock, parts.paceMs)
  }
  await untilIdle(office, parts)
  if (!signal.aborted) await addReports(office)
  await untilIdle(office, parts)
  let replayed = 0
  if (parts.replay && !signal.aborted) {
    parts.repair()
    replayed = await replayDeadLetters(office, sources, folder)
    await untilIdle(office, parts)
  }

  const cutOff = await staff.stop()
  const { waiting } = await parts.charges.store.outbox.depth()
  const queued = { ...(await readDepths(office)), outbox: waiting }
  await exportDeadLetters(office, sources, folder)
  const groups = await groupDeadLetters(office, sources)
  await office.close()
  const { restarts, events } = staff
  return {
    published,
    replayed,
    groups,
    restarts,
    events,
    left: signal.aborted ? { queued, ...cutOff } : undefined,
  }
}
