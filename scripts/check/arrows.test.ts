import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findForbiddenArrows, listImports } from './arrows.ts'

describe('arrows', () => {
  let workspace: string
  beforeEach(() => {
    workspace = mkdtempSync(join(tmpdir(), 'arrows-'))
    addPackage('core/transport', {})
    addPackage('core/conformance', { dependencies: { '@posthorn/transport': 'workspace:^' } })
    addPackage('patterns/work-queue', {
      dependencies: { '@posthorn/transport': 'workspace:^', opossum: '1' },
    })
    addPackage('brokers/rabbitmq', {
      dependencies: { '@posthorn/transport': 'workspace:^' },
      peerDependencies: { amqplib: '2' },
    })
  })
  afterEach(() => rmSync(workspace, { recursive: true }))

  function write(file: string, text: string): void {
    const path = join(workspace, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  function addPackage(folder: string, manifest: object): void {
    const name = `@posthorn/${folder.split('/')[1]}`
    write(`packages/${folder}/package.json`, JSON.stringify({ name, version: '0.0.0', ...manifest }))
  }

  it('lets a package import what its group may import', () => {
    write(
      'packages/patterns/work-queue/src/index.ts',
      `import { send } from '@posthorn/transport'\nimport 'node:fs'`,
    )
    write('packages/patterns/work-queue/src/breaker.ts', `import Breaker from 'opossum'\nimport './index.ts'`)
    write(
      'packages/patterns/work-queue/test/a.test.ts',
      `import '@posthorn/transport/memory'\nimport 'vitest'`,
    )
    write('packages/brokers/rabbitmq/src/index.ts', `import 'amqplib'\nimport '@posthorn/transport/driver'`)
    write(
      'packages/core/conformance/src/index.ts',
      `import type { Clock } from '@posthorn/transport/testing'`,
    )
    write(
      'apps/shop/package.json',
      JSON.stringify({ name: '@posthorn/shop', version: '0.0.0', private: true }),
    )
    write('apps/shop/src/main.ts', `import '@posthorn/rabbitmq'`)
    expect(findForbiddenArrows(workspace)).toEqual([])
  })

  it.each([
    ['patterns/work-queue/src/a.ts', `import '@posthorn/rabbitmq'`, 'may import only transport, store'],
    [
      'patterns/work-queue/src/a.ts',
      `export * from '@posthorn/transport/driver'`,
      'the door /driver is not for',
    ],
    ['patterns/work-queue/src/a.ts', `import '../../../core/transport/src/index.ts'`, 'leaves the package'],
    [
      'patterns/work-queue/src/a.ts',
      `await import('fast-check')`,
      'fast-check is not among the dependencies',
    ],
    ['patterns/work-queue/test/a.test.ts', `import '@posthorn/rabbitmq'`, 'may import only transport, store'],
    [
      'brokers/rabbitmq/src/a.ts',
      `import type { Task } from '@posthorn/work-queue'`,
      'may import only transport',
    ],
    ['core/transport/src/a.ts', `type Task = import('@posthorn/work-queue').Task`, 'none of our packages'],
  ])('names the forbidden import in %s: %s', (file, text, reason) => {
    write(`packages/${file}`, text)
    expect(findForbiddenArrows(workspace)).toEqual([expect.stringContaining(reason)])
    expect(findForbiddenArrows(workspace)).toEqual([expect.stringContaining(file)])
  })

  it('finds a forbidden dependency in a package.json', () => {
    addPackage('core/transport', { dependencies: { 'p-queue': '1' } })
    addPackage('patterns/event-bus', { peerDependencies: { '@posthorn/rabbitmq': 'workspace:^' } })
    expect(findForbiddenArrows(workspace)).toEqual([
      'packages/core/transport/package.json: p-queue: transport has no dependencies',
      'packages/patterns/event-bus/package.json: @posthorn/rabbitmq: patterns/event-bus may import only transport, store',
    ])
  })
})

describe('listImports', () => {
  it('reads every form of import, and nothing from comments and strings', () => {
    const source = `
      // import 'comment'
      import a, { type B } from 'import'
      import type C from 'type'
      export { d } from 'named'
      export * from 'all'
      const e = await import('dynamic')
      type F = import('type-expression').F
      const g = require('require')
      const h = "import 'string'"`
    expect(listImports('a.ts', source).toSorted()).toEqual(
      ['import', 'type', 'named', 'all', 'dynamic', 'type-expression', 'require'].toSorted(),
    )
  })
})
