import { execFile } from 'node:child_process'

/** Looks at the resident memory of processes, by the name of what they do. */
export interface MemoryWatch {
  /** `pid` is asked each time: a process that was killed is followed by another one. */
  add(name: string, pid: () => number | undefined): void
  /** Bytes. */
  largest(): Readonly<Record<string, number>>
  stop(): void
}

const lookEveryMs = 1_000

/** Uses `ps`; where there is none, all stays 0. */
export function watchMemory(): MemoryWatch {
  const watched = new Map<string, () => number | undefined>()
  const largest = new Map<string, number>()

  function look(): void {
    const names = new Map<number, string>()
    for (const [name, find] of watched) {
      const pid = find()
      if (pid !== undefined) names.set(pid, name)
    }
    if (names.size === 0) return
    execFile('ps', ['-o', 'pid=,rss=', '-p', [...names.keys()].join(',')], (_error, text) => {
      for (const line of text.trim().split('\n')) {
        const [pid = 0, kilobytes = 0] = line.trim().split(/\s+/).map(Number)
        const name = names.get(pid)
        if (name !== undefined) largest.set(name, Math.max(largest.get(name) ?? 0, kilobytes * 1_024))
      }
    })
  }

  const timer = setInterval(look, lookEveryMs)
  return {
    add: (name, pid) => void watched.set(name, pid),
    largest: () => Object.fromEntries([...watched.keys()].map((name) => [name, largest.get(name) ?? 0])),
    stop: () => clearInterval(timer),
  }
}
