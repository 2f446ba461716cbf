/** How many series there may be in all metrics together. What comes later is counted under the labels `other`. */
export class SeriesBudget {
  private left: number

  constructor(max: number) {
    this.left = max
  }

  /** Whether there is room for so many more, which is taken. */
  take(count: number = 1): boolean {
    if (this.left < count) return false
    this.left -= count
    return true
  }

  giveBack(): void {
    this.left += 1
  }
}
