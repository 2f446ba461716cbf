import { connectFailed } from './connect-error.ts'
import type { Cluster } from './cluster.ts'
import type { Connections } from './client/connections.ts'
import type { DriverHost } from '@posthorn/transport/driver'

/** Milliseconds between two looks at a cluster that is not reached. */
const firstPauseMs = 100
const longestPauseMs = 2_000

/** Whenever a connection ends, looks whether the cluster can still be reached, and tells. */
export function watchReach(connections: Connections, cluster: Cluster, host: DriverHost): void {
  let isLooking = false
  async function look(): Promise<void> {
    if (isLooking || connections.isClosed) return
    isLooking = true
    let isAway = false
    for (let pauseMs = firstPauseMs; !connections.isClosed; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
      try {
        await cluster.refresh([])
        break
      } catch (error) {
        if (connections.isClosed) break
        const problem = connectFailed(error)
        // Only a new connection can end the tries.
        if (!problem.retryable) return host.lost(problem)
        isAway = true
        host.unreachable(problem.message)
      }
      await cluster.pause(pauseMs)
    }
    isLooking = false
    if (isAway && !connections.isClosed) host.unreachable(undefined)
  }
  connections.onEnd = () => void look()
}
