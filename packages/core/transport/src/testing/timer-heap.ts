export interface HeapTimer {
  readonly dueAt: number
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

const isBefore = (a: HeapTimer, b: HeapTimer): boolean =>
  a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)

/** Timers by the time at which they are due, then by the order in which they were set. */
export interface TimerHeap {
  readonly size: number
  push(timer: HeapTimer): void
  /** The first timer that is not cancelled. */
  peek(): HeapTimer | undefined
  /** Removes the first timer. */
  pop(): void
  /** Marks a timer as cancelled. */
  cancel(timer: HeapTimer): void
}

export function createTimerHeap(): TimerHeap {
  let heap: HeapTimer[] = []
  let cancelled = 0

  function push(timer: HeapTimer): void {
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!isBefore(timer, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  function pop(): void {
    const last = heap.pop()!
    if (heap.length === 0) return
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
      if (!isBefore(heap[child]!, last)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }

  return {
    get size() {
      return heap.length - cancelled
    },
    push,
    pop,
    peek() {
      while (heap[0]?.cancelled === true) {
        pop()
        cancelled -= 1
      }
      return heap[0]
    },
    cancel(timer) {
      if (timer.cancelled) return
      timer.cancelled = true
      cancelled += 1
      // Timers that are set and cancelled again and again must not pile up until their time.
      if (cancelled < 64 || cancelled * 2 < heap.length) return
      const kept = heap.filter((entry) => !entry.cancelled)
      heap = []
      cancelled = 0
      kept.forEach(push)
    },
  }
}
