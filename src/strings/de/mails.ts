import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { duration, time } = formatsOf('de')

const ignore =
  'Wenn Sie das nicht waren, ignorieren Sie diese E-Mail. Es geschieht nichts, solange niemand auf die Schaltfläche klickt.'

export const mails: Catalogue['mails'] = {
  greeting: ({ name }) => (name === '' ? 'Hallo,' : `Hallo ${name},`),
  code: ({ code }) => `Ihr Code: ${code}`,
  code_warning:
    'Niemand wird Sie je nach diesem Code fragen. Geben Sie ihn nur auf der Seite ein, auf der Sie diese Mail angefordert haben.',
  lasts: ({ seconds }) => duration(seconds),
  kinds: {
    verify: ({ site, lasts }) => ({
      subject: `Bestätigen Sie Ihre Adresse für ${site}`,
      paragraphs: [
        `Jemand, hoffentlich Sie, hat mit dieser Adresse ein Konto bei ${site} erstellt.`,
        `Gültigkeit des Links: ${lasts}. ${ignore}`,
      ],
      button: 'Adresse bestätigen',
    }),
    taken: ({ site }) => ({
      subject: `Sie haben schon ein Konto bei ${site}`,
      paragraphs: [
        `Jemand, hoffentlich Sie, wollte diese Adresse bei ${site} verwenden. Sie haben damit schon ein Konto.`,
        'Melden Sie sich damit an, oder fordern Sie ein neues Passwort an, falls Sie Ihres vergessen haben. Wenn Sie das nicht waren, hat sich nichts geändert.',
      ],
    }),
    reset: ({ site, lasts }) => ({
      subject: `Neues Passwort für ${site}`,
      paragraphs: [
        `Jemand, hoffentlich Sie, hat bei ${site} ein neues Passwort angefordert.`,
        `Der Link funktioniert einmal. Gültigkeit: ${lasts}. ${ignore}`,
      ],
      button: 'Neues Passwort festlegen',
    }),
    magic: ({ site, lasts }) => ({
      subject: `Anmelden bei ${site}`,
      paragraphs: [
        `Jemand, hoffentlich Sie, möchte sich bei ${site} anmelden.`,
        `Der Link funktioniert einmal. Gültigkeit: ${lasts}. Leiten Sie ihn nie weiter. ${ignore}`,
      ],
      button: 'Anmelden',
    }),
    code: ({ site }) => ({
      subject: `Bestätigen Sie bei ${site}, dass Sie es sind`,
      paragraphs: [
        `Jemand, hoffentlich Sie, möchte ändern, wie Ihr Konto bei ${site} gesichert ist. Wenn Sie das nicht waren, ändern Sie Ihr Passwort: Diese Person ist als Sie angemeldet.`,
      ],
    }),
    invite: ({ site, lasts, by }) => ({
      subject: `Einladung zu ${site}`,
      paragraphs: [
        by === ''
          ? `Die Administration von ${site} lädt Sie ein, dort ein Konto zu erstellen.`
          : `${by} lädt Sie ein, ein Konto bei ${site} zu erstellen.`,
        `Der Link funktioniert einmal. Gültigkeit: ${lasts}.`,
      ],
      button: 'Einladung annehmen',
    }),
    registration_waiting: ({ site }) => ({
      subject: `Jemand wartet bei ${site} auf Ihre Freigabe`,
      paragraphs: [
        `Jemand hat sich bei ${site} mit einer Einladung registriert und wartet auf Freigabe. Ansehen und entscheiden: registrations.list, registrations.approve, registrations.refuse. Kommen heute weitere hinzu, erhalten Sie dazu keine E-Mail mehr.`,
      ],
    }),
    registration_approved: ({ site }) => ({
      subject: `Ihr Konto bei ${site} ist bereit`,
      paragraphs: [`Ihre Registrierung bei ${site} wurde bestätigt. Sie können sich jetzt anmelden.`],
      button: 'Anmelden',
    }),
    registration_refused: ({ site }) => ({
      subject: `Ihre Registrierung bei ${site}`,
      paragraphs: [`Ihre Registrierung bei ${site} wurde abgelehnt. Ihre Angaben sind gelöscht.`],
    }),
    change: ({ site, lasts }) => ({
      subject: `Bestätigen Sie Ihre neue Adresse für ${site}`,
      paragraphs: [
        `Sie möchten diese Adresse für Ihr Konto bei ${site} verwenden.`,
        `Gültigkeit des Links: ${lasts}. ${ignore}`,
      ],
      button: 'Adresse bestätigen',
    }),
    reopen: ({ site, lasts }) => ({
      subject: `Ihr Konto bei ${site} wird gelöscht`,
      paragraphs: [
        `Sie haben ${site} gebeten, Ihr Konto zu löschen. Es ist jetzt abgeschaltet und weg, sobald dieser Link nicht mehr gilt: in ${lasts}.`,
        'Wenn Sie es sich anders überlegen oder wenn Sie das nicht waren, nehmen Sie die Löschung zurück: mit dem Knopf auf der Seite hinter dem Link.',
      ],
      button: 'Löschung zurücknehmen',
    }),
    account_ends: ({ site, at }) => ({
      subject: `Ihr Konto bei ${site} endet bald`,
      paragraphs: [
        `Ihr Konto bei ${site} endet am ${time(at)}. Danach können Sie sich hier und bei den Diensten dahinter nicht mehr anmelden.`,
        'Sichern Sie vorher, was Sie von dort noch brauchen. Soll das Konto bestehen bleiben, fragen Sie die Betreiber.',
      ],
    }),
    password_changed: ({ site }) => ({
      subject: `Ihr Passwort für ${site} wurde geändert`,
      paragraphs: [
        `Das Passwort Ihres Kontos bei ${site} wurde geändert. Sie wurden überall sonst abgemeldet.`,
      ],
    }),
    recovery_link: ({ site, about }) => ({
      subject: `Ein Link zu Ihrem Konto bei ${site}`,
      paragraphs: [
        `${about} hat einen Link erstellt, mit dem sich ein neues Passwort für Ihr Konto bei ${site} wählen lässt. Wenn Sie darum gebeten haben, bekommen Sie ihn von dort.`,
      ],
    }),
    enrolment_link: ({ site, about }) => ({
      subject: `Jemand hat einen Link zu Ihrem Konto bei ${site} erstellt`,
      paragraphs: [
        `${about} hat einen Link erstellt, mit dem Ihrem Konto bei ${site} ein erster zweiter Faktor hinzugefügt werden kann. Wenn Sie darum gebeten haben, erhalten Sie ihn von dieser Person.`,
      ],
    }),
    address_changed: ({ site, about, restores }) => ({
      subject: `Ihre Adresse für ${site} wurde geändert`,
      paragraphs: [
        about === ''
          ? `Ihr Konto bei ${site} verwendet diese Adresse nicht mehr.`
          : `Ihr Konto bei ${site} verwendet jetzt die Adresse ${about} statt dieser.`,
        ...(restores ? [] : ['Wenn das nicht stimmt, wenden Sie sich sofort an die Betreiber.']),
      ],
    }),
    factors_changed: ({ site, about }) => ({
      subject: `Ihre Anmeldung bei ${site} hat sich geändert`,
      paragraphs: [about],
    }),
    new_device: ({ site }) => ({
      subject: `Anmeldung bei ${site} mit einem neuen Gerät`,
      paragraphs: [
        `Jemand, hoffentlich Sie, hat sich bei Ihrem Konto bei ${site} mit einem Gerät angemeldet, das wir noch nicht kennen.`,
      ],
    }),
    signed_in_elsewhere: ({ site }) => ({
      subject: `Ein anderes Gerät hat einen Browser bei ${site} angemeldet`,
      paragraphs: [
        `Jemand, hoffentlich Sie, hat mit einem Gerät, auf dem Sie bei ${site} angemeldet sind, einen QR-Code gescannt und dadurch einen Browser angemeldet. Das hält höchstens 12 Stunden, und auf der Seite Ihrer Sitzungen können Sie es beenden.`,
      ],
    }),
    access_requested: ({ site, by, about }) => ({
      subject: `${by} bittet bei ${site} um Zugang`,
      paragraphs: [
        `${by} möchte ${about} öffnen. Auf der Seite „Meine Gruppen“ können Sie darüber entscheiden, und über alles andere, was dort auf Sie wartet.`,
        'Das Öffnen der Seite ändert nichts. Wenn in der nächsten Stunde noch jemand fragt, bekommen Sie dazu keine weitere E-Mail.',
      ],
      button: 'Meine Gruppen öffnen',
    }),
    access_approved: ({ site, about, until }) => ({
      subject: `Sie haben jetzt Zugang zu ${about}`,
      paragraphs: [
        until === null
          ? `Ihre Anfrage bei ${site} wurde bewilligt: Sie können ${about} jetzt öffnen.`
          : `Ihre Anfrage bei ${site} wurde bewilligt. Sie können ${about} öffnen bis: ${time(until)}.`,
      ],
      button: 'Öffnen',
    }),
    access_refused: ({ site, about, said }) => ({
      subject: `Ihre Anfrage bei ${site} wurde abgelehnt`,
      paragraphs: [
        `Sie haben um Zugang zu ${about} gebeten, und das wurde abgelehnt. In einer Woche können Sie wieder fragen.`,
        ...(said === '' ? [] : [`Die Begründung: ${said}`]),
      ],
    }),
    trust_ended: ({ site }) => ({
      subject: `${site} vertraut einem Browser nicht mehr`,
      paragraphs: [
        `Ein Browser hat einen alten Nachweis gezeigt, dass Sie ihm vertrauen. Vielleicht wurde er kopiert. Darum fragt Ihr Konto bei ${site} in diesem Browser wieder nach dem zweiten Faktor.`,
      ],
    }),
    test: ({ site }) => ({
      subject: `Testmail von ${site}`,
      paragraphs: ['Das ist die Testmail, die Sie angefordert haben. Die Mail-Einstellungen funktionieren.'],
    }),
  },
  not_me: {
    text: 'Wenn Sie das nicht waren, klicken Sie auf die Schaltfläche der Seite hinter diesem Link. Sie meldet Ihr Konto überall ab und sagt dann, wie Sie ein neues Passwort festlegen.',
    restores:
      'Wenn Sie das nicht waren, klicken Sie auf die Schaltfläche der Seite hinter diesem Link. Sie gibt Ihrem Konto diese Adresse zurück, meldet es überall ab und sagt dann, wie Sie ein neues Passwort festlegen.',
    button: 'Das war ich nicht',
  },
  event: {
    time: ({ at }) => `Zeit: ${time(at)}`,
    device: ({ device }) => `Gerät: ${device}`,
    address: ({ address }) => `Netzwerkadresse: ${address}`,
    administrator: 'Durch: die Administration',
  },
  factor_changes: {
    app_added: () => 'Ihrem Konto wurde eine Authenticator-App hinzugefügt.',
    app_removed: () => 'Ihre Authenticator-App wurde entfernt.',
    passkey_added: ({ name }) => `Ihrem Konto wurde der Passkey „${name}“ hinzugefügt.`,
    passkey_removed: ({ name }) => `Der Passkey „${name}“ wurde entfernt.`,
    identity_added: ({ name }) =>
      `Ein Konto bei ${name} wurde mit Ihrem verknüpft: Damit kann man sich bei Ihrem anmelden.`,
    identity_removed: ({ name }) => `Ein Konto bei ${name} ist nicht mehr mit Ihrem verknüpft.`,
    recovery_code_used: () => 'Mit einem Wiederherstellungscode hat sich jemand angemeldet.',
    cleared: () => 'Die Administration hat alle Ihre zweiten Faktoren entfernt.',
  },
}
