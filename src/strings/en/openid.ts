import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration } = formatsOf('en')

/** What people see between an application and its answer. */
export const openid = {
  /** What a scope lets an application do: behind “can” and in lists. */
  scopes: {
    openid: 'see who you are',
    email: 'see your email address',
    profile: 'see your profile: name, username, picture and what else you say about yourself',
    groups: 'see which groups you are in',
    claims: 'see what you are allowed to do here',
    offline_access: 'keep its access while you are away',
    read: 'read data on your behalf',
    write: 'change data on your behalf',
    admin: 'administer on your behalf',
  } as Readonly<Record<string, string>>,
  scope_at: ({ may, resource }: { may: string; resource: string }) => `${may} at ${resource}`,
  scope_list: ({ scopes }: { scopes: readonly string[] }) => formatsOf('en').list(scopes),

  consent: {
    title: 'Allow access',
    heading: ({ name }: { name: string }) => `Give ${name} access?`,
    lead: ({ user, name, host }: { user: string; name: string; host: string }) =>
      host === ''
        ? sentence`You are signed in as ${strong(user)}. ${strong(name)} wants to:`
        : sentence`You are signed in as ${strong(user)}. ${strong(name)} at ${strong(host)} wants to:`,
    self_registered:
      'This application registered itself. Nobody here has checked that it is what it claims to be.',
    self_described: ({ host }: { host: string }) =>
      sentence`This application describes itself at ${strong(host)}. Nobody here has checked what it says.`,
    revocable: 'You can revoke this on your account page at any time.',
    allow: 'Allow',
    refuse: 'Don’t allow',
  },
  no_access: {
    title: 'No access',
    lead: ({ user, name }: { user: string; name: string }) =>
      `You are signed in as ${user}. ${name} is not open to this account.`,
    password_right: 'Your password was right. Somebody who manages this site can give you access.',
    switch_account: 'Switch account',
    back: ({ host }: { host: string }) => `Back to ${host}`,
  },
  switch: {
    title: 'Different account needed',
    heading: 'A different account is needed',
    lead: ({ name, user }: { name: string; user: string }) =>
      sentence`You are signed in as ${strong(user)}, but ${strong(name)} expects someone else.`,
    accept: 'Use a different account',
    refuse: 'Cancel',
  },
  instead: {
    title: 'Go on without a proof',
    optional: ({ name }: { name: string }) =>
      `${name} asks you to confirm who you are more strongly, or again. You can go on without; ${name} then knows that you did not.`,
    needed: ({ name }: { name: string }) =>
      `${name} needs you to confirm who you are more strongly, or again. You can go back; ${name} then knows that you did not.`,
    prove: 'Confirm who I am',
    without: 'Go on without',
    back: 'Back to the application',
  },
  choose_account: {
    title: 'Choose an account',
    heading: 'Which account?',
    lead: ({ name }: { name: string }) => sentence`${strong(name)} asks which account you want to use.`,
    stay: ({ user }: { user: string }) => `Continue as ${user}`,
    another: 'Use another account',
  },
  end_session: {
    title: 'Sign out',
    heading: 'Sign out?',
    lead: 'This signs you out here and of every service that you opened from here.',
    lead_for: ({ name }: { name: string }) =>
      sentence`${strong(name)} asks to sign you out. This signs you out here and of every service that you opened from here.`,
    accept: 'Sign out',
    refuse: 'Stay signed in',
  },
  signed_out: { title: 'Signed out', again: 'Sign in again' },
  device: {
    title: 'Sign in on a device',
    lead: 'Enter the code that the device shows.',
    code: 'Code',
    button: 'Continue',
    some_device: 'The device',
    confirm_heading: 'Is this your device?',
    confirm_lead: ({ name, address, user }: { name: string; address: string; user: string }) =>
      sentence`${strong(name)} asks from ${address} to be signed in as ${strong(user)}. Check that it shows this code:`,
    warning: 'If someone sent you this code, stop: they would be signed in as you.',
    mine: 'This is my device',
    not_mine: 'This is not my device',
    done_title: 'Signed in',
    done: ({ name }: { name: string }) => sentence`${strong(name)} is signed in. You can close this page.`,
    /** By the names of the engine's errors. */
    problems: {
      AbortedError: 'The sign-in was stopped. The device is not signed in.',
      AlreadyUsedError: 'This code was already used.',
      ExpiredError: 'This code has expired. Get a new one on the device.',
      NoCodeError: 'Enter the code that the device shows.',
      NotFoundError: 'This code doesn’t exist. Check the device and try again.',
    } as Readonly<Record<string, string>>,
    failed: 'Something went wrong. Try again.',
    too_many: ({ retry_after }: { retry_after: number }) =>
      `Too many wrong codes. Wait ${duration(retry_after)}, then check the device carefully.`,
  },
  error: {
    title: 'Sign-in failed',
    ours: 'Something went wrong on our side. Go back to the application and try again.',
    unknown_client: 'its client_id belongs to no application here',
    /** `problem` is what the protocol says, in English: it is for the people who run the application. */
    theirs: ({ problem }: { problem: string }) =>
      `The application sent a request that we can’t accept: ${problem}. Nothing has changed. Please contact the people who run the application.`,
  },
}
