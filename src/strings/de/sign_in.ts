import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration, plural, time } = formatsOf('de')

export const sign_in: Catalogue['sign_in'] = {
  username: 'Benutzername',
  username_hint: 'Erlaubt sind Buchstaben, Ziffern, „_“ und „-“. Er lässt sich später nicht ändern.',
  display_name: 'Name',
  display_name_hint: 'Das sehen andere. Sie können ihn später ändern und auch leer lassen.',
  email: 'E-Mail-Adresse',
  password: 'Passwort',
  new_password_hint: 'Mehrere Wörter ohne Zusammenhang sind leicht zu merken und schwer zu erraten.',
  code: 'Code',
  code_hint:
    'Geben Sie die sechs Ziffern aus Ihrer Authenticator-App oder einen Ihrer Wiederherstellungscodes ein.',
  continue: 'Weiter',
  use_passkey_of: ({ host }) => `Passkey von ${host} verwenden`,
  use_passkey: 'Passkey verwenden',
  back: 'Zurück zur Anmeldung',
  passkey_exists: 'Auf diesem Gerät gibt es schon einen Passkey für Ihr Konto.',
  passkey_missing: 'Ihr Gerät hat keinen Passkey geliefert.',

  page: {
    title: 'Anmelden',
    login: 'Benutzername oder E-Mail-Adresse',
    button: 'Anmelden',
    other_ways: 'Andere Möglichkeiten',
    more_ways: 'Weitere Möglichkeiten',
    last_used: 'Zuletzt verwendet',
    show_password: 'Passwort anzeigen',
    for_service: ({ host, title }) =>
      title === null
        ? sentence`Melden Sie sich an, um ${strong(host)} zu öffnen.`
        : sentence`Melden Sie sich an, um ${strong(title)} unter ${host} zu öffnen.`,
    with_provider: ({ provider }) => `Mit ${provider} anmelden`,
    forgot_password: 'Passwort vergessen?',
    email_link: 'Anmeldelink per E-Mail senden',
    another_device: 'Mit einem anderen Gerät anmelden',
    anew: {
      another_device:
        'Ein anderes Gerät hat Sie in diesem Browser angemeldet. Dafür müssen Sie sich hier selbst anmelden.',
      to_stay:
        'Um in diesem Browser angemeldet zu bleiben, melden Sie sich noch einmal an und haken Sie das Kästchen an.',
    },
    create_account: 'Konto erstellen',
  },
  remember: {
    label: ({ seconds }) => `Angemeldet bleiben, ${duration(seconds)} lang`,
    hint: ({ most }) =>
      `Gezählt ab Ihrem letzten Besuch, insgesamt höchstens ${duration(most)} lang. Nur auf einem Gerät, das niemand sonst nutzt.`,
  },
  trust: ({ seconds }) => ({
    label: `Diesem Browser ${duration(seconds)} lang vertrauen`,
    hint: 'Er fragt bei der Anmeldung nicht mehr nach diesem Schritt. Nur auf einem Gerät, das niemand sonst nutzt.',
  }),
  factor: {
    title: 'Noch ein Schritt',
    lead: 'Bestätigen Sie, dass Sie es sind.',
  },
  prove: {
    title: 'Bestätigen Sie, dass Sie es sind',
    lead: 'Diese Änderung ist wichtig. Bitte bestätigen Sie, wer Sie sind. In den nächsten 15 Minuten fragen wir nicht noch einmal.',
    place: {
      any: 'Bitte bestätigen Sie, wer Sie sind, um fortzufahren.',
      second:
        'Bestätigen Sie mit Ihrem zweiten Faktor, um fortzufahren: mit einem Code, einem Sicherheitsschlüssel oder einem Passkey.',
      passkey: 'Bestätigen Sie mit einem Passkey, um fortzufahren.',
    },
    recent: ({ seconds }: { seconds: number }) =>
      `Der Nachweis darf höchstens ${duration(seconds)} alt sein.`,
    none: {
      any: 'Sie haben hier keine Möglichkeit, zu bestätigen, wer Sie sind. Die Administration kann helfen.',
      second:
        'Sie haben noch keinen zweiten Faktor. Fügen Sie Ihrem Konto eine Authenticator-App oder einen Passkey hinzu und kommen Sie dann zurück.',
      passkey: 'Sie haben noch keinen Passkey. Fügen Sie Ihrem Konto einen hinzu und kommen Sie dann zurück.',
    },
    add: 'Im Konto hinzufügen',
    instead: 'Ohne diesen Nachweis weiter',
    with_provider: ({ provider }) => `Noch einmal mit ${provider} anmelden`,
    email_link: 'Anmeldelink per E-Mail senden',
    forgot_password: 'Passwort vergessen oder nie festgelegt?',
    no_password: 'Sie haben kein Passwort? Die Administration kann eines für Sie festlegen.',
  },
  /** Behind a link for the first second factor. */
  enrol: {
    title: 'Zweiten Faktor hinzufügen',
    lead: ({ user }: { user: string }) =>
      `Mit diesem Link können Sie dem Konto ${user} in den nächsten 15 Minuten eine Authenticator-App oder einen Passkey hinzufügen.`,
    button: 'Weiter',
  },
  register: {
    title: 'Konto erstellen',
    /** Of a link for several people, with a mail server and without one. */
    by_link: 'Sie wurden eingeladen. Wir mailen Ihnen einen Link, mit dem Sie Ihre Adresse bestätigen.',
    by_link_alone: 'Sie wurden eingeladen. Wählen Sie einen Benutzernamen und ein Passwort.',
    then_approved: 'Danach muss noch jemand Ihr Konto bestätigen.',
    works: ({ count, at }: { count: number; at: number }) =>
      `Gilt für ${plural(count, { one: 'eine Person', other: `${count} Personen` })}, bis ${time(at)}.`,
    invited: ({ address }: { address: string }) =>
      `Sie wurden eingeladen. Ihr Konto erhält die Adresse ${address}.`,
    button: 'Konto erstellen',
  },
  verify: {
    title: 'E-Mail-Adresse bestätigen',
    lead: 'Klicken Sie auf die Schaltfläche, wenn Sie dies angefordert haben. Wenn nicht, schließen Sie die Seite; dann ändert sich nichts.',
    button: 'Adresse bestätigen',
  },
  new_account: {
    title: 'Passwort festlegen',
    lead: ({ user, address }: { user: string; address: string }) =>
      `Ihr Konto ${user} bekommt die Adresse ${address}. Wenn Sie kein Konto angefordert haben, schließen Sie die Seite; dann ändert sich nichts.`,
    button: 'Konto erstellen',
  },
  own_names: ({ address }: { address: string }) =>
    `Die Adresse ${address} ist hier registriert, aber noch von niemandem bestätigt. Wählen Sie die Namen Ihres Kontos. Wenn Sie das nicht angefordert haben, schließen Sie die Seite; dann ändert sich nichts.`,
  forgot: {
    title: 'Passwort vergessen?',
    lead: 'Wir senden Ihnen einen Link, mit dem Sie ein neues Passwort festlegen.',
    button: 'Link senden',
  },
  reset: {
    title: 'Neues Passwort festlegen',
    /** Of a link that somebody handed over. */
    recovery: ({ user }: { user: string }) =>
      `Damit wird das Passwort des Kontos ${user} gesetzt, und es wird überall abgemeldet. Die Bestätigung in zwei Schritten bleibt, wie sie ist.`,
    lead: ({ address }: { address: string }) =>
      `Damit legen Sie das Passwort des Kontos von ${address} fest. Das Konto wird überall abgemeldet.`,
    button: 'Passwort festlegen',
  },
  reopen: {
    title: 'Konto zurücknehmen',
    lead: 'Ihr Konto wurde gelöscht und ist bald weg. Der Knopf schaltet es wieder ein.',
    button: 'Mein Konto behalten',
  },
  not_me: {
    title: 'Waren Sie das nicht?',
    lead: ({ address, at }) =>
      `Die Schaltfläche meldet das Konto von ${address} überall ab. Sie beendet auch, was darin seit ${time(at)} entstanden ist: Zugriffe von Anwendungen, Tokens und gemailte Links. Dabei wird niemand angemeldet.`,
    button: 'Überall abmelden',
    restore: {
      lead: ({ address, at }) =>
        `Die Schaltfläche gibt dem Konto die Adresse ${address} zurück, meldet es überall ab und entfernt sein Passwort. Sie beendet auch, was darin seit ${time(at)} entstanden ist: Zugriffe von Anwendungen, Tokens, gemailte Links und Konten, die damit verknüpft wurden. Dabei wird niemand angemeldet.`,
      button: 'Änderung zurücknehmen',
    },
  },
  magic: {
    title: 'Per E-Mail anmelden',
    lead: 'Wir senden Ihnen einen Link. Jede Person, die ihn öffnet, ist als Sie angemeldet.',
    button: 'Link senden',
  },
  mailed_code: {
    title: 'Sehen Sie in Ihre E-Mails',
    lead: 'Wenn es ein Konto mit dieser Adresse gibt, haben wir einen Code und einen Link dorthin gesendet. Es kann eine Minute dauern, bis sie ankommen. Geben Sie den Code hier ein, oder öffnen Sie den Link.',
    button: 'Anmelden',
    label: 'Code aus der E-Mail',
    hint: 'Acht Buchstaben. Der Code funktioniert nur in diesem Browser, zehn Minuten lang.',
    again: 'Neuen Code senden',
  },
  mailed_proof: {
    title: 'Bestätigen Sie Ihre E-Mail-Adresse',
    lead: 'Bevor Sie Ihren ersten zweiten Faktor hinzufügen, senden wir Ihnen einen Code per E-Mail: Er zeigt, dass das Konto Ihnen gehört. Danach haben Sie 15 Minuten Zeit.',
    button: 'Code per E-Mail senden',
    sent: 'Wir haben einen Code an die Adresse Ihres Kontos gesendet. Es kann eine Minute dauern, bis er ankommt.',
    confirm: 'Bestätigen',
  },
  enter: {
    title: 'Anmelden',
    lead: ({ address, host }: { address: string; host: string | undefined }) =>
      `Die Schaltfläche meldet Sie auf diesem Gerät als ${address} an${host === undefined ? '' : ` und öffnet ${host}`}.`,
    button: 'Anmelden',
  },
  setup: {
    title: 'Erstes Administratorkonto anlegen',
    lead: 'Dieses Konto darf hier alles. Der Link, über den Sie gekommen sind, funktioniert nur einmal.',
    button: 'Konto erstellen',
  },
  sign_out: {
    title: 'Abmelden',
    heading: 'Abmelden?',
    lead: 'Damit endet Ihre Anmeldung in diesem Browser und bei allen Diensten, die Sie darin geöffnet haben.',
    lead_from: ({ host }) =>
      `Sie kommen von ${host}. Sie können sich von allen Diensten abmelden, die Sie in diesem Browser geöffnet haben, oder nur von diesem.`,
    everywhere: 'Überall abmelden',
    only_here: ({ host }) => `Nur von ${host} abmelden`,
  },
  replace: {
    title: 'Als jemand anderes anmelden?',
    lead: ({ present, next }) =>
      `In diesem Browser ist ${present} angemeldet, und gerade hat sich ${next} angemeldet. Wenn Sie als ${next} fortfahren, wird ${present} hier und bei allen Diensten abgemeldet.`,
    accept: ({ next }) => `Als ${next} fortfahren`,
    refuse: ({ present }) => `${present} bleiben`,
  },
  /** A service that asks each person once. */
  confirm: {
    title: 'Bei diesem Dienst anmelden?',
    lead: ({ host }) => `${host} erfährt, wer Sie sind, und fragt das nur einmal.`,
    button: 'Anmelden',
  },
  /** For a form that was older than its cookie. */
  resend: {
    title: 'Bitte senden Sie das noch einmal',
    lead: 'Diese Seite war zu lange geöffnet, deshalb wurde nichts geändert. Prüfen Sie, ob Sie das noch wollen.',
    button: 'Noch einmal senden',
  },
  switch_account: {
    title: 'Konto wechseln',
    lead: ({ user }) =>
      `Sie sind als ${user} angemeldet. Damit sich jemand anderes anmelden kann, wird ${user} zuerst abgemeldet, hier und bei jedem Dienst, den Sie in diesem Browser geöffnet haben.`,
    button: ({ user }) => `${user} abmelden und fortfahren`,
    cancel: 'Abbrechen',
  },
  framed: {
    title: 'Bitte in einem eigenen Tab öffnen',
    lead: 'Zu Ihrem Schutz meldet diese Seite innerhalb einer anderen Seite niemanden an.',
    open: 'In neuem Tab öffnen',
  },
  away: {
    title: 'Ihren Passkey verwenden',
    lead: ({ host, home }) => `Ihr Passkey wurde für ${host} angelegt. Er meldet Sie bei ${home} an.`,
  },
  /** A service that the person had signed out of alone. */
  come_back: {
    title: 'Wieder anmelden?',
    lead: ({ host }) =>
      `Sie haben sich in diesem Browser von ${host} abgemeldet. Möchten Sie es wieder öffnen?`,
    button: 'Öffnen',
  },
  link: {
    title: 'Konto verknüpfen',
    heading: ({ provider }) => `${provider} mit Ihrem Konto verknüpfen?`,
    guest: ({ provider, email }) =>
      sentence`Hier gibt es schon ein Konto mit der Adresse ${strong(email)}, die ${provider} bestätigt hat. Melden Sie sich dort wie gewohnt an und bestätigen Sie dann, dass beide Konten Ihnen gehören.`,
    signed_in: ({ user, provider, account }) =>
      sentence`Sie sind hier als ${strong(user)} angemeldet und bei ${provider} als ${strong(account)}.`,
    warning: ({ provider }) =>
      `Wer sich bei diesem ${provider}-Konto anmelden kann, kann sich dann auch hier als Sie anmelden.`,
    sign_in: 'Anmelden',
    accept: 'Konten verknüpfen',
    refuse: 'Nicht verknüpfen',
  },
  leaving: {
    signing_in: 'Sie werden angemeldet',
    signing_out: 'Sie werden abgemeldet',
    continue: 'Weiter, falls nichts geschieht',
  },
}
