import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { code, sentence, strong } from '../sentence.ts'

const { list, plural, time } = formatsOf('de')

const used = (last_used_at: number | null) =>
  last_used_at === null ? 'nie verwendet' : `zuletzt verwendet am ${time(last_used_at)}`

export const account: Catalogue['account'] = {
  title: 'Ihr Konto',
  recovery_link: ({ by, at }: { by: string; at: number }) =>
    `${by} hat am ${time(at)} einen Link erstellt, mit dem sich ein neues Passwort für Ihr Konto wählen lässt.`,
  ends: ({ at }) => `Ihr Konto endet am ${time(at)}.`,
  signed_in: 'Sie sind angemeldet.',
  username: 'Benutzername',
  email: 'E-Mail-Adresse',
  claims: 'Berechtigungen',
  sign_out: 'Abmelden',
  impersonating: ({ user }) => sentence`Sie handeln als ${strong(user)}.`,
  stop_impersonating: 'Nicht mehr als diese Person handeln',

  /** For a person whom only the address identifies. */
  by_network: {
    title: 'An Ihrem Netzwerk erkannt',
    lead: 'Wir kennen Ihr Netzwerk. Sie sind nicht angemeldet.',
    sign_in: 'Anmelden',
  },

  groups: {
    heading: 'Meine Gruppen',
    none: 'Sie sind in keiner Gruppe.',
    no_end: 'Ohne Ende',
    ends: ({ at }) => `Bis ${time(at)}`,
    own_requests: 'Worum Sie gebeten haben',
    waiting: ({ at }) => `Gefragt: ${time(at)}. Jemand wird darüber entscheiden.`,
    requests: 'Anfragen, über die Sie entscheiden',
    asks: ({ user, title, group }) =>
      sentence`${strong(user)} möchte ${strong(title)} öffnen, als Mitglied von ${strong(group)}.`,
    asked: ({ at, until }) => `Gefragt: ${time(at)}. Entscheiden können Sie bis: ${time(until)}`,
    opens: 'Die Mitgliedschaft öffnet:',
    opens_nothing:
      'Die Mitgliedschaft öffnet keinen Dienst und keine Anwendung, die eine Berechtigung verlangt.',
    administers: 'Mit der Mitgliedschaft kann diese Person hero_proxy selbst verwalten.',
    all_claims: ({ count }) =>
      plural(count, {
        one: 'Die Berechtigung, die sie gibt',
        other: `Alle ${count} Berechtigungen, die sie gibt`,
      }),
    days: 'Für wie viele Tage',
    approve: 'Bewilligen',
    refuse: 'Ablehnen',
    refuse_reason: 'Die Begründung, für die Person, die fragt',
    members_of: ({ name }) => `Mitglieder von ${name}`,
    no_members: 'Niemand.',
    through: ({ group }) => `über ${group}`,
    remove: 'Aus der Gruppe entfernen',
    add: 'Mitglied hinzufügen',
    empty_for_ever: 'Lassen Sie das Feld leer für eine Mitgliedschaft ohne Ende.',
  },
  profile: {
    heading: 'Profil',
    change_name: 'Namen ändern',
    name: 'Name',
    save_name: 'Namen speichern',
    change_email: 'E-Mail-Adresse ändern',
    new_email: 'Neue Adresse',
    send_link: 'Bestätigungslink senden',
    change_password: 'Passwort ändern',
    current_password: 'Aktuelles Passwort',
    new_password: 'Neues Passwort',
    password_hint: 'Dabei werden Sie überall sonst abgemeldet.',
    save_password: 'Passwort ändern',
  },
  details: {
    heading: 'Ihre Angaben',
    about: 'Anwendungen, die Ihr Profil sehen dürfen, erhalten sie.',
    names: {
      given_name: 'Vorname',
      family_name: 'Nachname',
      locale: 'Sprache, zum Beispiel de oder de-AT',
      zoneinfo: 'Zeitzone',
    },
    unset: 'Keine Angabe',
    yes: 'Ja',
    no: 'Nein',
    one_per_line: 'Einer pro Zeile',
    save: 'Angaben speichern',
    set_for_you: 'Für Sie festgelegt',
    by_others: 'Diese Angaben können Sie hier nicht ändern.',
  },
  data: {
    heading: 'Meine Daten',
    about:
      'Laden Sie in einer Datei herunter, was über Sie gespeichert ist: Konto, Angaben und Bild, wie Sie sich anmelden, Gruppen, Sitzungen, Anwendungen, Mails und was Sie getan haben. Passwörter und Schlüssel sind nicht dabei.',
    download: 'Meine Daten herunterladen',
    close_heading: 'Konto löschen',
    close_about: ({ days }) =>
      `Ihr Konto wird sofort abgeschaltet, und Anwendungen melden Sie ab. Nach ${plural(days, { one: '1 Tag', other: `${days} Tagen` })} ist es weg; bis dahin nimmt ein Link, den wir Ihnen mailen, die Löschung zurück.`,
    stays:
      'Was bleibt: Einträge im Protokoll bis zu ihrer Frist, und Ihr Benutzername, den niemand mehr erhält.',
    close: 'Mein Konto löschen',
    not_here: 'Konten löschen hier die Betreiber. Fragen Sie sie.',
  },
  picture: {
    heading: 'Ihr Bild',
    choose: 'Bild auswählen',
    hint: 'Ein PNG, JPEG oder WebP von höchstens 512 KB. Aufnahmeort und Kamera werden entfernt.',
    save: 'Bild speichern',
    remove: 'Bild entfernen',
  },
  factors: {
    heading: 'Bestätigung in zwei Schritten',
    about: 'Eine Authenticator-App liefert einen Code, nach dem wir zusätzlich zum Passwort fragen.',
    add_app: 'Authenticator-App hinzufügen',
    app_added: ({ at }) => `Authenticator-App hinzugefügt am ${time(at)}.`,
    remove_app: 'Authenticator-App entfernen',
    codes_left: ({ count }) =>
      plural(count, {
        one: 'Sie haben noch 1 Wiederherstellungscode.',
        other: `Sie haben noch ${count} Wiederherstellungscodes.`,
      }),
    new_codes: 'Neue Wiederherstellungscodes erstellen',
  },
  totp: {
    title: 'Authenticator-App hinzufügen',
    lead: 'Scannen Sie diesen QR-Code mit der App und geben Sie dann den Code ein, den sie anzeigt.',
    picture: 'QR-Code des Schlüssels darunter',
    by_hand: ({ key }) => sentence`Scannen geht nicht? Geben Sie diesen Schlüssel ein: ${code(key)}`,
    code: 'Code',
    button: 'Aktivieren',
    later: 'Nicht jetzt',
  },
  recovery: {
    title: 'Wiederherstellungscodes',
    lead: 'Mit jedem Code können Sie sich einmal anmelden, wenn Sie alles andere verloren haben. Drucken Sie die Codes aus oder bewahren Sie sie sicher auf. Wir zeigen sie nicht noch einmal.',
    done: 'Ich habe sie gesichert',
  },
  passkeys: {
    heading: 'Passkeys',
    about: 'Mit einem Passkey melden Sie sich ohne Passwort an.',
    synced: 'synchronisiert',
    dates: ({ created_at, last_used_at }) => `Hinzugefügt am ${time(created_at)}, ${used(last_used_at)}`,
    change: 'Umbenennen oder entfernen',
    name: 'Name',
    rename: 'Umbenennen',
    remove: 'Passkey entfernen',
    new_name: 'Name des neuen Passkeys',
    first_name: 'Passkey',
    add: 'Passkey hinzufügen',
    needs_script: 'Passkeys benötigen JavaScript.',
    second_only:
      'Nur als zweiter Schritt: Dieser Schlüssel hat keine PIN verlangt und meldet deshalb nicht allein an.',
    depends: ({ host }) =>
      `Dieser Passkey gehört zu ${host}, der früheren Adresse dieser Website. Wird sie aufgegeben, funktioniert er nicht mehr: Fügen Sie einen neuen hinzu und entfernen Sie diesen.`,
    by_mail:
      'Bevor Sie Ihren ersten Passkey hinzufügen, bestätigen Sie, dass Sie die E-Mails Ihres Kontos lesen.',
    elsewhere: 'Passkeys können Sie unter der Hauptadresse dieser Website hinzufügen.',
  },
  sessions: {
    heading: 'Sitzungen',
    current: 'dieses Gerät',
    device: ({ browser, system }) => `${browser} unter ${system}`,
    program: 'Ein Programm',
    unknown_device: 'Unbekanntes Gerät',
    about:
      'Jede Zeile ist eine Anmeldung. Wenn Sie eine beenden, sind Sie auch auf allen Hosts abgemeldet, die Sie damit geöffnet haben.',
    kept: 'Bleibt angemeldet, wenn der Browser geschlossen wird',
    keep: 'In diesem Browser angemeldet bleiben',
    by_another_device: 'Von einem anderen Gerät angemeldet: weist nichts nach und hält höchstens 12 Stunden',
    end_it: 'Beenden',
    kept_about:
      '„Angemeldet bleiben“ beweist nichts. Wichtige Änderungen, die Verwaltung und manche Dienste fragen weiterhin, wer Sie sind.',
    details: ({ address, last_used_at }) => `${address === '' ? '' : `${address} · `}${used(last_used_at)}`,
    signed_in: ({ at, proofs }) => `Angemeldet am ${time(at)} mit ${list(proofs)}`,
    proved: {
      any: ({ at }: { at: number }) => `Ausgewiesen ${time(at)}`,
      second: ({ at }: { at: number }) => `Mit zweitem Faktor ausgewiesen ${time(at)}`,
      passkey: ({ at }: { at: number }) => `Mit Passkey ausgewiesen ${time(at)}`,
      unknown: 'Zeitpunkt des Nachweises unbekannt',
    },
    opened: ({ hosts }) => `Geöffnet: ${list(hosts)}`,
    factors: {
      totp: 'Authenticator-App',
      recovery: 'Wiederherstellungscode',
      passkey: 'Passkey',
    },
    ways: {
      password: 'Passwort',
      passkey: 'Passkey',
      magic_link: 'Link per E-Mail',
      another_device: 'einem anderen Gerät',
      setup: 'Einrichtungslink',
      network: 'Netzwerk',
    },
    trusted: {
      heading: 'Vertraute Browser',
      about:
        'Sie fragen bei der Anmeldung nicht nach dem zweiten Faktor. Nach dem Passwort fragen sie weiterhin, und nach dem zweiten Faktor überall, wo eine Änderung, ein Dienst oder die Verwaltung ihn braucht. Das Vertrauen endet, wenn Sie Passwort oder Faktoren ändern.',
      none: 'Keine. Sie können einem Browser vertrauen, wenn Sie sich mit einem zweiten Faktor anmelden.',
      dates: ({ created_at, expires_at }) => `Vertraut seit ${time(created_at)}, bis ${time(expires_at)}`,
      end: 'Nicht mehr vertrauen',
    },
    end: 'Diese Sitzung beenden',
    end_others: 'Alle anderen Sitzungen beenden',
  },
  applications: {
    heading: 'Anwendungen',
    none: 'Noch keine. Hier erscheinen Anwendungen, denen Sie Zugriff geben.',
    access: ({ name, may }) => sentence`${strong(name)} darf ${may}`,
    since: ({ at }) => `Seit ${time(at)}`,
    revoke: 'Zugriff entziehen',
  },
  tokens: {
    heading: 'Zugriffstoken',
    about: 'Ein Token gibt einem Skript Zugriff ohne Ihr Passwort.',
    dates: ({ last_used_at, expires_at }) =>
      `${last_used_at === null ? 'Nie verwendet' : `Zuletzt verwendet am ${time(last_used_at)}`}, läuft ab am ${time(expires_at)}`,
    revoke: 'Token widerrufen',
    create: 'Token erstellen',
    name: 'Wofür es ist',
    scope: 'Was es darf',
    read: 'Lesen',
    write: 'Lesen und ändern',
    admin: 'Verwalten, soweit Sie es dürfen',
    days: 'Tage bis zum Ablauf',
    button: 'Token erstellen',
    new_title: 'Ihr neues Token',
    new_lead: sentence`Kopieren Sie es jetzt. Wir zeigen es nicht noch einmal. Programme senden es in der Kopfzeile ${code('Authorization: Bearer …')}`,
    copied: 'Ich habe es kopiert',
  },
  identities: {
    heading: 'Verknüpfte Konten',
    none: 'Keine.',
    offer: 'Verknüpfen Sie ein Konto, das Sie anderswo haben, um sich damit anzumelden.',
    last_used: ({ last_used_at }) =>
      last_used_at === null ? 'Nie verwendet' : `Zuletzt verwendet am ${time(last_used_at)}`,
    unlink: 'Verknüpfung aufheben',
    link: ({ provider }) => `${provider} verknüpfen`,
  },
  once: {
    download: 'Herunterladen',
    copy: 'Kopieren',
    copied: 'Kopiert',
    failed: 'Das Kopieren ist fehlgeschlagen. Markieren Sie den Text und kopieren Sie ihn selbst.',
  },
  questions: {
    cancel: 'Abbrechen',
    revoke: {
      title: 'Diese Sitzung beenden?',
      ends: ({ hosts }) =>
        hosts.length === 0
          ? 'Auf diesem Gerät ist eine neue Anmeldung nötig.'
          : `Auf diesem Gerät ist eine neue Anmeldung nötig, auch bei ${list(hosts)}.`,
      button: 'Abmelden',
    },
    untrust: {
      title: 'Diesem Browser nicht mehr vertrauen?',
      ends: 'Er fragt bei der Anmeldung wieder nach dem zweiten Faktor. Sitzungen bleiben, wie sie sind.',
      button: 'Nicht mehr vertrauen',
    },
    revoke_all: {
      title: 'Alle anderen Sitzungen beenden?',
      ends: 'Auf diesen Geräten ist eine neue Anmeldung nötig, auf jedem Host, den sie geöffnet haben. Diese Sitzung bleibt.',
      button: 'Alle anderen abmelden',
    },
    revoke_consent: {
      title: 'Zugriff entziehen?',
      ends: 'Die Token der Anwendung gelten sofort nicht mehr. Sie muss Sie erneut fragen, bevor sie auf etwas zugreifen kann.',
      button: 'Zugriff entziehen',
    },
    revoke_token: {
      title: 'Token widerrufen?',
      ends: 'Programme, die dieses Token verwenden, verlieren sofort den Zugriff. Das lässt sich nicht rückgängig machen.',
      button: 'Token widerrufen',
    },
    remove_passkey: {
      title: 'Passkey entfernen?',
      ends: 'Sie können sich mit diesem Passkey nicht mehr anmelden. Ihr Gerät behält seine Kopie womöglich, bis Sie sie dort löschen.',
      button: 'Passkey entfernen',
    },
    remove_totp: {
      title: 'Authenticator-App entfernen?',
      ends: 'Codes der App gelten nicht mehr, und wir fragen bei der Anmeldung nicht mehr danach.',
      button: 'App entfernen',
    },
    unlink: {
      title: 'Verknüpfung aufheben?',
      ends: 'Sie können sich mit diesem Konto nicht mehr anmelden. Sitzungen, die es geöffnet hat, enden, ebenso Mitgliedschaften in Gruppen, die es mitgebracht hat.',
      button: 'Verknüpfung aufheben',
    },
    withdraw_request: {
      title: 'Anfrage zurückziehen?',
      ends: 'Niemand entscheidet mehr darüber. Sie können wieder fragen.',
      button: 'Anfrage zurückziehen',
    },
    remove_member: {
      title: 'Aus der Gruppe entfernen?',
      ends: 'Diese Person verliert sofort, was die Gruppe gibt.',
      button: 'Aus der Gruppe entfernen',
    },
    close_account: {
      title: 'Konto löschen?',
      button: 'Mein Konto löschen',
    },
    renew_recovery_codes: {
      title: 'Neue Wiederherstellungscodes erstellen?',
      ends: 'Ihre alten Wiederherstellungscodes gelten sofort nicht mehr.',
      button: 'Neue Codes erstellen',
    },
  },
  done: {
    approve_request: 'Die Anfrage ist bewilligt.',
    refuse_request: 'Die Anfrage ist abgelehnt.',
    withdraw_request: 'Die Anfrage ist zurückgezogen.',
    add_member: 'Die Person ist jetzt Mitglied.',
    remove_member: 'Die Person ist kein Mitglied mehr.',
    profile: 'Ihr Name ist gespeichert.',
    details: 'Ihre Angaben sind gespeichert.',
    picture: 'Ihr Bild ist gespeichert.',
    remove_picture: 'Ihr Bild ist entfernt.',
    email:
      'Wir haben einen Link an die neue Adresse gesendet. Öffnen Sie ihn, um die Änderung zu bestätigen.',
    password: 'Ihr Passwort ist geändert, und Sie sind überall sonst abgemeldet.',
    confirm_totp: 'Ihre Authenticator-App ist aktiviert.',
    remove_totp: 'Die Authenticator-App ist entfernt.',
    add_passkey: 'Der Passkey ist hinzugefügt.',
    rename_passkey: 'Der Passkey ist umbenannt.',
    remove_passkey: 'Der Passkey ist entfernt.',
    revoke_consent: 'Diese Anwendung hat keinen Zugriff mehr.',
    revoke_token: 'Das Token ist widerrufen.',
    unlink: 'Dieses Konto ist nicht mehr verknüpft.',
    revoke: 'Diese Sitzung ist abgemeldet.',
    untrust: 'Dieser Browser fragt wieder nach dem zweiten Faktor.',
    revoke_all: 'Alle anderen Sitzungen sind abgemeldet.',
    link: 'Dieses Konto ist jetzt verknüpft. Sie können sich damit anmelden.',
  },
}
