import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Things that may happen once. */
export interface Claims {
  /** True for the first who asks for this name, ever. */
  claim(name: string): boolean
}

export function createClaims(): Claims {
  const claimed = new Set<string>()
  return {
    claim(name) {
      const isFirst = !claimed.has(name)
      claimed.add(name)
      return isFirst
    },
  }
}

/** Claims of several processes, which stay when one of them is killed: a file for each, created exclusively. */
export function createSharedClaims(folder: string): Claims {
  mkdirSync(folder, { recursive: true })
  return {
    claim(name) {
      try {
        writeFileSync(join(folder, encodeURIComponent(name)), '', { flag: 'wx' })
        return true
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      }
    },
  }
}
