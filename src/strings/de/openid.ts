import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration, list } = formatsOf('de')

export const openid: Catalogue['openid'] = {
  scopes: {
    openid: 'Ihre Identität sehen',
    email: 'Ihre E-Mail-Adresse sehen',
    profile: 'Ihr Profil sehen: Name, Benutzername, Bild und weitere Angaben zu Ihnen',
    groups: 'Ihre Gruppen sehen',
    claims: 'Ihre Berechtigungen sehen',
    offline_access: 'den Zugriff behalten, während Sie nicht da sind',
    read: 'Daten in Ihrem Namen lesen',
    write: 'Daten in Ihrem Namen ändern',
    admin: 'in Ihrem Namen verwalten',
  },
  scope_at: ({ may, resource }) => `${may} (bei ${resource})`,
  scope_list: ({ scopes }) => list(scopes),

  consent: {
    title: 'Zugriff erlauben',
    heading: ({ name }) => `${name} Zugriff geben?`,
    lead: ({ user, name, host }) =>
      host === ''
        ? sentence`Sie sind als ${strong(user)} angemeldet. ${strong(name)} möchte:`
        : sentence`Sie sind als ${strong(user)} angemeldet. ${strong(name)} unter ${strong(host)} möchte:`,
    self_registered:
      'Diese Anwendung hat sich selbst registriert. Niemand hier hat geprüft, ob sie ist, was sie zu sein behauptet.',
    self_described: ({ host }) =>
      sentence`Diese Anwendung beschreibt sich selbst unter ${strong(host)}. Niemand hier hat die Angaben geprüft.`,
    revocable: 'Sie können dies auf Ihrer Kontoseite jederzeit widerrufen.',
    allow: 'Erlauben',
    refuse: 'Nicht erlauben',
  },
  no_access: {
    title: 'Kein Zugriff',
    lead: ({ user, name }) => `Sie sind als ${user} angemeldet. ${name} steht diesem Konto nicht offen.`,
    password_right: 'Ihr Passwort war richtig. Wer diese Seite verwaltet, kann Ihnen Zugriff geben.',
    switch_account: 'Konto wechseln',
    back: ({ host }) => `Zurück zu ${host}`,
  },
  switch: {
    title: 'Anderes Konto nötig',
    heading: 'Ein anderes Konto ist nötig',
    lead: ({ name, user }) =>
      sentence`Sie sind als ${strong(user)} angemeldet, aber ${strong(name)} erwartet eine andere Person.`,
    accept: 'Anderes Konto verwenden',
    refuse: 'Abbrechen',
  },
  instead: {
    title: 'Ohne Nachweis weiter',
    optional: ({ name }: { name: string }) =>
      `${name} bittet Sie, sich stärker oder erneut auszuweisen. Sie können ohne diesen Nachweis fortfahren; ${name} weiß dann, dass er fehlt.`,
    needed: ({ name }: { name: string }) =>
      `${name} verlangt, dass Sie sich stärker oder erneut ausweisen. Sie können zurückgehen; ${name} erfährt dann, dass der Nachweis fehlt.`,
    prove: 'Ausweisen',
    without: 'Ohne fortfahren',
    back: 'Zurück zur Anwendung',
  },
  choose_account: {
    title: 'Konto wählen',
    heading: 'Welches Konto?',
    lead: ({ name }) => sentence`${strong(name)} fragt, welches Konto Sie verwenden möchten.`,
    stay: ({ user }) => `Weiter als ${user}`,
    another: 'Anderes Konto verwenden',
  },
  end_session: {
    title: 'Abmelden',
    heading: 'Abmelden?',
    lead: 'Sie werden hier abgemeldet und bei allen Diensten, die Sie von hier aus geöffnet haben.',
    lead_for: ({ name }) =>
      sentence`${strong(name)} möchte Sie abmelden. Sie werden hier abgemeldet und bei allen Diensten, die Sie von hier aus geöffnet haben.`,
    accept: 'Abmelden',
    refuse: 'Angemeldet bleiben',
  },
  signed_out: { title: 'Abgemeldet', again: 'Wieder anmelden' },
  device: {
    title: 'Auf einem Gerät anmelden',
    lead: 'Geben Sie den Code ein, den das Gerät anzeigt.',
    code: 'Code',
    button: 'Weiter',
    some_device: 'Das Gerät',
    confirm_heading: 'Ist das Ihr Gerät?',
    confirm_lead: ({ name, address, user }) =>
      sentence`${strong(name)} möchte von ${address} aus als ${strong(user)} angemeldet werden. Prüfen Sie, ob es diesen Code anzeigt:`,
    warning:
      'Wenn Ihnen jemand diesen Code geschickt hat, brechen Sie ab: Diese Person wäre als Sie angemeldet.',
    mine: 'Das ist mein Gerät',
    not_mine: 'Das ist nicht mein Gerät',
    done_title: 'Angemeldet',
    done: ({ name }) => sentence`${strong(name)} ist angemeldet. Sie können diese Seite schließen.`,
    problems: {
      AbortedError: 'Die Anmeldung wurde abgebrochen. Das Gerät ist nicht angemeldet.',
      AlreadyUsedError: 'Dieser Code wurde schon verwendet.',
      ExpiredError: 'Dieser Code ist abgelaufen. Lassen Sie sich auf dem Gerät einen neuen anzeigen.',
      NoCodeError: 'Geben Sie den Code ein, den das Gerät anzeigt.',
      NotFoundError: 'Diesen Code gibt es nicht. Sehen Sie noch einmal auf das Gerät.',
    },
    failed: 'Etwas ist schiefgegangen. Versuchen Sie es noch einmal.',
    too_many: ({ retry_after }) =>
      `Zu viele falsche Codes. Warten Sie ${duration(retry_after)} und sehen Sie dann genau auf das Gerät.`,
  },
  error: {
    title: 'Anmeldung fehlgeschlagen',
    ours: 'Bei uns ist etwas schiefgegangen. Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal.',
    unknown_client: 'ihre client_id gehört hier zu keiner Anwendung',
    theirs: ({ problem }) =>
      `Die Anwendung hat eine Anfrage gesendet, die wir nicht annehmen können: ${problem}. Es hat sich nichts geändert. Bitte wenden Sie sich an die Betreiber der Anwendung.`,
  },
}
