/** The page of the services that a person may open, and the links between the pages of an account. */
export const services = {
  title: 'My services',
  none: 'There is no service here that you may open yet.',
  /** For an installation that has no help text of its own. */
  ask: 'The people who run this site give access. If you miss a service, ask them.',
  navigation: 'Your pages',
  pages: {
    services: 'My services',
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
