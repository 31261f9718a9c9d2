import type { Catalogue } from '../catalogue.ts'

export const services: Catalogue['services'] = {
  title: 'Meine Dienste',
  none: 'Hier gibt es noch keinen Dienst, den Sie öffnen dürfen.',
  ask: 'Den Zugang vergeben die Menschen, die diese Website betreiben. Fragen Sie sie, wenn Ihnen ein Dienst fehlt.',
  navigation: 'Ihre Seiten',
  pages: {
    services: 'Meine Dienste',
    overview: 'Übersicht',
    profile: 'Profil',
    security: 'Sicherheit',
    passkeys: 'Passkeys',
    sessions: 'Sitzungen',
    applications: 'Anwendungen',
    tokens: 'Token',
    data: 'Meine Daten',
  },
}
