/** The line that a finished step prints, in a column with the others. */
export function stepLine(name: string, ok: boolean, startedAt: number, note = ''): string {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  return `${ok ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)} ${seconds.padStart(5)} s  ${note}`.trimEnd()
}
