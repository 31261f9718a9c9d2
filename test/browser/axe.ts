import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

interface AxeResult {
  readonly violations: { readonly id: string; readonly nodes: { readonly html: string }[] }[]
}

/** The accessibility rules that a page violates, and where. */
export const violations = async (page: Page): Promise<string[]> => {
  await page.addScriptTag({ path: axe })
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResult> } }).axe.run(),
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
