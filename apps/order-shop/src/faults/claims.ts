import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@posthorn/transport'

/** Things that may happen once, whichever process they happen to, and whichever is killed. */
export interface Claims {
  /** True for the first who asks for this name, ever. */
  claim(name: string): boolean
  /** When it was claimed; the clock's milliseconds, `undefined` when it was not. */
  since(name: string): number | undefined
}

/** A file for each, created exclusively. */
export function createClaims(folder: string, clock: Clock): Claims {
  mkdirSync(folder, { recursive: true })
  const fileOf = (name: string): string => join(folder, encodeURIComponent(name))
  return {
    claim(name) {
      try {
        writeFileSync(fileOf(name), String(clock.now()), { flag: 'wx' })
        return true
      } catch (error) {
        if (isCode(error, 'EEXIST')) return false
        throw error
      }
    },
    since(name) {
      try {
        return Number(readFileSync(fileOf(name), 'utf8'))
      } catch (error) {
        if (isCode(error, 'ENOENT')) return undefined
        throw error
      }
    },
  }
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}
