export { openTelemetry } from './open-telemetry/open-telemetry.ts'
export type { OpenTelemetry, OpenTelemetryOptions } from './open-telemetry/open-telemetry.ts'
export { exportTo } from './open-telemetry/export-to.ts'
