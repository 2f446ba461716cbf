export { createVirtualClock } from './testing/virtual-clock.ts'
export type { RunUntilOptions, VirtualClock, VirtualClockOptions } from './testing/virtual-clock.ts'
