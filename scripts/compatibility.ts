// Writes docs/compatibility.md from the results of the conformance runs.
import { writeCompatibilityPage } from './write-compatibility-page.ts'

const runs = writeCompatibilityPage()
console.log(`docs/compatibility.md: ${runs} ${runs === 1 ? 'run' : 'runs'}`)
