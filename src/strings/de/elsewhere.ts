import type { Catalogue } from '../catalogue.ts'

export const elsewhere: Catalogue['elsewhere'] = {
  title: 'Mit einem anderen Gerät anmelden',
  passkey:
    'Haben Sie einen Passkey auf Ihrem Telefon? Dann benutzen Sie ihn: Ihr Browser zeigt dafür einen eigenen QR-Code, und die Anmeldung zählt ganz.',
  lead: 'Ein Telefon, auf dem Sie hier angemeldet sind, kann Sie in diesem Browser anmelden. Es scannt einen QR-Code, und Sie geben auf ihm zwei Ziffern ein.',
  limits:
    'Eine solche Anmeldung hält höchstens 12 Stunden. Bei wichtigen Änderungen, der Verwaltung und manchen Diensten müssen Sie sich dann selbst anmelden.',
  show: 'QR-Code zeigen',
  waiting: {
    title: 'Scannen Sie das mit Ihrem Telefon',
    lead: 'Scannen Sie den Code mit der Kamera Ihres Telefons. Er funktioniert fünf Minuten lang. Wenn Ihr Telefon danach fragt, geben Sie dort diese zwei Ziffern ein:',
    picture: 'Ein QR-Code für Ihr Telefon. Er öffnet eine Seite dieser Website.',
  },
  opened: {
    title: 'Geben Sie jetzt die Ziffern ein',
    lead: 'Ihr Telefon hat die Seite geöffnet. Geben Sie dort diese zwei Ziffern ein:',
  },
  reload: 'Ich habe sie eingegeben',
  approved: {
    title: 'Fast fertig',
    lead: ({ user }) =>
      `Ihr Telefon hat zugestimmt. Die Schaltfläche meldet Sie in diesem Browser als ${user} an.`,
    button: 'Anmelden',
  },
  ended: {
    title: 'Niemand wurde angemeldet',
    network:
      'Das Telefon war in einem anderen Netz als dieser Browser. Verbinden Sie beide mit demselben Netz, zum Beispiel Ihrem WLAN zu Hause.',
    family:
      'Das Telefon und dieser Browser erreichen diese Website auf verschiedenen Wegen, über IPv4 und IPv6. Darum lässt sich nicht sagen, ob sie im selben Netz sind. Benutzen Sie hier einen Passkey oder einen Code per E-Mail.',
    digits: 'Auf dem Telefon wurden andere Ziffern eingegeben, als diese Seite gezeigt hat.',
    over: 'Die fünf Minuten sind um, oder das ist schon abgeschlossen.',
    again: 'Neuen QR-Code zeigen',
    email_link: 'Per E-Mail anmelden',
  },
  phone: {
    title: 'Einen anderen Browser anmelden?',
    lead: ({ user }) =>
      `Sie haben den QR-Code eines Browsers gescannt. Wenn Sie weitermachen, kann er als ${user} angemeldet werden.`,
    warning:
      'Machen Sie nur weiter, wenn Sie das selbst begonnen haben, in einem Browser, den Sie vor sich sehen. Hören Sie auf, wenn Ihnen jemand den Code geschickt hat oder Sie bittet, ihn zu scannen.',
    button: 'Weiter',
    stop: 'Aufhören',
  },
  digits: {
    title: 'Geben Sie die Ziffern ein',
    lead: ({ user }) => `Dieser Browser wird als ${user} angemeldet:`,
    device: ({ device }) => `Gerät: ${device}`,
    address: ({ address }) => `Netzwerkadresse: ${address}`,
    network: {
      same: 'Er ist im Netz dieses Telefons.',
      other: 'Er ist NICHT im Netz dieses Telefons. Machen Sie nur weiter, wenn Sie ihn vor sich sehen.',
      family:
        'Es lässt sich nicht sagen, ob er im Netz dieses Telefons ist: Eines der beiden benutzt IPv4, das andere IPv6.',
    },
    label: 'Die zwei Ziffern, die er zeigt',
    hint: 'Sie haben einen Versuch.',
    button: 'Anmelden',
  },
  done: {
    title: 'Zugestimmt',
    lead: 'Drücken Sie jetzt die Schaltfläche im anderen Browser. Er bleibt höchstens 12 Stunden angemeldet, und wir schreiben Ihnen eine E-Mail darüber. Unter „Sitzungen“ können Sie das jederzeit beenden.',
    sessions: 'Ihre Sitzungen',
  },
}
