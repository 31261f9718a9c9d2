import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { accountNavigation } from './navigation.ts'

interface AskPage {
  readonly place: string
  readonly formToken: string
  /** What the person wants to open. */
  readonly title: string
  /** Sealed: who was refused, and where. */
  readonly token: string
  readonly reason: string
  readonly problem: string | undefined
}

export const maxReasonLength = 300

/** Asks for a reason. Nothing is asked for until the button is pressed. */
export const askPage = (
  words: Catalogue,
  { place, formToken, title, token, reason, problem }: AskPage,
): string => {
  const own = words.services.asking
  return page(
    words,
    own.title,
    place,
    html`${accountNavigation(words, 'services')}<h1>${own.title}</h1>
<p class="lead">${own.lead({ name: title })}</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/auth/ask">
<input type="hidden" name="form_token" value="${formToken}">
<input type="hidden" name="token" value="${token}">
<label for="reason">${own.reason}</label>
<textarea id="reason" name="reason" rows="3" maxlength="${maxReasonLength}" aria-describedby="reason-hint">${reason}</textarea>
<p class="hint" id="reason-hint">${own.reason_hint}</p>
<button>${own.button}</button>
</form>
<a class="button quiet" href="/auth/services">${words.account.questions.cancel}</a>`,
  )
}
