import { createPatternTrie } from './pattern-trie.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from '../options/show-value.ts'

const maxPatternBytes = 255
const maxCachedKeys = 1_024

/**
 * Throws `POSTHORN_INVALID_PATTERN` unless it is an AMQP pattern: words with dots between them, `*` for exactly one
 * word, `#` for none or more; at most 255 bytes.
 */
export function checkPattern(pattern: string): void {
  const refuse = (problem: string): never => {
    throw new PosthornError(
      'POSTHORN_INVALID_PATTERN',
      `The pattern ${showValue(pattern)} ${problem}. Write words with dots between them, \`*\` for one word, \`#\` for none or more.`,
      { phase: 'options' },
    )
  }
  if (typeof pattern !== 'string') return refuse('is not a string')
  if (pattern === '') return refuse('is empty')
  const bytes = Buffer.byteLength(pattern)
  if (bytes > maxPatternBytes) return refuse(`is ${bytes} bytes long, more than ${maxPatternBytes}`)
  for (const word of pattern.split('.')) {
    if (word === '') return refuse('has an empty word')
    if (word.length > 1 && (word.includes('*') || word.includes('#'))) {
      return refuse(`has the word ${showValue(word)}, in which \`*\` or \`#\` is not alone`)
    }
  }
}

/** Whether a routing key matches one of the patterns; without patterns none does. Throws as `checkPattern` does. */
export function createMatcher(patterns: readonly string[]): (routingKey: string) => boolean {
  patterns.forEach(checkPattern)
  if (patterns.includes('#')) return () => true
  if (patterns.every((pattern) => !pattern.includes('*') && !pattern.includes('#'))) {
    const keys = new Set(patterns)
    return (routingKey) => keys.has(routingKey)
  }
  const trie = createPatternTrie<true>()
  for (const pattern of patterns) trie.add(pattern, true)
  const stop = (): boolean => true
  return (routingKey) => trie.find(routingKey, stop)
}

/** For a single question; `createMatcher` is for many. */
export function matchesPattern(pattern: string, routingKey: string): boolean {
  return createMatcher([pattern])(routingKey)
}

/** Finds the values whose patterns match a routing key. */
export interface Router<T> {
  /** Throws as `checkPattern` does. Adding the same again changes nothing. */
  add(pattern: string, value: T): void
  remove(pattern: string, value: T): void
  /** Each value once, however many of its patterns match. The array is shared: do not keep or change it. */
  route(routingKey: string): readonly T[]
}

export function createRouter<T>(): Router<T> {
  const trie = createPatternTrie<T>()
  const cache = new Map<string, readonly T[]>()

  function find(routingKey: string): readonly T[] {
    const found = new Set<T>()
    trie.find(routingKey, (values) => {
      for (const value of values) found.add(value)
      return false
    })
    return [...found]
  }

  return {
    add(pattern, value) {
      checkPattern(pattern)
      trie.add(pattern, value)
      cache.clear()
    },
    remove(pattern, value) {
      trie.remove(pattern, value)
      cache.clear()
    },
    route(routingKey) {
      let values = cache.get(routingKey)
      if (values === undefined) {
        values = find(routingKey)
        if (cache.size >= maxCachedKeys) cache.delete(cache.keys().next().value!)
        cache.set(routingKey, values)
      }
      return values
    },
  }
}
