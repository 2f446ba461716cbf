interface TrieNode<T> {
  readonly words: Map<string, TrieNode<T>>
  /** After `*`. */
  one: TrieNode<T> | undefined
  /** After `#`; stays with every further word. */
  many: TrieNode<T> | undefined
  readonly isMany: boolean
  /** Of the patterns that end here. */
  readonly values: Set<T>
  /** The last step of a walk that came here, so that no walk comes twice. */
  step: number
}

/** Values by AMQP pattern. */
export interface PatternTrie<T> {
  add(pattern: string, value: T): void
  remove(pattern: string, value: T): void
  /** Calls `visit` with the values of each matching pattern until it answers true; answers whether it did. */
  find(routingKey: string, visit: (values: ReadonlySet<T>) => boolean): boolean
}

/** The work of a walk is at most the words of the key times the nodes of the trie, whatever the patterns are. */
export function createPatternTrie<T>(): PatternTrie<T> {
  const createNode = (isMany: boolean): TrieNode<T> => ({
    words: new Map(),
    one: undefined,
    many: undefined,
    isMany,
    values: new Set(),
    step: 0,
  })
  const root = createNode(false)
  let step = 0
  let current: TrieNode<T>[] = []
  let next: TrieNode<T>[] = []

  function getChild(node: TrieNode<T>, word: string): TrieNode<T> | undefined {
    return word === '*' ? node.one : word === '#' ? node.many : node.words.get(word)
  }

  function setChild(node: TrieNode<T>, word: string, child: TrieNode<T> | undefined): void {
    if (word === '*') node.one = child
    else if (word === '#') node.many = child
    else if (child === undefined) node.words.delete(word)
    else node.words.set(word, child)
  }

  const isEmpty = (node: TrieNode<T>): boolean =>
    node.values.size === 0 && node.words.size === 0 && node.one === undefined && node.many === undefined

  /** Enters a node and, since `#` may stand for no word, the one after it. */
  function enter(node: TrieNode<T> | undefined): void {
    for (let entered = node; entered !== undefined && entered.step !== step; entered = entered.many) {
      entered.step = step
      next.push(entered)
    }
  }

  function takeStep(): void {
    const left = current
    current = next
    next = left
    next.length = 0
    step += 1
  }

  return {
    add(pattern, value) {
      let node = root
      for (const word of pattern.split('.')) {
        let child = getChild(node, word)
        if (child === undefined) {
          child = createNode(word === '#')
          setChild(node, word, child)
        }
        node = child
      }
      node.values.add(value)
    },

    remove(pattern, value) {
      const path: { readonly node: TrieNode<T>; readonly word: string }[] = []
      let node: TrieNode<T> | undefined = root
      for (const word of pattern.split('.')) {
        path.push({ node, word })
        node = getChild(node, word)
        if (node === undefined) return
      }
      node.values.delete(value)
      for (const { node: parent, word } of path.reverse()) {
        if (!isEmpty(getChild(parent, word)!)) return
        setChild(parent, word, undefined)
      }
    },

    find(routingKey, visit) {
      next.length = 0
      step += 1
      enter(root)
      takeStep()
      // As RabbitMQ has it, an empty routing key has no word.
      if (routingKey !== '') {
        for (const word of routingKey.split('.')) {
          for (const node of current) {
            if (node.isMany) enter(node)
            enter(node.one)
            enter(node.words.get(word))
          }
          takeStep()
          if (current.length === 0) return false
        }
      }
      for (const node of current) {
        if (node.values.size > 0 && visit(node.values)) return true
      }
      return false
    },
  }
}
