/** A mail as it is sent: every kind in words, and how long its link works. */
export interface Text {
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** What the button of the link says. */
  readonly button?: string
}

/** What a text may be filled with. */
export interface Values {
  /** What this installation is called. */
  readonly site: string
  /** Who is addressed. */
  readonly name: string
  readonly link?: string
  /** For how long the link works, in words. */
  readonly lasts?: string
  /** Whoever caused the mail, where that is somebody else. */
  readonly by?: string
  /** An address that changed, or the network it was caused from. */
  readonly about?: string
}

const ignore = 'If it was not you, nothing happens unless the button is pressed; you can forget this mail.'

/** The language file: every mail there is. A translation is another object of this shape. */
export const english = {
  verify: ({ site, lasts }) => ({
    subject: `Confirm your address for ${site}`,
    paragraphs: [
      `Somebody, hopefully you, made an account at ${site} with this address.`,
      `The link works for ${lasts}. ${ignore}`,
    ],
    button: 'Confirm this address',
  }),
  taken: ({ site }) => ({
    subject: `You have an account at ${site} already`,
    paragraphs: [
      `Somebody, hopefully you, tried to make an account at ${site} with this address. There is one already.`,
      'Sign in with it, or ask for a new password if you forgot it. If it was not you, nothing has happened.',
    ],
  }),
  reset: ({ site, lasts }) => ({
    subject: `A new password for ${site}`,
    paragraphs: [
      `Somebody, hopefully you, asked for a new password at ${site}.`,
      `The link works once, for ${lasts}. ${ignore}`,
    ],
    button: 'Choose a new password',
  }),
  magic: ({ site, lasts }) => ({
    subject: `Sign in to ${site}`,
    paragraphs: [
      `Somebody, hopefully you, wants to sign in at ${site}.`,
      `The link works once, for ${lasts}. Never pass it on. ${ignore}`,
    ],
    button: 'Sign in',
  }),
  invite: ({ site, lasts, by }) => ({
    subject: `You are invited to ${site}`,
    paragraphs: [`${by} invites you to ${site}.`, `The link works once, for ${lasts}.`],
    button: 'Accept the invitation',
  }),
  change: ({ site, lasts }) => ({
    subject: `Confirm your new address for ${site}`,
    paragraphs: [
      `You asked to be reached at this address from ${site} on.`,
      `The link works for ${lasts}. ${ignore}`,
    ],
    button: 'Confirm this address',
  }),
  password_changed: ({ site, about }) => ({
    subject: `Your password for ${site} was changed`,
    paragraphs: [
      `The password of your account at ${site} was changed${about ? ` from ${about}` : ''}. You were signed out everywhere else.`,
      'If it was not you, ask for a new password at once and tell whoever runs this installation.',
    ],
  }),
  address_changed: ({ site, about }) => ({
    subject: `Your address for ${site} was changed`,
    paragraphs: [
      `Your account at ${site} is now reached at ${about}, no longer here.`,
      'If it was not you, tell whoever runs this installation at once.',
    ],
  }),
  factors_changed: ({ site, about }) => ({
    subject: `How you sign in to ${site} has changed`,
    paragraphs: [
      `${about}`,
      'If it was not you, change your password at once and tell whoever runs this installation.',
    ],
  }),
  test: ({ site }) => ({
    subject: `Mail from ${site} arrives`,
    paragraphs: ['This is the test that somebody asked for. The mail settings are right.'],
  }),
} satisfies Record<string, (values: Values) => Text>

export type MailKind = keyof typeof english
