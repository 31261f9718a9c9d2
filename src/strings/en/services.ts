import { formatsOf } from '../formats.ts'

const { time } = formatsOf('en')

/** The page of the services that a person may open, and the links between the pages of an account. */
export const services = {
  title: 'My services',
  none: 'There is no service here that you may open yet.',
  /** For an installation that has no help text of its own. */
  ask: 'The people who run this site give access. If you miss a service, ask them.',
  /** How people ask for what they may not open. Times are Unix times in seconds. */
  asking: {
    closed: 'You can ask for these',
    ask: 'Ask for access',
    waiting: 'You have asked for this. Somebody will decide about it.',
    gone: 'a service that is no longer here',
    withdraw: 'Withdraw the request',
    refused: ({ until }: { until: number }) => `Refused. You can ask again after ${time(until)}.`,
    answer: ({ answer }: { answer: string }) => `The reason given: ${answer}`,
    until: ({ until }: { until: number }) => `Until ${time(until)}`,
    title: 'Ask for access',
    lead: ({ name }: { name: string }) =>
      `You would like to open ${name}. Those who decide about it get your name and your reason.`,
    reason: 'Why do you need it?',
    reason_hint: 'At most 300 characters. You may leave it empty.',
    button: 'Ask for access',
  },
  navigation: 'Your pages',
  pages: {
    services: 'My services',
    groups: 'My groups',
    overview: 'Overview',
    profile: 'Profile',
    security: 'Security',
    passkeys: 'Passkeys',
    sessions: 'Sessions',
    applications: 'Applications',
    tokens: 'Tokens',
    data: 'My data',
  },
}
