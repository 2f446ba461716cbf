import type { CloseOnSignalsOptions, CloseReport, Transport } from './contract/transport.ts'

const signals = ['SIGTERM', 'SIGINT'] as const
const numbers = { SIGTERM: 15, SIGINT: 2 } as const

/** See `Transport.closeOnSignals`. */
export function closeOnSignals(transport: Pick<Transport, 'close'>, options: CloseOnSignalsOptions = {}): () => void {
  let closing = false
  const undo = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = (signal: (typeof signals)[number]): void => {
    if (closing) process.exit(128 + numbers[signal])
    closing = true
    void transport.close(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }).then((report) => {
      undo()
      process.exit(tell(options, report) && report.clean ? 0 : 1)
    })
  }
  for (const signal of signals) process.on(signal, onSignal)
  return undo
}

/** The callback may not keep the process from ending. */
function tell(options: CloseOnSignalsOptions, report: CloseReport): boolean {
  try {
    options.onClosed?.(report)
    return true
  } catch (error) {
    process.exitCode = 1
    console.error('closeOnSignals: onClosed threw', error)
    return false
  }
}
