import type { CloseOnSignalsOptions, CloseReport, Transport } from './contract/transport.ts'

const signals = ['SIGTERM', 'SIGINT'] as const
const numbers = { SIGTERM: 15, SIGINT: 2 } as const

/** Closes one transport; answers whether it left nothing behind. Never rejects. */
type Closer = () => Promise<boolean>

/** All of this process: it ends when the last of them is closed, not with the first. */
const closers = new Set<Closer>()
let closing = false

/** See `Transport.closeOnSignals`. */
export function closeOnSignals(
  transport: Pick<Transport, 'close'>,
  options: CloseOnSignalsOptions = {},
): () => void {
  const { deadlineMs, onClosed } = options
  const closer: Closer = async () => {
    try {
      const report = await transport.close(deadlineMs === undefined ? {} : { deadlineMs })
      return tell(onClosed, report) && report.clean
    } catch {
      return false
    }
  }
  if (closers.size === 0) for (const signal of signals) process.on(signal, onSignal)
  closers.add(closer)
  return () => {
    // While closing, a second signal must find its listener.
    if (closers.delete(closer) && closers.size === 0 && !closing) stopListening()
  }
}

function onSignal(signal: (typeof signals)[number]): void {
  if (closing) process.exit(128 + numbers[signal])
  closing = true
  void Promise.all([...closers].map((close) => close())).then((clean) => {
    process.exit(clean.every(Boolean) ? 0 : 1)
  })
}

function stopListening(): void {
  for (const signal of signals) process.off(signal, onSignal)
}

/** The callback may not keep the process from ending. */
function tell(onClosed: ((report: CloseReport) => void) | undefined, report: CloseReport): boolean {
  try {
    onClosed?.(report)
    return true
  } catch (error) {
    // The process ends here, and nobody else can tell its user.
    // oxlint-disable-next-line no-console
    console.error('closeOnSignals: onClosed threw', error)
    return false
  }
}
