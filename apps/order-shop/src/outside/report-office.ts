import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSales } from './sales-book.ts'
import type { Sale } from './sales-book.ts'
import type { Stage } from './stage.ts'
import { findProduct } from '../shop/catalogue.ts'
import type { ReportName } from '../shop/messages.ts'
import { totalsByCustomer, totalsByDay, totalsByProduct } from '../shop/totals.ts'

/** Writes reports on all sales into the folder `reports`. Doing it again gives the same file. */
export interface ReportOffice {
  write(report: ReportName): Promise<void>
}

const reports: Readonly<
  Record<ReportName, { readonly file: string; readonly write: (sales: readonly Sale[]) => string }>
> = {
  customers: { file: 'customers.csv', write: writeCustomers },
  products: { file: 'products.json', write: writeProducts },
  days: { file: 'days.txt', write: writeDays },
}

export function createReportOffice(stage: Stage): ReportOffice {
  return {
    write(report) {
      return stage.ask('reports', report, () => {
        const { file, write } = reports[report]
        writeFileSync(join(stage.folder, 'reports', file), write(readSales(stage.folder)))
        stage.note({ effect: 'report', file })
      })
    },
  }
}

function writeCustomers(sales: readonly Sale[]): string {
  const names = new Map(sales.map(({ customer }) => [customer.id, customer.name]))
  const rows = totalsByCustomer(sales).map(({ name, orders, pieces, cents }) =>
    [name, quote(names.get(name) ?? ''), orders, pieces, euros(cents)].join(','),
  )
  return ['customer,name,orders,pieces,total', ...rows, ''].join('\r\n')
}

function writeProducts(sales: readonly Sale[]): string {
  const products = totalsByProduct(sales).map(({ name, orders, pieces, cents }) => ({
    sku: name,
    name: findProduct(name)?.name ?? name,
    orders,
    pieces,
    total: cents / 100,
  }))
  return JSON.stringify(products, undefined, 2) + '\n'
}

function writeDays(sales: readonly Sale[]): string {
  const days = totalsByDay(sales)
  const line = (day: string, orders: number | string, total: string): string =>
    `${day.padEnd(12)}${String(orders).padStart(8)}${total.padStart(14)}`
  const count = days.reduce((sum, { orders }) => sum + orders, 0)
  const cents = days.reduce((sum, day) => sum + day.cents, 0)
  const rows = days.map((day) => line(day.name, day.orders, euros(day.cents)))
  return [line('day', 'orders', 'total'), ...rows, line('all', count, euros(cents)), ''].join('\n')
}

const euros = (cents: number): string => (cents / 100).toFixed(2)

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
