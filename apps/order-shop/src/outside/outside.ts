import { createChargeBook } from './charge-book.ts'
import type { ChargeBook } from './charge-book.ts'
import type { ChargeDatabase } from './charge-database.ts'
import { createCustomerRegister } from './customer-register.ts'
import type { CustomerRegister } from './customer-register.ts'
import { createImageStudio } from './image-studio.ts'
import type { ImageStudio } from './image-studio.ts'
import type { Life } from './life.ts'
import { createMailServer } from './mail-server.ts'
import type { MailServer } from './mail-server.ts'
import { createPaymentProvider } from './payment-provider.ts'
import type { PaymentProvider } from './payment-provider.ts'
import { createReportOffice } from './report-office.ts'
import type { ReportOffice } from './report-office.ts'
import { createSalesBook } from './sales-book.ts'
import type { SalesBook } from './sales-book.ts'
import { createStage } from './stage.ts'
import type { StageParts } from './stage.ts'
import { createWarehouse } from './warehouse.ts'
import type { Warehouse } from './warehouse.ts'

/** Everybody that the shop's services have to do with. */
export interface Outside {
  readonly payments: PaymentProvider
  readonly charges: ChargeBook
  readonly warehouse: Warehouse
  readonly sales: SalesBook
  readonly customers: CustomerRegister
  readonly mail: MailServer
  readonly images: ImageStudio
  readonly reports: ReportOffice
}

/** The folders that effects go to. */
export const effectFolders: readonly string[] = ['reservations', 'sales', 'emails', 'images', 'reports']

export interface OutsideParts extends StageParts {
  /** The folder with the originals. */
  readonly pictures: string
  readonly charges: ChargeDatabase
}

/** The world as one process sees it. */
export function createOutside(parts: OutsideParts, life: Life): Outside {
  const stage = createStage(parts, life)
  return {
    payments: createPaymentProvider(stage),
    charges: createChargeBook(stage, parts.charges, life),
    warehouse: createWarehouse(stage),
    sales: createSalesBook(stage),
    customers: createCustomerRegister(stage),
    mail: createMailServer(stage),
    images: createImageStudio(stage, parts.pictures),
    reports: createReportOffice(stage),
  }
}
