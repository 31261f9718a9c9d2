import { formatsOf } from '../formats.ts'
import { code, sentence, strong } from '../sentence.ts'

const { list, plural, time } = formatsOf('en')

const used = (last_used_at: number | null) =>
  last_used_at === null ? 'never used' : `last used ${time(last_used_at)}`

/** The account page, and what leads on from it. Times are Unix times in seconds. */
export const account = {
  title: 'Your account',
  recovery_link: ({ by, at }: { by: string; at: number }) =>
    `${by} made a link on ${time(at)} by which a new password can be chosen for your account.`,
  ends: ({ at }: { at: number }) => `Your account ends on ${time(at)}.`,
  signed_in: 'You are signed in.',
  username: 'Username',
  email: 'Email',
  claims: 'Claims',
  sign_out: 'Sign out',
  impersonating: ({ user }: { user: string }) => sentence`You are impersonating ${strong(user)}.`,
  stop_impersonating: 'Stop impersonating',

  /** For a person whom only the address identifies. */
  by_network: {
    title: 'Known by your network',
    lead: 'We know your network. You are not signed in.',
    sign_in: 'Sign in',
  },

  /** The groups of the person, and what they decide as an administrator of a group. */
  groups: {
    heading: 'My groups',
    none: 'You are in no group.',
    no_end: 'Without an end',
    ends: ({ at }: { at: number }) => `Until ${time(at)}`,
    own_requests: 'What you asked for',
    waiting: ({ at }: { at: number }) => `Asked ${time(at)}. Somebody will decide about it.`,
    requests: 'Requests for you to decide',
    asks: ({ user, title, group }: { user: string; title: string; group: string }) =>
      sentence`${strong(user)} would like to open ${strong(title)}, as a member of ${strong(group)}.`,
    asked: ({ at, until }: { at: number; until: number }) =>
      `Asked ${time(at)}, to decide until ${time(until)}`,
    opens: 'The membership opens:',
    opens_nothing: 'The membership opens no service or application that asks for a claim.',
    administers: 'The membership lets this person administer hero_proxy itself.',
    all_claims: ({ count }: { count: number }) =>
      plural(count, { one: 'The claim that it gives', other: `All ${count} claims that it gives` }),
    days: 'For how many days',
    approve: 'Approve',
    refuse: 'Refuse',
    refuse_reason: 'The reason, for the person who asks',
    members_of: ({ name }: { name: string }) => `Members of ${name}`,
    no_members: 'Nobody.',
    through: ({ group }: { group: string }) => `through ${group}`,
    remove: 'Remove from the group',
    add: 'Add a member',
    empty_for_ever: 'Leave it empty for a membership without an end.',
  },
  profile: {
    heading: 'Profile',
    change_name: 'Change your name',
    name: 'Name',
    save_name: 'Save name',
    change_email: 'Change your email address',
    new_email: 'New address',
    send_link: 'Send confirmation link',
    change_password: 'Change your password',
    current_password: 'Current password',
    new_password: 'New password',
    password_hint: 'This signs you out everywhere else.',
    save_password: 'Change password',
  },
  details: {
    heading: 'Your details',
    about: 'Applications that may see your profile get these.',
    /** The attributes that every installation has; others are called as the administrator named them. */
    names: {
      given_name: 'Given name',
      family_name: 'Family name',
      locale: 'Language, such as en or de-AT',
      zoneinfo: 'Time zone',
    } as Readonly<Record<string, string>>,
    unset: 'Not set',
    yes: 'Yes',
    no: 'No',
    one_per_line: 'One per line',
    save: 'Save details',
    set_for_you: 'Set for you',
    by_others: 'You cannot change these here.',
  },
  data: {
    heading: 'My data',
    about:
      'Download what is held on you as one file: your account, details and picture, how you sign in, groups, sessions, applications, mails and what you did. It holds no passwords or keys.',
    download: 'Download my data',
    close_heading: 'Delete your account',
    close_about: ({ days }: { days: number }) =>
      `Your account is switched off at once, and applications sign you out. After ${plural(days, { one: '1 day', other: `${days} days` })} it is gone; until then a link that we mail you takes it back.`,
    stays: 'What stays: lines of the audit until they are due, and your username, which nobody gets again.',
    close: 'Delete my account',
    not_here: 'The people who run this site delete accounts. Ask them.',
  },
  picture: {
    heading: 'Your picture',
    choose: 'Choose a picture',
    hint: 'A PNG, JPEG or WebP of at most 512 KB. Where it was taken and by which camera is removed.',
    save: 'Save picture',
    remove: 'Remove picture',
  },
  factors: {
    heading: 'Two-step verification',
    about: 'An authenticator app asks you for a code in addition to your password.',
    add_app: 'Add authenticator app',
    app_added: ({ at }: { at: number }) => `Authenticator app added ${time(at)}.`,
    remove_app: 'Remove authenticator app',
    codes_left: ({ count }: { count: number }) =>
      plural(count, {
        one: 'You have 1 recovery code left.',
        other: `You have ${count} recovery codes left.`,
      }),
    new_codes: 'Create new recovery codes',
  },
  totp: {
    title: 'Add an authenticator app',
    lead: 'Scan this QR code with the app, then enter the code it shows.',
    picture: 'QR code of the key below',
    by_hand: ({ key }: { key: string }) => sentence`Can’t scan it? Enter this key: ${code(key)}`,
    code: 'Code',
    button: 'Turn on',
    later: 'Not now',
  },
  recovery: {
    title: 'Recovery codes',
    lead: 'Each code signs you in once if you lose everything else. Print them or keep them somewhere safe. We won’t show them again.',
    done: 'I’ve saved them',
  },
  passkeys: {
    heading: 'Passkeys',
    about: 'A passkey signs you in without a password.',
    synced: 'synced',
    dates: ({ created_at, last_used_at }: { created_at: number; last_used_at: number | null }) =>
      `Added ${time(created_at)}, ${used(last_used_at)}`,
    change: 'Rename or remove',
    name: 'Name',
    rename: 'Rename',
    remove: 'Remove passkey',
    new_name: 'Name of the new passkey',
    first_name: 'Passkey',
    add: 'Add passkey',
    needs_script: 'Passkeys require JavaScript.',
    second_only: 'Second step only: this key did not ask for a PIN, so it does not sign in by itself.',
    depends: ({ host }: { host: string }) =>
      `This passkey belongs to ${host}, the earlier address of this site. When that address is given up, it stops working: add a new one and remove this one.`,
    by_mail: 'Before you add your first passkey, confirm that you read the mail of your account.',
    elsewhere: 'You can add passkeys at the main address of this site.',
  },
  sessions: {
    heading: 'Sessions',
    current: 'this device',
    device: ({ browser, system }: { browser: string; system: string }) => `${browser} on ${system}`,
    program: 'A program',
    unknown_device: 'Unknown device',
    about: 'Each line is one sign-in. Ending it signs you out at every host that it opened.',
    kept: 'Stays signed in when the browser is closed',
    keep: 'Stay signed in in this browser',
    by_another_device: 'Signed in by another device of yours: it proves nothing, and lasts 12 hours at most',
    end_it: 'End it',
    kept_about:
      '“Keep me signed in” proves nothing. Important changes, administration and some services still ask who you are.',
    details: ({ address, last_used_at }: { address: string; last_used_at: number }) =>
      `${address === '' ? '' : `${address} · `}${used(last_used_at)}`,
    signed_in: ({ at, proofs }: { at: number; proofs: readonly string[] }) =>
      `Signed in ${time(at)} with ${list(proofs)}`,
    proved: {
      any: ({ at }: { at: number }) => `Confirmed ${time(at)}`,
      second: ({ at }: { at: number }) => `Confirmed with a second factor ${time(at)}`,
      passkey: ({ at }: { at: number }) => `Confirmed with a passkey ${time(at)}`,
      unknown: 'Not known when it was confirmed',
    },
    opened: ({ hosts }: { hosts: readonly string[] }) => `Opened ${list(hosts)}`,
    /** What was verified besides the first proof. */
    factors: {
      totp: 'authenticator app',
      recovery: 'recovery code',
      passkey: 'passkey',
    },
    ways: {
      password: 'password',
      passkey: 'passkey',
      magic_link: 'emailed link',
      another_device: 'another device',
      setup: 'set-up link',
      network: 'network',
    } as Readonly<Record<string, string>>,
    trusted: {
      heading: 'Trusted browsers',
      about:
        'They ask for no second factor when you sign in. They still ask for your password, and for the second factor wherever a change, a service or administration needs it. Trust ends when you change your password or a factor.',
      none: 'None. You can trust a browser when you sign in with a second factor.',
      dates: ({ created_at, expires_at }: { created_at: number; expires_at: number }) =>
        `Trusted since ${time(created_at)}, until ${time(expires_at)}`,
      end: 'Stop trusting it',
    },
    end: 'Sign out this session',
    end_others: 'Sign out all other sessions',
  },
  applications: {
    heading: 'Applications',
    none: 'None yet. Applications that you give access to appear here.',
    access: ({ name, may }: { name: string; may: string }) => sentence`${strong(name)} can ${may}`,
    since: ({ at }: { at: number }) => `Since ${time(at)}`,
    revoke: 'Revoke access',
  },
  tokens: {
    heading: 'Access tokens',
    about: 'A token gives a script access without your password.',
    dates: ({ last_used_at, expires_at }: { last_used_at: number | null; expires_at: number }) =>
      `${last_used_at === null ? 'Never used' : `Last used ${time(last_used_at)}`}, expires ${time(expires_at)}`,
    revoke: 'Revoke token',
    create: 'Create a token',
    name: 'What it is for',
    scope: 'What it can do',
    read: 'Read',
    write: 'Read and change',
    admin: 'Administer, as far as you can',
    days: 'Days until it expires',
    button: 'Create token',
    new_title: 'Your new token',
    new_lead: sentence`Copy it now. We won’t show it again. Programs send it in the header ${code('Authorization: Bearer …')}`,
    copied: 'I’ve copied it',
  },
  identities: {
    heading: 'Linked accounts',
    none: 'None.',
    offer: 'Link an account that you have elsewhere to sign in with it.',
    last_used: ({ last_used_at }: { last_used_at: number | null }) =>
      last_used_at === null ? 'Never used' : `Last used ${time(last_used_at)}`,
    unlink: 'Unlink',
    link: ({ provider }: { provider: string }) => `Link ${provider}`,
  },
  /** What we show once, and how to keep it. */
  once: {
    download: 'Download',
    copy: 'Copy',
    copied: 'Copied',
    failed: 'Copying failed. Select the text and copy it yourself.',
  },
  /** What a page asks before something ends, and what ends with it. */
  questions: {
    cancel: 'Cancel',
    revoke: {
      title: 'Sign out this session?',
      ends: ({ hosts }: { hosts: readonly string[] }) =>
        hosts.length === 0
          ? 'That device has to sign in again.'
          : `That device has to sign in again, also at ${list(hosts)}.`,
      button: 'Sign out',
    },
    untrust: {
      title: 'Stop trusting this browser?',
      ends: 'It asks for your second factor again when you sign in. Sessions stay as they are.',
      button: 'Stop trusting it',
    },
    revoke_all: {
      title: 'Sign out all other sessions?',
      ends: 'These devices have to sign in again, at every host that they opened. This session stays.',
      button: 'Sign out all others',
    },
    revoke_consent: {
      title: 'Revoke access?',
      ends: 'The application’s tokens stop working at once. It has to ask you again before it can access anything.',
      button: 'Revoke access',
    },
    revoke_token: {
      title: 'Revoke token?',
      ends: 'Programs that use this token lose access at once. You can’t undo this.',
      button: 'Revoke token',
    },
    remove_passkey: {
      title: 'Remove passkey?',
      ends: 'You can no longer sign in with this passkey. Your device may keep its copy until you delete it there.',
      button: 'Remove passkey',
    },
    remove_totp: {
      title: 'Remove authenticator app?',
      ends: 'Codes from the app stop working, and we no longer ask for them when you sign in.',
      button: 'Remove app',
    },
    unlink: {
      title: 'Unlink account?',
      ends: 'You can no longer sign in with that account. Sessions that it opened end, and so do group memberships that came with it.',
      button: 'Unlink account',
    },
    withdraw_request: {
      title: 'Withdraw the request?',
      ends: 'Nobody decides about it any more. You can ask again.',
      button: 'Withdraw the request',
    },
    remove_member: {
      title: 'Remove from the group?',
      ends: 'This person loses at once what the group gives.',
      button: 'Remove from the group',
    },
    close_account: {
      title: 'Delete your account?',
      button: 'Delete my account',
    },
    renew_recovery_codes: {
      title: 'Create new recovery codes?',
      ends: 'Your old recovery codes stop working at once.',
      button: 'Create new codes',
    },
  },
  /** What the page says after a form was posted. */
  done: {
    approve_request: 'The request is approved.',
    refuse_request: 'The request is refused.',
    withdraw_request: 'The request is withdrawn.',
    add_member: 'The person is a member now.',
    remove_member: 'The person is no longer a member.',
    profile: 'Your name is saved.',
    details: 'Your details are saved.',
    picture: 'Your picture is saved.',
    remove_picture: 'Your picture is removed.',
    email: 'We sent a link to the new address. Open it to confirm the change.',
    password: 'Your password is changed, and you are signed out everywhere else.',
    confirm_totp: 'Your authenticator app is turned on.',
    remove_totp: 'The authenticator app is removed.',
    add_passkey: 'The passkey is added.',
    rename_passkey: 'The passkey is renamed.',
    remove_passkey: 'The passkey is removed.',
    revoke_consent: 'That application no longer has access.',
    revoke_token: 'The token is revoked.',
    unlink: 'That account is no longer linked.',
    revoke: 'That session is signed out.',
    untrust: 'That browser asks for your second factor again.',
    revoke_all: 'All other sessions are signed out.',
    link: 'That account is now linked. You can sign in with it.',
  },
}
