import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { long } from '../long.ts'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

interface AxeResult {
  readonly violations: { readonly id: string; readonly nodes: { readonly html: string }[] }[]
}

type Scheme = 'light' | 'dark'

/** Colours are all that differ in the dark, so there only their contrast is looked at. */
const rulesIn: Readonly<Record<Scheme, object>> = { light: {}, dark: { runOnly: ['color-contrast'] } }

/** All pages share their colours, so one page in the dark is enough for every day. */
const usual: readonly Scheme[] = long ? ['dark', 'light'] : ['light']

/** The accessibility rules that a page violates in each colour scheme, and where. */
export const violations = async (page: Page, schemes = usual): Promise<string[]> => {
  await page.addScriptTag({ path: axe })
  // Four hundred time zones are one element four hundred times: axe would look at them for a minute.
  await page.evaluate(
    "document.querySelectorAll('option:nth-child(n + 4):not([selected])').forEach((one) => one.remove())",
  )
  const found: string[] = []
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    const { violations } = await page.evaluate(
      (options) =>
        (globalThis as unknown as { axe: { run(options: object): Promise<AxeResult> } }).axe.run(options),
      rulesIn[colorScheme],
    )
    for (const { id, nodes } of violations)
      found.push(...nodes.map(({ html }) => `${colorScheme}: ${id}: ${html}`))
  }
  return found
}
