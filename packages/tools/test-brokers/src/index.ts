export { ServerUnavailable } from './install/server-unavailable.ts'
export { openLedger, type Ledger, type LedgerEntry } from './ledger/open-ledger.ts'
export { readLedger } from './ledger/read-ledger.ts'
export { findFreePorts } from './process/find-free-ports.ts'
export type { Direction, LinkShape } from './proxy/link.ts'
export type { PendingCut } from './proxy/pending-cut.ts'
export { startTcpProxy, type TcpProxy, type TcpProxyOptions } from './proxy/tcp-proxy.ts'
export type {
  RabbitmqNode,
  RabbitmqOptions,
  RabbitmqServer,
  RabbitmqVersion,
} from './rabbitmq/rabbitmq-server.ts'
export { startRabbitmq, tryStartRabbitmq } from './rabbitmq/start-rabbitmq.ts'
export {
  connectWorker,
  type WorkerConnection,
  type WorkerMessage,
  type WorkerParameters,
} from './worker/connect-worker.ts'
export { startWorker, type WorkerExit, type WorkerProcess } from './worker/start-worker.ts'
