import { describeStore } from '@posthorn/conformance'
import { sqliteFileSubject, sqliteMemorySubject } from './sqlite-subject.ts'

describeStore({ ...sqliteMemorySubject(), programs: 200 })
describeStore({ ...sqliteFileSubject(), programs: 50 })
