import { hash } from 'node:crypto'
import { html } from '../../html/html.ts'

/** Cuts a chosen picture to its middle square, at most 512 pixels wide, before it is sent. Without it, the whole picture is. */
export const pictureScript = `
for (const input of document.querySelectorAll('input[data-crop]')) {
  input.addEventListener('change', async () => {
    const [file] = input.files
    if (!file) return
    try {
      const picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
      const part = Math.min(picture.width, picture.height)
      const side = Math.min(part, 512)
      const canvas = document.createElement('canvas')
      canvas.width = canvas.height = side
      const left = (picture.width - part) / 2
      const top = (picture.height - part) / 2
      canvas.getContext('2d').drawImage(picture, left, top, part, part, 0, 0, side, side)
      const type = file.type === 'image/jpeg' ? 'image/jpeg' : 'image/png'
      const blob = await new Promise((done) => canvas.toBlob(done, type, 0.9))
      const files = new DataTransfer()
      files.items.add(new File([blob], 'picture', { type }))
      input.files = files.files
      const shown = document.getElementById(input.dataset.crop)
      shown.replaceChildren(canvas)
    } catch {
      // The server says what is wrong with it.
    }
  })
}
`.trim()

const version = hash('sha256', pictureScript, 'hex').slice(0, 12)

export const pictureTag = html`<script type="module" src="/auth/picture.js?v=${version}"></script>`
