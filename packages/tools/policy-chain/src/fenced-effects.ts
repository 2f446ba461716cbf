import { TaskError } from './tasks.ts'

/** A system that refuses whoever comes with a lower fence than it has seen. */
export class FencedEffects {
  private readonly isFenced: boolean
  private readonly fences = new Map<string, number[]>()

  constructor(isFenced: boolean) {
    this.isFenced = isFenced
  }

  write(id: string, fence: number): void {
    const fences = this.fences.get(id) ?? []
    if (this.isFenced && fences.some((seen) => seen > fence)) throw new TaskError('stale owner')
    this.fences.set(id, [...fences, fence])
  }

  /** The fences under which it was written, in this order. */
  of(id: string): readonly number[] {
    return this.fences.get(id) ?? []
  }
}
