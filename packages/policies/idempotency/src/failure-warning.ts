import { isStoreError } from '@posthorn/store'
import { warn } from './warn.ts'

/** Warns of the first failure of several in a row; not of a busy database, which is no trouble and passes. */
export class FailureWarning {
  private isTold = false

  failed(error: unknown): void {
    if (this.isTold || (isStoreError(error) && error.code === 'POSTHORN_STORE_BUSY')) return
    this.isTold = true
    warn(error)
  }

  succeeded(): void {
    this.isTold = false
  }
}
