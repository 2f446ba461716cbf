/**
 * Answers items in batches in which no key comes twice, for databases that can change a row only once in a statement: the
 * first of each key together, then the second ones, and so on.
 */
export async function inRounds<Item, Answer>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  run: (round: readonly Item[]) => Promise<readonly Answer[]>,
): Promise<Answer[]> {
  const answers: Answer[] = []
  let waiting = items.map((item, index) => ({ item, index }))
  while (waiting.length > 0) {
    const keys = new Set<string>()
    const later: typeof waiting = []
    const round = waiting.filter((entry) => {
      const key = keyOf(entry.item)
      if (keys.has(key)) later.push(entry)
      return !keys.has(key) && keys.add(key)
    })
    const given = await run(round.map(({ item }) => item))
    for (const [place, { index }] of round.entries()) answers[index] = given[place] as Answer
    waiting = later
  }
  return answers
}
