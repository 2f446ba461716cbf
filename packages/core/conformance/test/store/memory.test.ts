import { describeStore } from '@posthorn/conformance'
import { memoryStoreSubject } from './memory-subject.ts'

describeStore({ ...memoryStoreSubject(), programs: 1_000 })
