import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildFolder } from './build-folder.ts'

let parent: string
let folder: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'posthorn-build-'))
  folder = join(parent, 'cache', 'server')
})

afterEach(async () => rm(parent, { recursive: true }))

async function build(text: string): Promise<void> {
  await buildFolder(folder, async (partial) => {
    expect(existsSync(folder)).toBe(false)
    await mkdir(partial)
    await writeFile(join(partial, 'file'), text)
  })
}

test('builds a folder once', async () => {
  await build('first')
  await build('second')
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('first')
})

test('leaves nothing of a folder whose making failed', async () => {
  const building = buildFolder(folder, async (partial) => {
    await mkdir(partial)
    throw new Error('no network')
  })
  await expect(building).rejects.toThrow('no network')
  expect(await readdir(join(parent, 'cache'))).toEqual([])
})

test('uses the folder that another process has made meanwhile', async () => {
  await buildFolder(folder, async (partial) => {
    await mkdir(partial)
    await mkdir(folder)
    await writeFile(join(folder, 'file'), 'of the other')
  })
  expect(await readdir(join(parent, 'cache'))).toEqual(['server'])
  expect(await readFile(join(folder, 'file'), 'utf8')).toBe('of the other')
})

test('removes what processes that are gone have left, and not what one that runs is making', async () => {
  const running = `server.${process.ppid}.partial`
  // Above the highest number that a process can have.
  for (const name of ['server.4194305.partial', running])
    await mkdir(join(parent, 'cache', name), { recursive: true })
  await build('x')
  expect((await readdir(join(parent, 'cache'))).toSorted()).toEqual(['server', running].toSorted())
})
