/** How many series there may be in all metrics together. What comes later is counted under the labels `other`. */
export class SeriesBudget {
  private left: number

  constructor(max: number) {
    this.left = max
  }

  /** Whether there is room for one more, which is taken. */
  take(): boolean {
    if (this.left === 0) return false
    this.left -= 1
    return true
  }

  giveBack(): void {
    this.left += 1
  }
}
