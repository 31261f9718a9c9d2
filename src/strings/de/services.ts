import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { time } = formatsOf('de')

export const services: Catalogue['services'] = {
  title: 'Meine Dienste',
  none: 'Hier gibt es noch keinen Dienst, den Sie öffnen dürfen.',
  ask: 'Den Zugang vergeben die Menschen, die diese Website betreiben. Fragen Sie sie, wenn Ihnen ein Dienst fehlt.',
  asking: {
    closed: 'Um diese Dienste können Sie bitten',
    ask: 'Um Zugang bitten',
    waiting: 'Sie haben um Zugang gebeten. Jemand wird darüber entscheiden.',
    gone: 'einen Dienst, den es nicht mehr gibt',
    withdraw: 'Anfrage zurückziehen',
    refused: ({ until }) => `Abgelehnt. Wieder fragen können Sie ab: ${time(until)}.`,
    answer: ({ answer }) => `Die Begründung: ${answer}`,
    until: ({ until }) => `Bis ${time(until)}`,
    title: 'Um Zugang bitten',
    lead: ({ name }) =>
      `Sie möchten ${name} öffnen. Wer darüber entscheidet, erfährt Ihren Namen und Ihre Begründung.`,
    reason: 'Wofür brauchen Sie den Zugang?',
    reason_hint: 'Höchstens 300 Zeichen. Das Feld darf leer bleiben.',
    button: 'Um Zugang bitten',
  },
  navigation: 'Ihre Seiten',
  pages: {
    services: 'Meine Dienste',
    groups: 'Meine Gruppen',
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
