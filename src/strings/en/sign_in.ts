import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration, plural, time } = formatsOf('en')

/** Signing in and out, creating an account, passwords, and confirming who one is. */
export const sign_in = {
  // What several pages ask for.
  username: 'Username',
  username_hint: 'Use letters, digits, “_” and “-”. You can’t change it later.',
  display_name: 'Name',
  display_name_hint: 'What other people see. You can change it later, and leave it empty.',
  email: 'Email',
  password: 'Password',
  new_password_hint: 'Several unrelated words are easy to remember and hard to guess.',
  code: 'Code',
  code_hint: 'Enter the six digits from your authenticator app, or one of your recovery codes.',
  continue: 'Continue',
  use_passkey: 'Use a passkey',
  use_passkey_of: ({ host }: { host: string }) => `Use a passkey of ${host}`,
  back: 'Back to sign in',
  passkey_exists: 'This device already has a passkey for your account.',
  passkey_missing: 'Your device didn’t provide a passkey.',

  page: {
    title: 'Sign in',
    login: 'Username or email',
    button: 'Sign in',
    other_ways: 'Other ways',
    more_ways: 'More ways',
    last_used: 'Last used',
    show_password: 'Show password',
    for_service: ({ host, title }: { host: string; title: string | null }) =>
      title === null
        ? sentence`Sign in to open ${strong(host)}.`
        : sentence`Sign in to open ${strong(title)} at ${host}.`,
    with_provider: ({ provider }: { provider: string }) => `Sign in with ${provider}`,
    forgot_password: 'Forgot your password?',
    email_link: 'Email me a sign-in link',
    another_device: 'Sign in with another device',
    /** Why somebody who is signed in signs in anew. */
    anew: {
      another_device: 'Another device signed you in in this browser. To do this, sign in here yourself.',
      to_stay: 'To stay signed in in this browser, sign in again and tick the box.',
    },
    create_account: 'Create account',
  },
  remember: {
    label: ({ seconds }: { seconds: number }) => `Keep me signed in for ${duration(seconds)}`,
    hint: ({ most }: { most: number }) =>
      `Counted from your last visit, and at most ${duration(most)}. Only for a device that nobody else uses.`,
  },
  trust: ({ seconds }: { seconds: number }) => ({
    label: `Trust this browser for ${duration(seconds)}`,
    hint: 'It won’t ask for this step when you sign in. Only for a device that nobody else uses.',
  }),
  factor: {
    title: 'One more step',
    lead: 'Confirm it’s you.',
  },
  prove: {
    title: 'Confirm it’s you',
    lead: 'This change is important, so please confirm who you are. We won’t ask again for 15 minutes.',
    place: {
      any: 'To continue, please confirm who you are.',
      second: 'To continue, confirm with your second factor: a code, a security key or a passkey.',
      passkey: 'To continue, confirm with a passkey.',
    },
    recent: ({ seconds }: { seconds: number }) => `It may be at most ${duration(seconds)} old.`,
    none: {
      any: 'You have no way to confirm who you are here. An administrator can help.',
      second:
        'You have no second factor yet. Add an authenticator app or a passkey to your account, then come back.',
      passkey: 'You have no passkey yet. Add one to your account, then come back.',
    },
    add: 'Add one to your account',
    instead: 'Go on without this',
    with_provider: ({ provider }: { provider: string }) => `Sign in again with ${provider}`,
    email_link: 'Email me a sign-in link',
    forgot_password: 'Forgot your password, or never set one?',
    no_password: 'No password? An administrator can set one for you.',
  },
  /** Behind a link for the first second factor. */
  enrol: {
    title: 'Add a second factor',
    lead: ({ user }: { user: string }) =>
      `With this link you may add an authenticator app or a passkey to the account ${user} in the next 15 minutes.`,
    button: 'Continue',
  },
  register: {
    title: 'Create account',
    /** Of a link for several people, with a mail server and without one. */
    by_link: 'You were invited. We’ll email you a link to confirm your address.',
    by_link_alone: 'You were invited. Choose a username and a password.',
    then_approved: 'Then somebody must approve your account.',
    works: ({ count, at }: { count: number; at: number }) =>
      `Works for ${plural(count, { one: 'one person', other: `${count} people` })}, until ${time(at)}.`,
    invited: ({ address }: { address: string }) =>
      `You were invited. Your account will use the address ${address}.`,
    button: 'Create account',
  },
  verify: {
    title: 'Confirm your email address',
    lead: 'Click the button if you asked for this. If you didn’t, close this page and nothing will change.',
    button: 'Confirm address',
  },
  /** Behind the link to a new account. */
  new_account: {
    title: 'Choose a password',
    lead: ({ user, address }: { user: string; address: string }) =>
      `Your account ${user} will have the address ${address}. If you didn’t ask for an account, close this page and nothing will change.`,
    button: 'Create account',
  },
  /** Behind any other link to an account that nobody has confirmed. */
  own_names: ({ address }: { address: string }) =>
    `The address ${address} is registered here, but nobody has confirmed it yet. Choose the names of your account. If you didn’t ask for this, close this page and nothing will change.`,
  forgot: {
    title: 'Forgot your password?',
    lead: 'We’ll email you a link to choose a new one.',
    button: 'Send link',
  },
  reset: {
    title: 'Choose a new password',
    /** Of a link that somebody handed over. */
    recovery: ({ user }: { user: string }) =>
      `This sets the password of the account ${user}, and signs it out everywhere. Two-step verification stays as it is.`,
    lead: ({ address }: { address: string }) =>
      `This sets the password of the account of ${address}, and signs it out everywhere.`,
    button: 'Set password',
  },
  reopen: {
    title: 'Take your account back',
    lead: 'Your account was deleted and will soon be gone. The button switches it on again.',
    button: 'Keep my account',
  },
  not_me: {
    title: 'Wasn’t that you?',
    lead: ({ address, at }: { address: string; at: number }) =>
      `The button signs the account of ${address} out everywhere. It also ends what was made in it since ${time(at)}: access of applications, tokens, and mailed links. It signs nobody in.`,
    button: 'Sign out everywhere',
    restore: {
      lead: ({ address, at }: { address: string; at: number }) =>
        `The button gives the account the address ${address} back, signs it out everywhere and removes its password. It also ends what was made in it since ${time(at)}: access of applications, tokens, mailed links, and accounts that were linked to it. It signs nobody in.`,
      button: 'Take the change back',
    },
  },
  magic: {
    title: 'Sign in by email',
    lead: 'We’ll email you a link. Anyone who opens it is signed in as you.',
    button: 'Send link',
  },
  mailed_code: {
    title: 'Check your email',
    lead: 'If there is an account with this address, we sent a code and a link to it. It may take a minute to arrive. Type the code here, or open the link.',
    button: 'Sign in',
    label: 'Code from the mail',
    hint: 'Eight letters. The code works in this browser only, for ten minutes.',
    again: 'Send another code',
  },
  mailed_proof: {
    title: 'Confirm your email address',
    lead: 'Before you add your first second factor, we email you a code: it shows that the account is yours. You can add it for 15 minutes after that.',
    button: 'Email me a code',
    sent: 'We sent a code to the address of your account. It may take a minute to arrive.',
    confirm: 'Confirm',
  },
  enter: {
    title: 'Sign in',
    lead: ({ address, host }: { address: string; host: string | undefined }) =>
      `The button signs you in on this device as ${address}${host === undefined ? '' : `, and opens ${host}`}.`,
    button: 'Sign in',
  },
  setup: {
    title: 'Create the first administrator',
    lead: 'This account can do everything here. The link that brought you here works once.',
    button: 'Create account',
  },
  sign_out: {
    title: 'Sign out',
    heading: 'Sign out?',
    lead: 'This ends your sign-in in this browser, and with it your sessions at every service that you opened in it.',
    lead_from: ({ host }: { host: string }) =>
      `You came from ${host}. You can sign out of every service that you opened in this browser, or only of that one.`,
    everywhere: 'Sign out everywhere',
    only_here: ({ host }: { host: string }) => `Sign out of ${host} only`,
  },
  replace: {
    title: 'Sign in as someone else?',
    lead: ({ present, next }: { present: string; next: string }) =>
      `You are signed in in this browser as ${present}, and have just signed in as ${next}. If you continue as ${next}, ${present} is signed out here and at every service.`,
    accept: ({ next }: { next: string }) => `Continue as ${next}`,
    refuse: ({ present }: { present: string }) => `Stay ${present}`,
  },
  /** A service that asks each person once. */
  confirm: {
    title: 'Sign in at this service?',
    lead: ({ host }: { host: string }) => `${host} learns who you are, and asks this only once.`,
    button: 'Sign in',
  },
  /** For a form that was older than its cookie. */
  resend: {
    title: 'Please send this again',
    lead: 'This page was open for too long, so nothing has been changed. Check that this is still what you want.',
    button: 'Send again',
  },
  switch_account: {
    title: 'Switch account',
    lead: ({ user }: { user: string }) =>
      `You are signed in as ${user}. To sign in as someone else, ${user} is signed out first, here and at every service that you opened in this browser.`,
    button: ({ user }: { user: string }) => `Sign out ${user} and continue`,
    cancel: 'Cancel',
  },
  framed: {
    title: 'Open this in a tab of its own',
    lead: 'To protect you, this page signs nobody in inside another page.',
    open: 'Open in a new tab',
  },
  /** At the host of an earlier public URL. */
  away: {
    title: 'Use your passkey',
    lead: ({ host, home }: { host: string; home: string }) =>
      `Your passkey was made for ${host}. It signs you in at ${home}.`,
  },
  /** A service that the person had signed out of alone. */
  come_back: {
    title: 'Sign in again?',
    lead: ({ host }: { host: string }) =>
      `You signed out of ${host} in this browser. Do you want to open it again?`,
    button: 'Open it',
  },
  link: {
    title: 'Link an account',
    heading: ({ provider }: { provider: string }) => `Link ${provider} to your account?`,
    guest: ({ provider, email }: { provider: string; email: string }) =>
      sentence`An account here already uses ${strong(email)}, the address that ${provider} has verified. Sign in to it the way you usually do, then confirm that both accounts are yours.`,
    signed_in: ({ user, provider, account }: { user: string; provider: string; account: string }) =>
      sentence`You are signed in here as ${strong(user)}, and at ${provider} as ${strong(account)}.`,
    warning: ({ provider }: { provider: string }) =>
      `Anyone who can sign in to that ${provider} account will be able to sign in here as you.`,
    sign_in: 'Sign in',
    accept: 'Link accounts',
    refuse: 'Don’t link',
  },
  /** Pages that lead on by themselves. */
  leaving: {
    signing_in: 'Signing you in',
    signing_out: 'Signing you out',
    continue: 'Continue if nothing happens',
  },
}
