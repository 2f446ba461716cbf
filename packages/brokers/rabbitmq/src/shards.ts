/** Keys are spread over so many slots, and slots over the shards of a source, of which there are no more. */
export const slotCount = 64

/** On messages of a topic with a key: a group with shards routes by it. */
export const slotHeader = 'posthorn-slot'

/** The same number below `slotCount` for the same key (FNV-1a, 32 bits, over UTF-16 units). */
export function slotOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index += 1) {
    hash ^= key.charCodeAt(index)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0) % slotCount
}

/** The queue of a shard. The first one is the source's own: it takes what has no key, and what others send. */
export function shardQueue(queue: string, shard: number): string {
  return shard === 0 ? queue : `${queue}~${shard}`
}

/** All queues of a source. */
export function shardQueues(queue: string, shards: number): readonly string[] {
  return Array.from({ length: shards }, (_, shard) => shardQueue(queue, shard))
}

/** The queue that a message with this key belongs to. */
export function queueForKey(queue: string, shards: number, key: string | undefined): string {
  return shards === 1 || key === undefined ? queue : shardQueue(queue, slotOf(key) % shards)
}

/** The slots of a shard. */
export function slotsOf(shard: number, shards: number): readonly number[] {
  return Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => slot % shards === shard)
}

/**
 * How much the holder of a seat wants each shard, and who has none; of those that are there, the one who wants it most gets it. With seats
 * 0 to m taken, each has as many shards as the others, or one more, and who takes the next seat moves no more than it
 * gets.
 */
export function wishesOf(seat: number | undefined, shards: number): readonly number[] {
  if (seat === undefined) return Array.from({ length: shards }, () => 0)
  const owners = Array.from({ length: shards }, () => 0)
  for (let next = 1; next <= seat; next += 1) {
    const share = Math.floor(shards / (next + 1))
    for (let taken = 0; taken < share; taken += 1) owners[richest(owners)] = next
  }
  return owners.map((owner) => (owner === seat ? seat + 1 : 0))
}

/** The last shard of whoever has most. */
function richest(owners: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return owners.findLastIndex((owner) => counts.get(owner) === most)
}
