import { startTcpProxy, type Direction, type PendingCut, type TcpProxy } from '@posthorn/test-brokers'

/** Cuts come after frame 1, 2, … up to this one. */
const maxFrames = 60

/** At a time, each with a proxy of its own. */
const lanes = 6

export interface Cut {
  /** Of this cut alone, for the names of what it is tried on. */
  readonly name: string
  readonly lane: number
  readonly proxy: TcpProxy
  /** From now on so many frames pass, and then the connections end. */
  arm(): PendingCut
}

/** Tries `work` with a cut after every n-th frame in each direction. Rejects with the first failure, which names its cut. */
export async function forEachCut(server: string, work: (cut: Cut) => Promise<void>): Promise<void> {
  const all = Array.from({ length: maxFrames }, (_, index) => index + 1).flatMap((frames) => [
    [frames, 'toServer'] as const,
    [frames, 'toClient'] as const,
  ])
  const rest = all.values()
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (const [frames, direction] of rest) await tryOne(server, lane, frames, direction, work)
    }),
  )
}

async function tryOne(
  server: string,
  lane: number,
  frames: number,
  direction: Direction,
  work: (cut: Cut) => Promise<void>,
): Promise<void> {
  const proxy = await startTcpProxy({ target: server })
  const name = `${direction}-${frames}`
  try {
    await work({ name, lane, proxy, arm: () => proxy.cutAfterFrames(frames, direction) })
  } catch (error) {
    throw new Error(`Cut after frame ${frames} ${direction}`, { cause: error })
  } finally {
    await proxy.close()
  }
}
