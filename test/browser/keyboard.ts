import assert from 'node:assert/strict'
import type { Page } from 'playwright-core'

/** Asserts that Tab reaches everything that can be pressed or filled in, once, each with visible focus. */
export const walkByKeyboard = async (page: Page): Promise<void> => {
  const all = (await page.evaluate(`(() => {
    const parts = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), summary')]
    const seen = parts.filter((part) => part.checkVisibility({ visibilityProperty: true }) && part.getClientRects().length > 0)
    seen.forEach((part, i) => part.setAttribute('data-walk', i))
    document.activeElement?.blur()
    return seen.length
  })()`)) as number
  const reached: number[] = []
  // Between the last and the first element, the focus is in the browser itself.
  for (let i = 0; i < all + 3 && reached.length < all; i++) {
    await page.keyboard.press('Tab')
    const { walk, outline } = (await page.evaluate(
      '({ walk: document.activeElement.dataset.walk, outline: getComputedStyle(document.activeElement).outlineStyle })',
    )) as { walk?: string; outline: string }
    if (walk === undefined) continue
    assert.equal(outline, 'solid', `${page.url()}: part ${walk}`)
    reached.push(Number(walk))
  }
  // The browser chooses where Tab begins, so only the set is compared.
  assert.deepEqual(
    reached.toSorted((a, b) => a - b),
    Array.from({ length: all }, (_, i) => i),
    page.url(),
  )
}
