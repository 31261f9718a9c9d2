import { html, type Html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { copyTag } from './copy_script.ts'

interface Kept {
  /** The name of the file that the browser saves. */
  readonly file: string
  readonly text: string
  /** What the button copies. */
  readonly copied: string
}

/** The ways to keep a text that we show once: a download, which needs no script, and a button that copies. */
export const keepActions = ({ account: { once } }: Catalogue, { file, text, copied }: Kept): Html =>
  html`<div class="keep">
      <a
        class="button quiet"
        download="${file}"
        href="data:text/plain;charset=utf-8,${encodeURIComponent(text)}"
        >${once.download}</a
      >
      <button type="button" class="quiet" data-copy="${copied}" hidden>${once.copy}</button>
      <p role="status" aria-live="polite" data-copied="${once.copied}" data-failed="${once.failed}"></p>
    </div>
    ${copyTag}`
