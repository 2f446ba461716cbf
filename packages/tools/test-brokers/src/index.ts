export { ServerUnavailable } from './install/server-unavailable.ts'
export type { KafkaVersion } from './kafka/find-kafka.ts'
export type { KafkaOptions, KafkaServer } from './kafka/kafka-server.ts'
export { startKafka, tryStartKafka } from './kafka/start-kafka.ts'
export { openLedger, type Ledger, type LedgerEntry } from './ledger/open-ledger.ts'
export { readLedger } from './ledger/read-ledger.ts'
export { startPostgres, tryStartPostgres } from './postgres/start-postgres.ts'
export { findFreePorts } from './process/find-free-ports.ts'
export type { TestServer } from './process/test-server.ts'
export { tryFindOpenssl } from './programs/find-openssl.ts'
export { tryFindKafkaPython, tryFindPika } from './programs/find-python-client.ts'
export { makeCertificates, type Certificates } from './programs/make-certificates.ts'
export { readmeOptions, shownDefaults, type ReadmeOptions } from './programs/readme-options.ts'
export { readmeSnippets, type ReadmeSnippets } from './programs/readme-snippets.ts'
export { runPython, startPython } from './programs/run-python.ts'
export { tryFindPromtool, tryStartPrometheus, type PrometheusOptions } from './prometheus/start-prometheus.ts'
export { amqpMethods, type AmqpFrame } from './proxy/amqp-frame.ts'
export type { FrameChange } from './proxy/frame-editor.ts'
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
export { startRedis, tryStartRedis, type RedisOptions } from './redis/start-redis.ts'
export { seededRandom } from './seeded-random.ts'
export {
  connectWorker,
  type WorkerConnection,
  type WorkerMessage,
  type WorkerParameters,
} from './worker/connect-worker.ts'
export { startWorker, type WorkerExit, type WorkerProcess } from './worker/start-worker.ts'
