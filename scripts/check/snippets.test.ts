import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from '../workspace.ts'
import { readSnippets } from './markdown-snippets.ts'
import { checkSnippets } from './snippets.ts'

const fence = '```'
const block = (info: string, ...lines: string[]): string => [fence + info, ...lines, fence, ''].join('\n')

describe('readSnippets', () => {
  it('takes the TypeScript blocks, with their lines and what they print', () => {
    const markdown = [
      '# Title',
      '',
      block('ts', 'run()', ''),
      block('text output', 'ran'),
      block('sh', 'ls'),
    ].join('\n')
    expect(readSnippets(markdown)).toEqual({
      snippets: [{ line: 4, text: 'run()\n', run: true, output: 'ran' }],
      problems: [],
    })
  })

  it('leaves out only what is marked', () => {
    const markdown = [block('ts no-run', 'a'), block('ts fragment', 'b'), block('js fragment', 'c')].join(
      '\n',
    )
    expect(readSnippets(markdown)).toEqual({ snippets: [{ line: 2, text: 'a', run: false }], problems: [] })
  })

  it('takes a block out of a list, and a fence inside a longer one as text', () => {
    const markdown = [
      '- item',
      '  ```ts',
      '  if (a) {',
      '    b()',
      '  }',
      '  ```',
      '````md',
      '```ts',
      '```',
      '````',
    ]
    expect(readSnippets(markdown.join('\n')).snippets).toEqual([
      { line: 3, text: 'if (a) {\n  b()\n}', run: true },
    ])
  })

  it.each([
    [block('typescript', 'a'), '2: write `ts`'],
    [block('js', 'a'), '2: write `ts`'],
    [block('ts norun', 'a'), '2: `ts norun`: the marks are'],
    [block('text output', 'a'), '2: an output block has to follow'],
    [block('ts no-run', 'a') + block('text output', 'a'), '5: an output block has to follow'],
  ])('refuses what would go unchecked: %s', (markdown, problem) => {
    expect(readSnippets(markdown).problems).toEqual([expect.stringContaining(problem)])
  })
})

describe('checkSnippets', () => {
  let workspace: string
  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'workspace-'))
    const folder = join(workspace, 'packages/core/greeting')
    mkdirSync(join(folder, 'src'), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(workspace, 'node_modules'))
    symlinkSync(join(root, 'config'), join(workspace, 'config'))
    const manifest = {
      name: '@posthorn/greeting',
      type: 'module',
      exports: { 'posthorn-source': './src/index.ts' },
    }
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
    writeFileSync(
      join(folder, 'src/index.ts'),
      'export const greet = (name: string): string => `Hello ${name}`\n',
    )
  })
  afterEach(() => rmSync(workspace, { recursive: true }))

  const greeting = (argument: string): string[] => [
    `import { greet } from '@posthorn/greeting'`,
    `console.log(greet(${argument}))`,
  ]

  it('runs a snippet on the sources of the workspace', async () => {
    const readme = block('ts', ...greeting(`'Ann'`)) + block('text output', 'Hello Ann')
    writeFileSync(join(workspace, 'README.md'), readme)
    expect(await checkSnippets(workspace)).toEqual({ problems: [], checked: 1, run: 1 })
  })

  it('names the README and the line of a wrong type, a failure and another output', async () => {
    const readme = [
      block('ts no-run', ...greeting('1')),
      block('ts', `throw new Error('broken')`),
      block('ts', ...greeting(`'Ann'`)),
      block('text output', 'Hello Bob'),
    ]
    writeFileSync(join(workspace, 'packages/core/greeting/README.md'), readme.join('\n'))
    const { problems } = await checkSnippets(workspace)
    const file = 'packages/core/greeting/README.md'
    expect(problems).toEqual([
      expect.stringContaining(`${file}:3:19: error TS2345`),
      `${file}:7: exit code 1`,
      expect.stringContaining('Error: broken'),
      `${file}:11: it should have printed`,
      'Hello Bob',
      'but printed',
      'Hello Ann',
    ])
  })
})
