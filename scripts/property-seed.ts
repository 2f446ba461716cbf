import fc from 'fast-check'

// A change is judged by the same cases each time. `POSTHORN_PROPERTY_SEED=random` looks for new ones; what it finds is told with
// its seed, to be given here again, and becomes a test of its own.
const given = process.env['POSTHORN_PROPERTY_SEED'] ?? '20261124'
if (given !== 'random' && !/^-?\d+$/.test(given))
  throw new Error(`POSTHORN_PROPERTY_SEED is "${given}": use a whole number, or "random".`)
fc.configureGlobal(given === 'random' ? {} : { seed: Number(given) })
