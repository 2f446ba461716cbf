import type { Driver } from '../contract/driver.ts'
import { PosthornError } from '../errors.ts'
import { showValue } from './show-value.ts'

/** Throws unless it is a driver for this version of the contract. */
export function checkDriver(driver: unknown): asserts driver is Driver {
  const given = (typeof driver === 'object' && driver !== null ? driver : {}) as Partial<
    Record<keyof Driver, unknown>
  >
  const { specificationVersion, name, connect } = given
  if (specificationVersion === 'v1' && typeof name === 'string' && typeof connect === 'function') return
  const text =
    specificationVersion === undefined || specificationVersion === 'v1'
      ? `createTransport() takes a driver: { specificationVersion: 'v1', name, connect }, and got ${showValue(driver)}.`
      : `The driver ${showValue(name)} is made for version ${showValue(specificationVersion)} of the contract; this is v1. ` +
        'Install versions that fit.'
  throw new PosthornError('POSTHORN_INVALID_OPTION', text, { phase: 'options' })
}
