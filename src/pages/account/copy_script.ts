import { hash } from 'node:crypto'
import { html } from '../../html/html.ts'

/** Copies a text that is shown once. Browsers allow it on secure pages only; elsewhere, the button stays hidden. */
export const copyScript = `
for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue
  button.hidden = false
  const said = button.parentElement.querySelector('[role=status]')
  button.addEventListener('click', async () => {
    said.textContent = ''
    try {
      await navigator.clipboard.writeText(button.dataset.copy)
      said.textContent = said.dataset.copied
    } catch {
      said.textContent = said.dataset.failed
    }
  })
}
`.trim()

const version = hash('sha256', copyScript, 'hex').slice(0, 12)

export const copyTag = html`<script type="module" src="/auth/copy.js?v=${version}"></script>`
