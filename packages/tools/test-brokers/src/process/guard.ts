import { spawn } from 'node:child_process'
import { once } from 'node:events'

/**
 * Cleans up when this process has gone, however it went. A small shell is told what there is to clean up; it waits for
 * its input to end, which the system sees to even after a SIGKILL.
 */
export interface Guard {
  /** `mark` is a part of the process's command line, so that a number that was given away again ends nobody else. */
  watch(pid: number, mark: string): void
  /** Cleans up now, and resolves when that is done. */
  release(): Promise<void>
}

const script = `
trap '' INT TERM HUP
folder=$1
list=
newline='
'
while read -r line; do list="$list$line$newline"; done
printf %s "$list" | while read -r pid mark; do
  if [ -r /proc/$pid/cmdline ]; then command=$(tr '\\000' ' ' < /proc/$pid/cmdline)
  else command=$(ps -ww -o command= -p "$pid"); fi
  case $command in *"$mark"*) kill -KILL "$pid" ;; esac
done
if [ -n "$folder" ]; then
  rm -rf -- "$folder" || { sleep 1; rm -rf -- "$folder"; }
fi
`

/** `folder` is removed with all that is in it, after the processes. */
export function startGuard(folder?: string): Guard {
  // In a session of its own, so that Ctrl-C in the terminal does not end it together with us.
  const child = spawn('/bin/sh', ['-c', script, 'guard', folder ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const closed = once(child, 'close')
  closed.catch(() => undefined)
  // It must neither keep this process alive nor fail it.
  child.unref()
  child.stdin.on('error', () => undefined)
  if ('unref' in child.stdin) (child.stdin as unknown as { unref(): void }).unref()

  return {
    watch(pid, mark) {
      child.stdin.write(`${pid} ${mark}\n`)
    },
    async release() {
      child.ref()
      child.stdin.end()
      await closed
    },
  }
}
