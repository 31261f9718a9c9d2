import { formatsOf } from '../formats.ts'

const { duration, time } = formatsOf('en')

/** A mail in words. */
export interface MailText {
  readonly subject: string
  readonly paragraphs: readonly string[]
  /** What the button of the link says. */
  readonly button?: string
}

/** What a mail may be filled with. */
export interface MailValues {
  /** What this installation is called. */
  readonly site: string
  /** For how long the link works. */
  readonly lasts: string
  /** The username of the person who caused the mail, where that is somebody else; empty for an administrator without one. */
  readonly by: string
  /** Whether the link gives the account the address back that the mail goes to. */
  readonly restores: boolean
  /** Unix time at which the account of the recipient ends. */
  readonly at: number
  /** What changed: the new address, or a sentence about factors; empty for none. */
  readonly about: string
  /** When what was given ends, in Unix seconds; null without an end. */
  readonly until: number | null
  /** Words of somebody for the recipient; empty for none. */
  readonly said: string
}

const ignore = 'If this wasn’t you, ignore this mail. Nothing happens unless you click the button.'

/** Every mail that leaves. */
export const mails = {
  greeting: ({ name }: { name: string }) => (name === '' ? 'Hello,' : `Hello ${name},`),
  /** The first line of a mail with a code. */
  code: ({ code }: { code: string }) => `Your code: ${code}`,
  code_warning:
    'Nobody will ever ask you for this code. Type it only on the page where you asked for this mail.',
  /** How long a link works. */
  lasts: ({ seconds }: { seconds: number }) => duration(seconds),
  kinds: {
    verify: ({ site, lasts }) => ({
      subject: `Confirm your address for ${site}`,
      paragraphs: [
        `Someone, hopefully you, created an account at ${site} with this address.`,
        `The link works for ${lasts}. ${ignore}`,
      ],
      button: 'Confirm address',
    }),
    taken: ({ site }) => ({
      subject: `You already have an account at ${site}`,
      paragraphs: [
        `Someone, hopefully you, tried to use this address at ${site}. You already have an account with it.`,
        'Sign in to it, or ask for a new password if you forgot yours. If this wasn’t you, nothing has changed.',
      ],
    }),
    reset: ({ site, lasts }) => ({
      subject: `Choose a new password for ${site}`,
      paragraphs: [
        `Someone, hopefully you, asked for a new password at ${site}.`,
        `The link works once, for ${lasts}. ${ignore}`,
      ],
      button: 'Choose a new password',
    }),
    magic: ({ site, lasts }) => ({
      subject: `Sign in to ${site}`,
      paragraphs: [
        `Someone, hopefully you, wants to sign in to ${site}.`,
        `The link works once, for ${lasts}. Never forward it. ${ignore}`,
      ],
      button: 'Sign in',
    }),
    code: ({ site }) => ({
      subject: `Confirm it’s you at ${site}`,
      paragraphs: [
        `Someone, hopefully you, wants to change how your account at ${site} is secured. If this wasn’t you, change your password: that person is signed in as you.`,
      ],
    }),
    invite: ({ site, lasts, by }) => ({
      subject: `You are invited to ${site}`,
      paragraphs: [
        by === ''
          ? `An administrator of ${site} invites you to create an account there.`
          : `${by} invites you to create an account at ${site}.`,
        `The link works once, for ${lasts}.`,
      ],
      button: 'Accept the invitation',
    }),
    registration_waiting: ({ site }) => ({
      subject: `Somebody waits for your approval at ${site}`,
      paragraphs: [
        `Somebody registered at ${site} by an invitation and waits for approval. List and decide: registrations.list, registrations.approve, registrations.refuse. If more people come today, you get no further mail about it.`,
      ],
    }),
    registration_approved: ({ site }) => ({
      subject: `Your account at ${site} is ready`,
      paragraphs: [`Your registration at ${site} was approved. You can sign in now.`],
      button: 'Sign in',
    }),
    registration_refused: ({ site }) => ({
      subject: `Your registration at ${site}`,
      paragraphs: [`Your registration at ${site} was not approved. What you entered has been deleted.`],
    }),
    change: ({ site, lasts }) => ({
      subject: `Confirm your new address for ${site}`,
      paragraphs: [
        `You asked ${site} to use this address for your account.`,
        `The link works for ${lasts}. ${ignore}`,
      ],
      button: 'Confirm address',
    }),
    reopen: ({ site, lasts }) => ({
      subject: `Your account at ${site} will be deleted`,
      paragraphs: [
        `You asked ${site} to delete your account. It is switched off now and will be gone when this link no longer works, in ${lasts}.`,
        'If you change your mind, or if this wasn’t you, take it back: press the button on the page behind the link.',
      ],
      button: 'Take it back',
    }),
    account_ends: ({ site, at }) => ({
      subject: `Your account at ${site} ends soon`,
      paragraphs: [
        `Your account at ${site} ends on ${time(at)}. Then you can no longer sign in here or to the services behind it.`,
        'Save what you still need from them before. If the account should go on, ask the people who run this site.',
      ],
    }),
    password_changed: ({ site }) => ({
      subject: `Your password for ${site} was changed`,
      paragraphs: [
        `The password of your account at ${site} was changed. You were signed out everywhere else.`,
      ],
    }),
    recovery_link: ({ site, about }) => ({
      subject: `Somebody made a link to your account at ${site}`,
      paragraphs: [
        `${about} made a link by which a new password can be chosen for your account at ${site}. If you asked for it, they will hand it to you.`,
      ],
    }),
    enrolment_link: ({ site, about }) => ({
      subject: `Somebody made a link to your account at ${site}`,
      paragraphs: [
        `${about} made a link by which a first second factor can be added to your account at ${site}. If you asked for it, they will hand it to you.`,
      ],
    }),
    address_changed: ({ site, about, restores }) => ({
      subject: `Your address for ${site} was changed`,
      paragraphs: [
        about === ''
          ? `Your account at ${site} no longer uses this address.`
          : `Your account at ${site} now uses the address ${about} instead of this one.`,
        ...(restores ? [] : ['If this is wrong, contact the people who run this site now.']),
      ],
    }),
    factors_changed: ({ site, about }) => ({
      subject: `How you sign in to ${site} has changed`,
      paragraphs: [about],
    }),
    new_device: ({ site }) => ({
      subject: `A new device signed in to ${site}`,
      paragraphs: [
        `Someone, hopefully you, signed in to your account at ${site} with a device that we have not seen before.`,
      ],
    }),
    signed_in_elsewhere: ({ site }) => ({
      subject: `Another device signed in a browser at ${site}`,
      paragraphs: [
        `Someone, hopefully you, scanned a QR code with a device on which you are signed in to ${site}, and signed in a browser by it. That lasts 12 hours at most, and you can end it on the page of your sessions.`,
      ],
    }),
    access_requested: ({ site, by, about }) => ({
      subject: `${by} asks for access at ${site}`,
      paragraphs: [
        `${by} would like to open ${about}. You can decide about this, and about everything else that waits for you, on the page My groups.`,
        'Opening the page changes nothing. If more people ask within the hour, you get no further mail about it.',
      ],
      button: 'Open My groups',
    }),
    access_approved: ({ site, about, until }) => ({
      subject: `You now have access to ${about}`,
      paragraphs: [
        until === null
          ? `Your request at ${site} was approved: you can open ${about} now.`
          : `Your request at ${site} was approved: you can open ${about} until ${time(until)}.`,
      ],
      button: 'Open',
    }),
    access_refused: ({ site, about, said }) => ({
      subject: `Your request at ${site} was refused`,
      paragraphs: [
        `You asked for access to ${about}, and this was refused. You can ask again in a week.`,
        ...(said === '' ? [] : [`The reason given: ${said}`]),
      ],
    }),
    trust_ended: ({ site }) => ({
      subject: `A browser is no longer trusted at ${site}`,
      paragraphs: [
        `A browser showed an old proof that you trust it. It may have been copied, so your account at ${site} asks for your second factor in that browser again.`,
      ],
    }),
    test: ({ site }) => ({
      subject: `Test mail from ${site}`,
      paragraphs: ['This is the test mail that you asked for. The mail settings work.'],
    }),
  } satisfies Readonly<Record<string, (values: MailValues) => MailText>>,
  /** In every security notice, below what happened. */
  not_me: {
    text: 'If this wasn’t you, press the button on the page behind this link. It signs your account out everywhere, and then says how to choose a new password.',
    restores:
      'If this wasn’t you, press the button on the page behind this link. It gives your account this address back, signs it out everywhere, and then says how to choose a new password.',
    button: 'This wasn’t me',
  },
  /** When, with which device and from where something happened: a line each in mails about security. */
  event: {
    time: ({ at }: { at: number }) => `Time: ${time(at)}`,
    device: ({ device }: { device: string }) => `Device: ${device}`,
    address: ({ address }: { address: string }) => `Network address: ${address}`,
    administrator: 'By: an administrator',
  },
  /** What changed, for the mail about factors. */
  factor_changes: {
    app_added: (_: { name: string }) => 'An authenticator app was added to your account.',
    app_removed: (_: { name: string }) => 'Your authenticator app was removed.',
    passkey_added: ({ name }: { name: string }) => `The passkey “${name}” was added to your account.`,
    passkey_removed: ({ name }: { name: string }) => `The passkey “${name}” was removed.`,
    identity_added: ({ name }: { name: string }) =>
      `An account at ${name} was linked to yours: it can sign in to it.`,
    identity_removed: ({ name }: { name: string }) => `An account at ${name} is no longer linked to yours.`,
    recovery_code_used: (_: { name: string }) => 'A recovery code was used to sign in.',
    cleared: (_: { name: string }) => 'An administrator removed all your second factors.',
  },
}
