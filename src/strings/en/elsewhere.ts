/** How a phone signs in another browser. */
export const elsewhere = {
  title: 'Sign in with another device',
  /** Where the browser offers passkeys. */
  passkey:
    'Is there a passkey on your phone? Then use it: your browser shows a QR code of its own, and the sign-in counts in full.',
  lead: 'A phone on which you are signed in here can sign you in in this browser. It scans a QR code, and you type two digits on it.',
  limits:
    'Such a sign-in lasts 12 hours at most. Important changes, administration and some services then ask you to sign in yourself.',
  show: 'Show a QR code',
  waiting: {
    title: 'Scan this with your phone',
    lead: 'Scan the code with the camera of your phone. It works for five minutes. When your phone asks, type these two digits on it:',
    picture: 'A QR code for your phone. It opens a page of this site.',
  },
  opened: {
    title: 'Now type the digits',
    lead: 'Your phone has opened the page. Type these two digits on it:',
  },
  /** For browsers that do not load the page again by themselves. */
  reload: 'I have typed them',
  approved: {
    title: 'Almost done',
    lead: ({ user }: { user: string }) =>
      `Your phone agrees. The button signs you in in this browser as ${user}.`,
    button: 'Sign in',
  },
  ended: {
    title: 'Nobody was signed in',
    network:
      'The phone was in another network than this browser. Connect both to the same network, such as your Wi-Fi at home.',
    family:
      'The phone and this browser reach this site in different ways, over IPv4 and IPv6, so nobody can tell whether they are in the same network. Use a passkey or a code by email here.',
    digits: 'Other digits were typed on the phone than those that this page showed.',
    over: 'The five minutes are over, or this was finished already.',
    again: 'Show a new QR code',
    email_link: 'Sign in by email',
  },
  phone: {
    title: 'Sign in another browser?',
    lead: ({ user }: { user: string }) =>
      `You have scanned the QR code of a browser. If you go on, it can be signed in as ${user}.`,
    warning:
      'Go on only if you began this yourself, in a browser that you see in front of you. Stop if somebody has sent you the code or asks you to scan it.',
    button: 'Go on',
    stop: 'Stop',
  },
  digits: {
    title: 'Type the digits',
    lead: ({ user }: { user: string }) => `This browser will be signed in as ${user}:`,
    device: ({ device }: { device: string }) => `Device: ${device}`,
    address: ({ address }: { address: string }) => `Network address: ${address}`,
    network: {
      same: 'It is in the network of this phone.',
      other: 'It is NOT in the network of this phone. Go on only if you see it in front of you.',
      family:
        'Nobody can tell whether it is in the network of this phone: one uses IPv4, the other one IPv6.',
    },
    label: 'The two digits that it shows',
    hint: 'You have one try.',
    button: 'Sign it in',
  },
  done: {
    title: 'Agreed',
    lead: 'Now press the button in the other browser. It stays signed in for 12 hours at most, and we mail you about it. You can end that at any time under “Sessions”.',
    sessions: 'Your sessions',
  },
}
