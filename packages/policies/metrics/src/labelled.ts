import type { MetricLabels } from './family.ts'
import type { SeriesBudget } from './series-budget.ts'

/** The value of the first label of what no series of its own is left for. */
export const other = 'other'

/**
 * The series of one metric by the values of its labels. Only the first label may have any value, those after it one of a
 * few; so what the budget has no room for is counted under `other` and the values of the rest.
 */
export class Labelled<Series> {
  private readonly names: readonly string[]
  private readonly budget: SeriesBudget
  private readonly create: () => Series
  private readonly known = new Map<string, { readonly values: readonly string[]; readonly series: Series }>()

  constructor(names: readonly string[], budget: SeriesBudget, create: () => Series) {
    this.names = names
    this.budget = budget
    this.create = create
  }

  /** The series of these values, in the order of the names. Looked up once and kept by who counts often. */
  of(...values: readonly string[]): Series {
    const key = values.join('\n')
    const found = this.known.get(key)
    if (found !== undefined) return found.series
    if (values[0] !== other && !this.budget.take()) return this.of(other, ...values.slice(1))
    const series = this.create()
    this.known.set(key, { values, series })
    return series
  }

  /** Forgets those that are not there any more. */
  keep(isThere: (values: readonly string[]) => boolean): void {
    for (const [key, { values }] of this.known) {
      if (isThere(values)) continue
      this.known.delete(key)
      if (values[0] !== other) this.budget.giveBack()
    }
  }

  *entries(): Generator<readonly [MetricLabels, Series]> {
    for (const { values, series } of this.known.values()) {
      yield [Object.fromEntries(this.names.map((name, index) => [name, values[index] ?? ''])), series]
    }
  }
}
