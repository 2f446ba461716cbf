import { describeKafka } from './describe-kafka.ts'

await describeKafka(3)
