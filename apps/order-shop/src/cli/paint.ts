import { styleText } from 'node:util'

export type Paint = (style: 'bold' | 'dim' | 'red' | 'green', text: string) => string

/** Colours for a terminal that has them; plain text otherwise, and where `NO_COLOR` is set. */
export function createPaint(
  stream: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv = process.env,
): Paint {
  const colours = stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text)
}
