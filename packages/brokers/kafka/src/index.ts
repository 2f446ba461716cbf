export { kafka } from './kafka.ts'
export type { KafkaOptions, TlsOptions } from './options.ts'
