/** A number that goes up, or, as a gauge, wherever it is put. */
export class Counter {
  value = 0

  add(count: number = 1): void {
    this.value += count
  }
}
