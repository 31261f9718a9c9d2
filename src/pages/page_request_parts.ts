import type { OneTimeTokens } from '../auth/one_time_tokens.ts'
import type { PersonSwitch } from '../auth/person_switch.ts'
import type { Attribute } from '../attributes/attribute.ts'
import type { OwnGroup } from '../groups/lent_memberships.ts'
import type { Call } from '../contract/method.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import type { WordsFor } from '../html/words_for.ts'
import type { Callers } from '../identity/callers.ts'
import type { Identification } from '../identity/identify.ts'
import type { SessionMarks } from '../identity/session_marks.ts'
import type { ReceivedRequest } from '../wire/client_response.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { CookiePolicy } from '../wire/cookie_policy.ts'
import type { FormGuard } from './form_tokens.ts'
import type { ShownInvitation } from './shown_invitation.ts'
import type { Offers } from './sign_in/sign_in_view.ts'

/** What a request to a page needs of the rest of the program. */
export interface PageRequestParts {
  readonly call: Call
  readonly callers: Callers
  readonly cookies: CookiePolicy
  readonly forms: FormGuard
  readonly offers: () => Promise<Offers>
  readonly identification: Pick<Identification, 'byCookie'>
  readonly switching: PersonSwitch
  readonly marks: SessionMarks
  /** Whether the request came over TLS to a proxy, as far as one can know without believing it. */
  readonly behindUntrusted: (sent: ReceivedRequest) => boolean
  /** Whether the address of a request is surely its client's own. */
  readonly isLocated: (sent: ReceivedRequest, asked: EdgeRequest) => boolean
  readonly links: Pick<OneTimeTokens, 'find'>
  /** The path of My services. */
  readonly landing: () => string
  readonly wordsFor: WordsFor
  readonly tell: ShowRefusal
  /** What is known about people besides name and address. */
  readonly attributes: () => Promise<readonly Attribute[]>
  /** Whether people may delete their accounts, and after how many days they are gone. */
  readonly closing: () => Promise<{ readonly allowed: boolean; readonly days: number }>
  /** The groups of a person, with the ends of their memberships. */
  readonly groupsOf: (userId: string) => Promise<readonly OwnGroup[]>
  /** Days until a membership ends that was asked for, unless who approves it says when. */
  readonly requestDays: () => Promise<number>
  /** The path of the picture of a person, and whether they have given one. */
  readonly pictureOf: (userId: string) => Promise<{ readonly path: string; readonly isOwn: boolean }>
  /** When the account of a person ends; null if it does not. */
  readonly endOf: (userId: string) => Promise<number | null>
  /** Who made the last link by which a person may choose a new password, and when; undefined if that is long ago. */
  readonly recoveryOf: (userId: string) => Promise<{ readonly by: string; readonly at: number } | undefined>
  /** What an open invitation says; undefined for a link that does not work. */
  readonly invitation: (token: string) => Promise<ShownInvitation | undefined>
  /** The time zone that a person has set; undefined for none. */
  readonly zoneOf: (userId: string) => Promise<string | undefined>
  /** Keeps the time zone of a browser, as its cookie has it, for a person who has none. */
  readonly noteZone: (username: string, zone: string) => Promise<void>
}

/** What pages need to know of people besides who they are. */
export type PersonFacts = Pick<
  PageRequestParts,
  'attributes' | 'closing' | 'endOf' | 'groupsOf' | 'invitation' | 'pictureOf' | 'recoveryOf' | 'requestDays'
>
