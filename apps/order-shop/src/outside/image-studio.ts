import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stage } from './stage.ts'
import { catalogue } from '../shop/catalogue.ts'
import type { Product } from '../shop/catalogue.ts'

/** Makes pictures smaller: `images/<sku>-<width>.jpg`. Doing it again gives the same file. */
export interface ImageStudio {
  resize(sku: string, width: number): Promise<void>
}

/** `pictures`: the folder with the originals. */
export function createImageStudio(stage: Stage, pictures: string): ImageStudio {
  return {
    resize(sku, width) {
      const file = `${sku}-${width}.jpg`
      return stage.askReal('images', `${sku}-${width}`, async () => {
        const { default: sharp } = await import('sharp')
        const target = join(stage.folder, 'images', file)
        const draft = join(stage.folder, 'drafts', `${process.pid}-${file}`)
        await sharp(join(pictures, `${sku}.png`))
          .resize({ width })
          .jpeg()
          .toFile(draft)
        await rename(draft, target)
        stage.note({ effect: 'image', file })
      })
    },
  }
}

/** Draws the originals of all products, 960 by 720 pixels each. */
export async function drawPictures(folder: string): Promise<void> {
  const { default: sharp } = await import('sharp')
  await mkdir(folder, { recursive: true })
  for (const [place, product] of catalogue.entries()) {
    await sharp(Buffer.from(toSvg(product, place)))
      .png({ compressionLevel: 1 })
      .toFile(join(folder, `${product.sku}.png`))
  }
}

/** Without letters: not every machine has a font. */
function toSvg({ colour }: Product, place: number): string {
  const stamps = Array.from({ length: place + 1 }, (_, index) => {
    const x = 280 + (index % 6) * 124
    const y = 760 + Math.floor(index / 6) * 80
    return `<rect x="${x}" y="${y}" width="100" height="56" rx="8" fill="${colour}" fill-opacity=".5"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="960" height="720" viewBox="0 0 1280 960">
  <defs><linearGradient id="sky" x2="1" y2="1"><stop stop-color="#fbf7ee"/><stop offset="1" stop-color="#d9d2c3"/></linearGradient></defs>
  <rect width="1280" height="960" fill="url(#sky)"/>
  <rect x="240" y="150" width="800" height="520" rx="36" fill="${colour}"/>
  <path d="M240 186 L640 470 L1040 186" fill="none" stroke="#fff" stroke-opacity=".55" stroke-width="14"/>
  <circle cx="640" cy="490" r="96" fill="#fff" fill-opacity=".85"/>
  <circle cx="640" cy="490" r="60" fill="none" stroke="${colour}" stroke-width="16"/>
  ${stamps.join('\n  ')}
</svg>`
}
