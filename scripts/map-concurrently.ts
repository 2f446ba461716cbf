import { availableParallelism } from 'node:os'

/** Like `Promise.all(items.map(work))`, with as many at a time as the machine has cores. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const queue = items.entries()
  const takeAll = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, takeAll))
  return results
}
