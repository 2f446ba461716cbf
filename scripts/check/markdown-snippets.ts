/** A fenced block of a Markdown file. */
interface Fence {
  readonly line: number
  readonly language: string
  readonly words: readonly string[]
  readonly text: string
}

/** A block of TypeScript that has to be valid. */
export interface Snippet {
  /** Where its first line stands in the Markdown file, counted from 1. */
  readonly line: number
  readonly text: string
  /** False for a block marked `no-run`, which is type-checked only. */
  readonly run: boolean
  /** What it has to print, from the `text output` block after it. */
  readonly output?: string
}

export interface MarkdownSnippets {
  readonly snippets: readonly Snippet[]
  /** Blocks that are not written so that they can be checked, one line each, starting with the line's number. */
  readonly problems: readonly string[]
}

const otherLanguages = new Set(['typescript', 'js', 'javascript', 'mjs', 'tsx', 'jsx', 'mts'])

/**
 * The TypeScript in a Markdown file. Every `ts` block is checked and run; `ts no-run` is only checked, and
 * `ts fragment` is left alone. A `text output` block says what the block before it prints.
 */
export function readSnippets(markdown: string): MarkdownSnippets {
  const snippets: Snippet[] = []
  const problems: string[] = []
  // The block that an output block would belong to.
  let last: Snippet | undefined

  for (const { line, language, words, text } of readFences(markdown)) {
    const mark = words.join(' ')
    if (language === 'text' && mark === 'output') {
      if (last?.run) snippets[snippets.length - 1] = { ...last, output: text.trim() }
      else problems.push(`${line}: an output block has to follow a block that runs`)
      last = undefined
      continue
    }
    last = undefined
    if (otherLanguages.has(language) && mark !== 'fragment') {
      problems.push(`${line}: write \`ts\`, so that the block is checked, or \`${language} fragment\``)
    }
    if (language !== 'ts' || mark === 'fragment') continue
    if (mark !== '' && mark !== 'no-run') {
      problems.push(`${line}: \`ts ${mark}\`: the marks are \`no-run\` and \`fragment\``)
      continue
    }
    last = { line, text, run: mark === '' }
    snippets.push(last)
  }
  return { snippets, problems }
}

function readFences(markdown: string): Fence[] {
  const fences: Fence[] = []
  let open: { indent: number; marker: string; info: string; line: number; body: string[] } | undefined

  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    const [, indent = '', marker = '', info = ''] = /^( *)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (open === undefined) {
      // A backtick after the marker makes it code within a line of text.
      if (marker !== '' && !info.includes('`')) {
        open = { indent: indent.length, marker, info, line: index + 2, body: [] }
      }
    } else if (marker.startsWith(open.marker) && info.trim() === '') {
      const [language = '', ...words] = open.info.trim().split(/\s+/)
      fences.push({ line: open.line, language, words, text: open.body.join('\n') })
      open = undefined
    } else {
      // A block inside a list is indented as a whole.
      open.body.push(line.slice(Math.min(open.indent, line.length - line.trimStart().length)))
    }
  }
  return fences
}
