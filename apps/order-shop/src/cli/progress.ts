import type { RunState, Version } from '../run/run-shop.ts'

export const versionNames: Readonly<Record<Version, string>> = { posthorn: 'Posthorn', naive: 'naive' }

/** Where progress goes to. */
export interface ProgressStream {
  readonly isTTY?: boolean
  write(text: string): unknown
}

const redrawMs = 80
const barWidth = 20

/**
 * Shows how far a version is: on a terminal one line that is drawn again and again, elsewhere a plain line for each
 * quarter. Answers how to end it; the line is gone then. With `onlyTTY` elsewhere nothing.
 */
export function showProgress(
  stream: ProgressStream,
  version: Version,
  total: number,
  state: RunState,
  onlyTTY = false,
): () => void {
  if (onlyTTY && stream.isTTY !== true) return () => undefined
  let shownQuarter = 0
  const draw = (): void => {
    const line = describe(version, total, state)
    if (stream.isTTY === true) {
      stream.write(`\r${line}\u001B[K`)
      return
    }
    const quarter = Math.floor((4 * state.published) / total)
    if (quarter > shownQuarter) stream.write(line + '\n')
    shownQuarter = quarter
  }
  const timer = setInterval(draw, redrawMs)
  draw()
  return () => {
    clearInterval(timer)
    if (stream.isTTY === true) stream.write('\r\u001B[K')
  }
}

function describe(version: Version, total: number, { published, ledger }: RunState): string {
  const full = total === 0 ? barWidth : Math.floor((barWidth * published) / total)
  const bar = `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}]`
  const count = `${published}/${total}`.padStart(9)
  const done = `${ledger.count('charge')} charged, ${ledger.count('email')} e-mails`
  return `${versionNames[version].padEnd(9)} ${bar} ${count} orders  ${done}`
}
