export interface Product {
  readonly sku: string
  readonly name: string
  /** Cents. */
  readonly price: number
  /** Of its picture. */
  readonly colour: string
}

/** What the shop sells. */
export const catalogue: readonly Product[] = [
  { sku: 'HORN-BRASS', name: 'Brass posthorn', price: 18_900, colour: '#c9962b' },
  { sku: 'PEN-FOUNTAIN', name: 'Fountain pen', price: 6_450, colour: '#27374d' },
  { sku: 'INK-BLUE', name: 'Ink, royal blue, 50 ml', price: 1_190, colour: '#2b4fa8' },
  { sku: 'INK-SEPIA', name: 'Ink, sepia, 50 ml', price: 1_190, colour: '#7a5230' },
  { sku: 'PAPER-LAID', name: 'Laid paper, 50 sheets', price: 1_850, colour: '#d8cdb4' },
  { sku: 'ENV-C6', name: 'Envelopes C6, pack of 25', price: 790, colour: '#a7b59e' },
  { sku: 'ENV-AIR', name: 'Airmail envelopes, pack of 25', price: 920, colour: '#c8413b' },
  { sku: 'WAX-RED', name: 'Sealing wax, red', price: 640, colour: '#9d1c20' },
  { sku: 'SEAL-INIT', name: 'Seal with an initial', price: 2_380, colour: '#8a6f3c' },
  { sku: 'ALBUM-STAMP', name: 'Stamp album, 64 pages', price: 3_275, colour: '#3f5d48' },
  { sku: 'SCALE-LETTER', name: 'Letter scale', price: 4_990, colour: '#6b7280' },
  { sku: 'KNIFE-PAPER', name: 'Letter opener', price: 1_580, colour: '#94a3b8' },
]

const bySku: ReadonlyMap<string, Product> = new Map(catalogue.map((product) => [product.sku, product]))

export function findProduct(sku: string): Product | undefined {
  return bySku.get(sku)
}
