import PdfFile from 'pdfkit'
import { formatMoney, plain } from '#base'
import type { Receipt, ReceiptPart } from './receipt.ts'

const MM = 72 / 25.4
/** A6 upright: reads well on a telephone, and four fit on a sheet. */
const PAGE = { width: 105 * MM, height: 148 * MM } as const
const MARGIN = 9 * MM
const LABEL_WIDTH = 32 * MM
const FONT = { plain: 'Helvetica', strong: 'Helvetica-Bold' } as const
const SIZE = 9

/** The receipt as a PDF of as many pages as it takes. The same receipt gives the same bytes. */
export async function receiptPdf(receipt: Receipt, atMs: number): Promise<Uint8Array> {
  const document = new PdfFile({
    size: [PAGE.width, PAGE.height],
    margin: MARGIN,
    info: {
      Title: plain(receipt.title),
      Subject: receipt.payment,
      Creator: 'Nadi',
      Producer: 'Nadi',
      CreationDate: new Date(atMs),
    },
  })
  const chunks: Uint8Array[] = []
  const whole = new Promise<Uint8Array>((resolve, reject) => {
    document.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    document.on('end', () => resolve(Buffer.concat(chunks)))
    document.on('error', reject)
  })
  document
    .font(FONT.strong)
    .fontSize(SIZE + 1)
    .text(printable(receipt.title), { align: 'center' })
  document.moveDown(0.8).fontSize(SIZE)
  for (const part of receipt.parts) draw(document, part)
  document.end()
  return whole
}

function draw(document: PDFKit.PDFDocument, part: ReceiptPart): void {
  if ('sentence' in part) {
    document.moveDown(0.5).font(FONT.plain)
    document.text(printable(part.sentence), MARGIN, undefined, { align: 'center' }).moveDown(0.5)
    return
  }
  const isText = 'text' in part
  const value = isText ? printable(part.text) : formatMoney(part.amountMinor)
  const width = PAGE.width - 2 * MARGIN - LABEL_WIDTH
  const height = document.heightOfString(value, { width })
  if (document.y + height > PAGE.height - MARGIN) document.addPage()
  const { y } = document
  document.font(FONT.plain).text(printable(part.label), MARGIN, y, { width: LABEL_WIDTH })
  document
    .font(isText ? FONT.plain : FONT.strong)
    .text(value, MARGIN + LABEL_WIDTH, y, { width, align: isText ? 'left' : 'right' })
  document.x = MARGIN
}

/** The standard fonts know the letters of western Europe and no others. */
function printable(text: string): string {
  return plain(text).replace(/[^\x20-\x7e\xa0-\xff]/g, '?')
}
