/** A warning of the process: there is nobody else to tell. */
export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
