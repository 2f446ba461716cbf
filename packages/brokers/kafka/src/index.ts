export { kafka } from './kafka.ts'
export type { PlatformaticKafka } from './client/platformatic-kafka.ts'
export type { KafkaOptions, TlsOptions } from './options.ts'
