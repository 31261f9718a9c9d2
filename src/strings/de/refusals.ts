import type { Catalogue, SignatureFault } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { choice, time, wait } = formatsOf('de')

const signatureFaults: Readonly<Record<SignatureFault, string>> = {
  missing: 'Die Anfrage hat keine Signatur.',
  used: 'Diese Nonce wurde schon verwendet.',
  pubkey:
    'X-Signature-Pubkey muss ein secp256k1-Schlüssel in hexadezimaler Form sein: 33 Bytes komprimiert oder 65 Bytes.',
  signature:
    'X-Signature muss eine Signatur in hexadezimaler Form sein: r und s, 64 Bytes, mit dem kleineren s.',
  timestamp: 'X-Signature-Timestamp muss eine Unix-Zeit in Sekunden sein.',
  nonce: 'X-Signature-Nonce muss ein Text aus 16 bis 64 URL-sicheren Zeichen sein.',
  time: 'X-Signature-Timestamp weicht mehr als 60 Sekunden von der hiesigen Zeit ab.',
  unknown_key: 'Dieser Schlüssel gehört hier niemandem.',
  wrong: 'Die Signatur passt nicht zu diesem Schlüssel und dieser Anfrage.',
}

const invalid: Readonly<Record<string, string>> = {
  username:
    'Wählen Sie einen anderen Benutzernamen aus 1 bis 63 Buchstaben, Ziffern, „_“ und „-“, der mit einem Buchstaben oder einer Ziffer beginnt.',
  email: 'Geben Sie eine E-Mail-Adresse wie ada@example.org ein.',
  password: 'Geben Sie ein Passwort ein.',
  current_password: 'Geben Sie Ihr aktuelles Passwort ein.',
  display_name: 'Geben Sie einen Namen von höchstens 200 Zeichen in einer Zeile ein.',
  name: 'Geben Sie einen nicht zu langen Namen in einer Zeile ein.',
  code: 'Geben Sie einen Code aus sechs Ziffern oder einen Wiederherstellungscode ein.',
  expires_in: 'Wählen Sie eine kürzere Zeit von mindestens einem Tag.',
  login: 'Geben Sie Ihren Benutzernamen oder Ihre E-Mail-Adresse ein.',
}

const taken: Readonly<Record<string, string>> = {
  username: 'Dieser Benutzername ist schon vergeben.',
  email: 'Diese E-Mail-Adresse wird schon verwendet.',
  attestation: 'Dieser Passkey ist schon registriert.',
  subject: 'Dieses Konto ist schon verknüpft.',
}

export const refusals: Catalogue['refusals'] = {
  problems: {
    no_self_delete: 'Konten löschen hier die Betreiber. Fragen Sie sie.',
    no_picture:
      'Dieses Bild können wir nicht annehmen: ein PNG, JPEG oder WebP von höchstens 512 KB und 4096 Pixeln je Seite.',
    ask_over: 'Diese Seite ist zu alt oder war für jemand anderen. Öffnen Sie den Dienst noch einmal.',
    ask_not_needed: 'Sie können das schon öffnen.',
    ask_useless:
      'Sie sind schon in der Gruppe, aber sie öffnet das nicht. Fragen Sie die Menschen, die diese Website betreiben.',
    ask_waiting: 'Sie haben darum schon gebeten. Jemand wird darüber entscheiden.',
    ask_refused: ({ until }) => `Das wurde abgelehnt. Wieder fragen können Sie ab: ${time(until)}.`,
    ask_too_many: ({ most }) =>
      `Sie haben schon ${most} offene Anfragen. Warten Sie eine Antwort ab, oder ziehen Sie eine zurück.`,
    ask_gone: 'Der Dienst bietet das nicht mehr an. Lehnen Sie die Anfrage ab.',
    ask_own: 'Über Ihre eigene Anfrage muss jemand anders entscheiden.',
    ask_decided: 'Darüber wurde schon entschieden.',
    parse_error: 'Die Anfrage konnte nicht gelesen werden.',
    invalid_request: 'Die Anfrage ist ungültig.',
    method_not_found: 'Diese Aktion gibt es nicht.',
    invalid_params: ({ path }) =>
      invalid[path ?? ''] ??
      'Eine Ihrer Angaben ist ungültig. Prüfen Sie sie und versuchen Sie es noch einmal.',
    internal_error: 'Bei uns ist etwas schiefgegangen. Versuchen Sie es gleich noch einmal.',
    unauthenticated: 'Melden Sie sich an und versuchen Sie es noch einmal.',
    factor_required: 'Zur Anmeldung ist ein zweiter Schritt nötig.',
    session_changed:
      'In diesem Browser hat sich inzwischen jemand anderes angemeldet. Laden Sie die Seite neu.',
    proof_required: 'Bestätigen Sie zuerst, dass Sie es sind.',
    claim_required: 'Dazu fehlt Ihnen die Berechtigung.',
    not_found: 'Das gibt es nicht mehr.',
    already_exists: ({ path }) => taken[path ?? ''] ?? 'Das gibt es schon.',
    conflict: 'Das ist zurzeit nicht möglich.',
    rate_limited: ({ retry_after }) =>
      retry_after === undefined
        ? 'Zu viele Versuche. Versuchen Sie es später noch einmal.'
        : `Zu viele Versuche. Wartezeit bis zum nächsten: ${wait(retry_after)}.`,
    unavailable: 'Das ist vorübergehend nicht verfügbar. Versuchen Sie es gleich noch einmal.',

    administrator_ends: 'Ein Administratorkonto kann kein Ende haben.',
    invitation_over: 'Diese Einladung gilt nicht mehr. Bitten Sie um eine neue.',
    account_ended: 'Ihr Konto ist abgelaufen. Soll es bestehen bleiben, fragen Sie die Betreiber.',
    awaits_approval: 'Ihre Registrierung muss noch bestätigt werden. Sie bekommen dann eine E-Mail.',
    wrong_login: 'Benutzername, E-Mail-Adresse oder Passwort ist falsch.',
    wrong_password: 'Das Passwort ist falsch.',
    wrong_current_password: 'Ihr aktuelles Passwort ist falsch.',
    wrong_code: 'Dieser Code ist falsch oder wurde schon verwendet.',
    password_length: ({ least, most }) => `Wählen Sie ein Passwort von ${least} bis ${most} Zeichen.`,
    password_guessable:
      'Dieses Passwort ist zu leicht zu erraten. Wählen Sie ein längeres oder mehrere Wörter ohne Zusammenhang.',
    username_reserved: 'Dieser Benutzername ist reserviert. Wählen Sie einen anderen.',
    factor_needed:
      'Bestätigen Sie mit einem Code oder einem Passkey: Ihr Konto verlangt eine Bestätigung in zwei Schritten.',
    passkey_refused: 'Dieser Passkey wurde nicht angenommen.',
    key_not_alone:
      'Dieser Schlüssel hat keine PIN und kann Sie nicht allein anmelden. Melden Sie sich zuerst anders an und verwenden Sie ihn als zweiten Schritt.',
    passkey_used: 'Diese Passkey-Antwort wurde schon verwendet. Versuchen Sie es noch einmal.',
    passkey_of_another: 'Dieser Passkey gehört zu einem anderen Konto.',
    too_many_passkeys: ({ most }) => `Sie haben schon ${most} Passkeys. Entfernen Sie zuerst einen.`,
    address_too_new: ({ at }) =>
      `Sie haben Ihre E-Mail-Adresse vor kurzem geändert. Ihren ersten zweiten Faktor können Sie ab ${time(at)} hinzufügen; bis dahin kann die frühere Adresse die Änderung zurücknehmen. Die Administration kann früher helfen.`,
    address_needed:
      'Fügen Sie Ihrem Konto zuerst eine E-Mail-Adresse hinzu, oder fragen Sie die Administration. Vor dem ersten zweiten Faktor wird Ihnen ein Code gesendet.',
    enrolment_link_needed:
      'Ihr erster zweiter Faktor braucht einen Link von der Verwaltung. Bitten Sie darum und öffnen Sie ihn, während Sie angemeldet sind.',
    no_mail:
      'Es kann Ihnen kein Code gesendet werden: Ihr Konto hat keine bestätigte Adresse, oder diese Site versendet keine E-Mails.',
    wrong_mailed_code:
      'Dieser Code ist falsch, zu alt oder für einen anderen Browser. Fordern Sie einen neuen an, oder öffnen Sie den Link in der E-Mail.',
    dead_link:
      'Dieser Link funktioniert nicht mehr. Er wurde verwendet, ist abgelaufen oder durch einen neueren ersetzt.',
    dead_setup_link:
      'Dieser Einrichtungslink funktioniert nicht mehr. Starten Sie hero_proxy neu, um einen neuen zu erhalten.',
    already_set_up:
      'Es gibt schon ein Administratorkonto. Melden Sie sich an oder wenden Sie sich an die Administration.',
    set_up_before:
      'Diese Website wurde schon einmal eingerichtet. Ihre Betreiber können `hero-proxy setup` ausführen.',
    session_ended: 'Ihre Sitzung ist beendet. Melden Sie sich wieder an.',
    registration_closed:
      'Sie können hier nicht selbst ein Konto erstellen. Bitten Sie die Administration um eines.',
    invitation_needed:
      'Um hier ein Konto zu erstellen, brauchen Sie eine Einladung. Bitten Sie die Administration um eine.',
    address_taken: 'Diese Adresse gehört inzwischen zu einem anderen Konto.',
    magic_links_off: 'Die Anmeldung per E-Mail ist hier nicht verfügbar.',
    elsewhere_off: 'Die Anmeldung mit einem anderen Gerät ist hier ausgeschaltet.',
    elsewhere_unsure:
      'Hier lässt sich nicht sagen, aus welchem Netz Sie kommen. Darum kann kein Gerät ein anderes anmelden. Melden Sie sich anders an. Wenn Sie diese Website betreiben: docs/operating/behind-a-proxy.md sagt, warum.',
    elsewhere_weak:
      'Ein anderes Gerät hat diese Anmeldung geöffnet. Sie kann keine weiteren anmelden. Benutzen Sie ein Telefon, auf dem Sie sich selbst angemeldet haben.',
    elsewhere_over: 'Das ist vorbei. Beginnen Sie noch einmal in dem Browser, den Sie anmelden möchten.',
    elsewhere_taken:
      'Ein anderes Telefon hat diesen QR-Code schon geöffnet. Beginnen Sie noch einmal in dem Browser, den Sie anmelden möchten.',
    elsewhere_digits:
      'Der Browser zeigt andere Ziffern. Niemand wurde angemeldet. Beginnen Sie dort noch einmal.',
    elsewhere_network:
      'Der Browser ist in einem anderen Netz als dieses Telefon. Niemand wurde angemeldet. Wenn Sie ihn nicht vor sich sehen, wollte sich jemand als Sie anmelden.',
    elsewhere_family:
      'Der Browser und dieses Telefon erreichen diese Website auf verschiedenen Wegen, über IPv4 und IPv6. Darum lässt sich nicht sagen, ob sie im selben Netz sind. Benutzen Sie in dem Browser einen Passkey oder einen Code per E-Mail.',
    elsewhere_proves_nothing:
      'Ein anderes Gerät hat diese Anmeldung geöffnet. Dafür müssen Sie sich hier selbst anmelden.',
    impersonating: ({ user }) =>
      `Sie handeln als ${user}. Beenden Sie das zuerst und versuchen Sie es dann noch einmal.`,
    app_exists: 'Sie haben schon eine Authenticator-App. Entfernen Sie sie zuerst.',
    app_not_begun: 'Beginnen Sie noch einmal damit, die Authenticator-App hinzuzufügen.',
    no_factor: 'Fügen Sie zuerst eine Authenticator-App oder einen Passkey hinzu.',
    too_many_tokens: ({ most }) => `Sie haben schon ${most} Token. Widerrufen Sie zuerst eines.`,
    last_administrator:
      'Das letzte aktive Administratorkonto kann nicht entfernt, deaktiviert oder herabgestuft werden.',
    last_way_in:
      'Das ist Ihre letzte Möglichkeit, sich anzumelden. Legen Sie zuerst ein Passwort fest, fügen Sie einen Passkey hinzu oder verknüpfen Sie ein anderes Konto.',
    other_address: ({ title }) =>
      `${title} hat eine andere Adresse als Ihre bestätigt. Sie können nur ein Konto mit derselben Adresse verknüpfen.`,
    too_many_flows:
      'Zu viele Anmeldungen wurden begonnen und nicht beendet. Versuchen Sie es in einer Minute noch einmal.',
    form_too_old: 'Diese Seite war zu lange geöffnet. Geben Sie Ihr Passwort noch einmal ein.',
    flow_over: 'Das hat zu lange gedauert oder ist schon abgeschlossen. Beginnen Sie noch einmal.',
    damaged:
      'Die Datenbank ist beschädigt. Es kann nichts geändert werden, bis die Administration sie aus einer Sicherung wiederherstellt.',
  },

  notices: {
    upstream_unreachable: {
      title: 'Der Dienst antwortet nicht',
      text: 'Er ist zurzeit außer Betrieb oder nicht erreichbar. Versuchen Sie es gleich noch einmal.',
    },
    upstream_timeout: {
      title: 'Der Dienst hat zu lange gebraucht',
      text: 'Er hat nicht rechtzeitig geantwortet. Versuchen Sie es gleich noch einmal.',
    },
    upload_stalled: {
      title: 'Das Hochladen ist stehen geblieben',
      text: 'Seit einer Minute sind keine Daten mehr angekommen.',
    },
    content_too_large: { title: 'Zu groß', text: 'Dieser Dienst nimmt keine Anfragen dieser Größe an.' },
    access_ended: {
      title: 'Sie haben keinen Zugriff mehr',
      text: 'Ihr Zugriff endete, während der Dienst diese Anfrage noch bearbeitete.',
    },
    loop_detected: {
      title: 'Diese Adresse führt im Kreis',
      text: 'Der Dienst hinter dieser Adresse sendet Anfragen hierher zurück. Die Administration kann die Route berichtigen.',
    },
    ambiguous_path: {
      title: 'Mehrdeutiger Pfad',
      text: 'Dieser Pfad könnte zu verschiedenen Diensten gehören, oder er lässt sich auf zu viele Arten lesen.',
    },
    foreign_page: {
      title: 'Verbindung abgelehnt',
      text: 'Eine Seite einer anderen Website wollte sich mit Ihrer Anmeldung verbinden.',
    },

    sign_in_needed: {
      title: 'Bitte melden Sie sich an',
      text: 'Für diesen Dienst müssen Sie angemeldet sein.',
    },
    no_way_in: {
      title: 'Hier können Sie sich nicht anmelden',
      text: 'Dieser Dienst verlangt eine bekannte Person, nimmt aber keine Anmeldung an.',
    },
    proof_needed: ({ proof }) => ({
      title: 'Bestätigen Sie, dass Sie es sind',
      text: {
        any: 'Dieser Dienst möchte, dass Sie noch einmal bestätigen, wer Sie sind.',
        second:
          'Dieser Dienst verlangt einen zweiten Faktor: einen Code Ihrer Authenticator-App, einen Sicherheitsschlüssel oder einen Passkey.',
        passkey: 'Dieser Dienst verlangt einen Passkey.',
      }[proof],
    }),
    proof_of_token: {
      title: 'Dieses Token genügt nicht',
      text: 'Dieser Dienst verlangt eine Person, die gerade bestätigt hat, wer sie ist, und das Token belegt das nicht. Verwenden Sie ein Zugriffstoken nach einer neuen Anmeldung, oder öffnen Sie den Dienst im Browser.',
    },
    token_needed: {
      title: 'Token erforderlich',
      text: 'Dieser Dienst ist für Programme. Senden Sie Authorization: Bearer mit einem gültigen Token.',
    },
    token_names_nobody: {
      title: 'Dieses Token reicht nicht aus',
      text: 'Dieser Dienst verlangt eine Berechtigung oder eine E-Mail-Adresse; ein festes Token hat keines von beiden. Verwenden Sie das Zugriffstoken einer Person.',
    },
    scope_too_small: {
      title: 'Dieses Token darf nur lesen',
      text: 'Erstellen Sie ein Token mit dem Scope write.',
    },
    provider_needed: {
      title: 'Bitte melden Sie sich an',
      text: 'Für diesen Dienst müssen Sie über einen Identitätsanbieter angemeldet sein.',
    },
    provider_missing: ({ provider }) => ({
      title: 'Sie können sich noch nicht anmelden',
      text:
        provider === null
          ? 'Dieser Dienst verlangt die Anmeldung über einen Identitätsanbieter, und hier ist keiner eingerichtet oder eingeschaltet. Die Administration kann das ändern oder der Route einen anderen auth_mode geben.'
          : `Dieser Dienst verlangt die Anmeldung über den Identitätsanbieter ${provider}, der hier nicht eingerichtet oder ausgeschaltet ist. Die Administration kann das ändern oder der Route einen anderen auth_mode geben.`,
    }),
    not_signed: ({ fault }) => ({
      title: 'Signatur erforderlich',
      text: `${signatureFaults[fault]} Dieser Dienst nimmt signierte Anfragen an: X-Signature-Pubkey, X-Signature, X-Signature-Timestamp und X-Signature-Nonce, mit ECDSA über secp256k1 und SHA-256. \`hero-proxy sign\` und das SDK erstellen sie.`,
    }),
    signer_inactive: {
      title: 'Konto nicht aktiv',
      text: 'Das Konto, zu dem dieser Schlüssel gehört, ist nicht aktiv.',
    },
    claim_missing: ({ user, signed_in, impersonating, service, group, claims }) => ({
      title: 'Kein Zugriff',
      text: [
        impersonating
          ? `Sie handeln als ${user}.`
          : signed_in
            ? `Sie sind als ${user} angemeldet.`
            : `Sie sind hier als ${user} bekannt.`,
        group === null || service === null
          ? 'Dieses Konto hat keinen Zugriff auf diese Seite.'
          : `${service} ist für Mitglieder von ${group} offen.`,
        ...(claims.length > 0 ? [`Verlangt wird die Berechtigung ${choice(claims)}.`] : []),
        ...(signed_in ? ['Ihr Passwort war nicht falsch.'] : []),
        'Die Administration kann Ihnen Zugriff geben.',
      ].join(' '),
    }),
    email_not_allowed: ({ email, signed_in }) => ({
      title: 'Kein Zugriff',
      text: `Dieser Dienst ist nur für bestimmte E-Mail-Adressen offen, und ${
        {
          none: 'Sie haben hier keine',
          'not verified': 'Ihre ist nicht bestätigt',
          'not listed': 'Ihre gehört nicht dazu',
        }[email]
      }. ${signed_in ? 'Ihr Passwort war nicht falsch. ' : ''}Die Administration kann das ändern.`,
    }),
    claims_too_large: {
      title: 'Zu viele Berechtigungen',
      text: 'Ihr Konto hat mehr Berechtigungen, als in eine Anfrage passen. Wenden Sie sich an die Administration.',
    },
    unavailable: {
      title: 'Vorübergehend nicht verfügbar',
      text: 'Wir können Ihren Zugriff zurzeit nicht prüfen. Versuchen Sie es gleich noch einmal.',
    },
    internal_error: {
      title: 'Etwas ist schiefgegangen',
      text: 'hero_proxy konnte diese Anfrage nicht beantworten. Die Betreiber finden die Ursache im Protokoll.',
    },

    bad_request: ({ detail }) => ({ title: 'Ungültige Anfrage', text: detail }),
    not_found: { title: 'Seite nicht gefunden', text: 'Unter dieser Adresse gibt es keine Seite.' },
    method_not_allowed: ({ allow }) => ({
      title: 'Methode nicht erlaubt',
      text: `Diese Adresse nimmt ${allow} an.`,
    }),
    not_json_rpc: {
      title: 'Kein JSON',
      text: 'Senden Sie eine JSON-RPC-2.0-Nachricht als application/json.',
    },
    not_json_object: { title: 'Kein JSON', text: 'Senden Sie ein JSON-Objekt als application/json.' },
    not_client_metadata: {
      title: 'Kein JSON',
      text: 'Senden Sie die Metadaten des Clients als application/json.',
    },
    not_a_form: {
      title: 'Kein Formular',
      text: 'Diese Adresse nimmt application/x-www-form-urlencoded an. Programme rufen die Methoden unter /rpc auf.',
    },
    misdirected: {
      title: 'Falsche Verbindung',
      text: 'Der Browser hat diese Verbindung für einen anderen Namen geöffnet. Laden Sie die Seite noch einmal.',
    },
    form_of_another: ({ user, present }) => ({
      title: `Diese Seite war für ${user}`,
      text: `Jetzt ist ${present} angemeldet, deshalb wurde nichts geändert. Öffnen Sie die Seite noch einmal.`,
    }),
    session_over: {
      title: 'Sie sind nicht mehr angemeldet',
      text: 'Ihre Sitzung ist beendet, deshalb wurde nichts geändert. Melden Sie sich an, um fortzufahren.',
    },
    dead_link: {
      title: 'Dieser Link funktioniert nicht mehr',
      text: 'Er wurde schon verwendet, ist abgelaufen oder wurde durch einen neueren ersetzt. Es hat sich nichts geändert.',
    },
    foreign_form: {
      title: 'Bitte versuchen Sie es noch einmal',
      text: 'Dieses Formular ist abgelaufen oder kam nicht von dieser Website. Erlauben Sie Cookies und öffnen Sie die Seite noch einmal.',
    },
    insecure_transport: {
      title: 'Zum Anmelden ist HTTPS nötig',
      text: 'Über unverschlüsseltes HTTP könnten andere Ihr Passwort lesen. Öffnen Sie diese Website mit https oder unter localhost. Wer sie betreibt und das Risiko in Kauf nimmt, kann insecure_cookies einschalten.',
    },
    proxy_not_trusted: {
      title: 'Diese Website ist noch nicht fertig eingerichtet',
      text: 'Ihr Browser verwendet vielleicht https, aber dem Proxy, der Ihre Anfrage gebracht hat, wird nicht vertraut. Deshalb kann sich niemand anmelden. Wenn Sie diese Website betreiben: Das Protokoll nennt die Adresse, die in trusted_proxies gehört. Der Code ist proxy_not_trusted, erklärt in docs/operating/behind-a-proxy.md.',
    },
    body_too_large: ({ most }) => ({
      title: 'Zu groß',
      text: `Der Inhalt dieser Anfrage darf höchstens ${most} Bytes umfassen.`,
    }),
    body_too_slow: { title: 'Zu langsam', text: 'Der Inhalt der Anfrage kam nicht rechtzeitig an.' },
    body_broken: { title: 'Ungültige Anfrage', text: 'Der Inhalt der Anfrage brach ab.' },
    head_beyond_reading: {
      title: 'Die Anfrage ist zu groß',
      text: 'Ihr Kopf ist so groß, dass ihn niemand liest. Wenn Sie dies im Browser sehen, löschen Sie in dessen Einstellungen die Cookies dieser Seite.',
    },
    head_too_large: ({ most, cookies }) =>
      cookies === 0
        ? { title: 'Die Anfrage ist zu groß', text: `Der Kopf einer Anfrage fasst höchstens ${most} Byte.` }
        : {
            title: 'Zu viele Cookies',
            text: `Ihr Browser sendet hier mit jeder Anfrage ${cookies} ${cookies === 1 ? 'Cookie' : 'Cookies'}. Zusammen sind sie größer als die ${most} Byte, die eine Anfrage fasst.`,
          },
    bodies_full: {
      title: 'Überlastet',
      text: 'Zu viele Anfragen treffen ein. Versuchen Sie es gleich noch einmal.',
    },

    may_not_ask: {
      title: 'Nicht berechtigt zu fragen',
      text: 'Forward auth antwortet nur den Proxys in forward_auth_from. Das Protokoll nennt die Adresse, die gefragt hat.',
    },
    forward_auth_method: {
      title: 'Methode nicht erlaubt',
      text: 'Fragen Sie Forward Auth mit GET und schreiben Sie die fragliche Methode in X-Forwarded-Method.',
    },
    own_path: {
      title: 'Kein Pfad des Dienstes',
      text: 'Dieser Pfad gehört auf jedem Host zu hero_proxy. Der vorgeschaltete Proxy muss ihn an hero_proxy senden, nicht an den Dienst.',
    },

    not_signed_in: { title: 'Nicht angemeldet', text: 'Dafür müssen Sie angemeldet sein.' },
    sign_in_failed: { title: 'Anmeldung fehlgeschlagen', text: '' },
    left_service: ({ host }) => ({
      title: 'Abgemeldet',
      text: `Sie sind in diesem Browser von ${host} abgemeldet. Hier und bei anderen Diensten bleiben Sie angemeldet.`,
    }),
    keeps_no_cookies: {
      title: 'Ihr Browser hat die Anmeldung nicht behalten',
      text: 'Sie sind angemeldet, aber das Cookie dieser Website kam nicht zurück. Erlauben Sie Cookies für diese Website, prüfen Sie, dass ihre Adresse mit https beginnt, und öffnen Sie sie noch einmal. Safari behält solche Cookies unter http://localhost nicht: Verwenden Sie dort einen anderen Browser.',
    },
    wrong_origin: ({ origin }) => ({
      title: 'Diese Seite wurde unter einer anderen Adresse geöffnet',
      text: `Diese Website heißt ${origin}, aber die Anfrage kam auf anderem Weg an. Vielleicht sagt ein Proxy davor nicht, welche Adresse der Browser benutzt hat, oder er steht nicht in trusted_proxies. Die Ursache steht im Protokoll unter proxy_not_trusted.`,
    }),
    no_destination: {
      title: 'Diese Adresse führt nirgendwohin',
      text: 'Der Link auf diese Seite nennt einen Dienst, bei dem sich hier niemand anmeldet. Öffnen Sie den Dienst noch einmal.',
    },
    registration_closed: {
      title: 'Die Registrierung ist geschlossen',
      text: 'Konten erstellt hier nur die Administration.',
    },
    registration_by_invitation: {
      title: 'Einladung erforderlich',
      text: 'Um hier ein Konto zu erstellen, brauchen Sie eine Einladung.',
    },
    registration_waits: {
      title: 'Ihr Konto muss noch bestätigt werden',
      text: 'Über jedes neue Konto wird hier entschieden. Sobald Ihres bestätigt ist, können Sie sich anmelden. Wenn Sie eine Adresse angegeben haben, bekommen Sie dann eine E-Mail.',
    },
    account_ready: {
      title: 'Ihr Konto ist bereit',
      text: 'Melden Sie sich mit Ihrem Benutzernamen und Passwort an.',
    },
    check_email_to_confirm: {
      title: 'Sehen Sie in Ihre E-Mails',
      text: 'Wir haben Ihnen einen Link gesendet. Öffnen Sie ihn, um Ihre Adresse zu bestätigen und ein Passwort festzulegen.',
    },
    check_email: {
      title: 'Sehen Sie in Ihre E-Mails',
      text: 'Wenn es ein Konto mit dieser Adresse gibt, haben wir einen Link dorthin gesendet. Es kann eine Minute dauern, bis er ankommt.',
    },
    address_confirmed: ({ user }) => ({
      title: 'Adresse bestätigt',
      text: `Das ist jetzt die Adresse des Kontos ${user}.`,
    }),
    account_closed: ({ at }) => ({
      title: 'Ihr Konto ist gelöscht',
      text: `Sie sind überall abgemeldet. Am ${time(at)} ist Ihr Konto weg. Bis dahin nimmt der Link, den wir Ihnen gemailt haben, die Löschung zurück.`,
    }),
    account_closed_for_good: ({ at }) => ({
      title: 'Ihr Konto ist gelöscht',
      text: `Sie sind überall abgemeldet. Am ${time(at)} ist Ihr Konto weg. Bis dahin können nur die Betreiber die Löschung zurücknehmen.`,
    }),
    account_reopened: {
      title: 'Ihr Konto ist zurück',
      text: 'Es ist wieder eingeschaltet. Melden Sie sich an wie zuvor.',
    },
    ended_everywhere: ({ user }) => ({
      title: 'Überall abgemeldet',
      text: `Alle Sitzungen des Kontos ${user} sind beendet. Legen Sie jetzt ein neues Passwort fest: Wir mailen Ihnen einen Link dafür. Melden Sie sich dann an und entfernen Sie Passkeys, Authenticator-Apps und verknüpfte Konten, die nicht Ihnen gehören.`,
    }),
    address_restored: ({ user }) => ({
      title: 'Ihre Adresse ist zurück',
      text: `Das Konto ${user} hat wieder diese Adresse, und alle seine Sitzungen sind beendet. Legen Sie jetzt ein neues Passwort fest: Wir mailen Ihnen einen Link dafür. Wenn Sie dann nach einem Passkey oder einer App gefragt werden, die nicht Ihnen gehört, wenden Sie sich an die Betreiber.`,
    }),
    address_of_another: ({ address }) => ({
      title: 'Diese Adresse gehört jetzt zu einem anderen Konto',
      text: `Die Änderung lässt sich nicht zurücknehmen, weil die Adresse ${address} inzwischen zu einem anderen Konto gehört. Es wurde nichts geändert. Wenn das Ihr Konto war, wenden Sie sich an die Betreiber.`,
    }),
    ended_at_old_address: ({ user }) => ({
      title: 'Überall abgemeldet',
      text: `Alle Sitzungen des Kontos ${user} sind beendet. Das Konto hat jetzt eine andere Adresse, deshalb bekommen Sie kein neues Passwort per Mail: Wenden Sie sich an die Betreiber.`,
    }),
    password_set: {
      title: 'Ihr Passwort ist festgelegt',
      text: 'Melden Sie sich mit Ihrem neuen Passwort an.',
    },
    magic_links_off: {
      title: 'Nicht verfügbar',
      text: 'Die Anmeldung per E-Mail ist hier nicht verfügbar.',
    },
    ask_over: {
      title: 'Bitte beginnen Sie noch einmal',
      text: 'Diese Seite ist zu alt, war für jemand anderen, oder es gibt nichts mehr zu erbitten. Öffnen Sie den Dienst noch einmal.',
    },
    ask_not_now: { title: 'Jetzt nicht', text: 'Darum können Sie jetzt nicht bitten.' },
    interaction_over: {
      title: 'Bitte beginnen Sie noch einmal',
      text: 'Diese Anmeldung hat zu lange gedauert oder wurde in einem anderen Browser begonnen. Gehen Sie zurück zur Anwendung und versuchen Sie es noch einmal.',
    },
    impersonating: ({ user }) => ({
      title: `Nicht, während Sie als ${user} handeln`,
      text: 'Bei Anwendungen können Sie sich nur als Sie selbst anmelden. Handeln Sie zuerst nicht mehr als diese Person.',
    }),

    flow_over: {
      title: 'Bitte beginnen Sie noch einmal',
      text: 'Diese Anmeldung hat zu lange gedauert, war schon abgeschlossen oder wurde in einem anderen Browser begonnen. Es hat sich nichts geändert.',
    },
    provider_unreachable: ({ provider }) => ({
      title: `${provider} antwortet nicht`,
      text: `Wir können ${provider} zurzeit nicht erreichen. Versuchen Sie es gleich noch einmal oder melden Sie sich anders an.`,
    }),
    provider_slow: ({ provider }) => ({
      title: `${provider} hat zu lange gebraucht`,
      text: `${provider} hat nicht rechtzeitig geantwortet. Versuchen Sie es gleich noch einmal oder melden Sie sich anders an.`,
    }),
    provider_insecure: ({ provider }) => ({
      title: `${provider} ist nicht vertrauenswürdig`,
      text: `${provider} hat zurzeit kein gültiges Zertifikat; deshalb haben wir nichts dorthin gesendet. Melden Sie sich anders an oder wenden Sie sich an die Administration.`,
    }),
    provider_local: ({ provider }) => ({
      title: `Die Adresse von ${provider} fragen wir nicht an`,
      text: `Die Adresse von ${provider} führt zu diesem Rechner oder in sein direktes Netz. Die Administration kann das mit providers_may_be_local erlauben.`,
    }),
    provider_too_large: ({ provider }) => ({
      title: `Unerwartete Antwort von ${provider}`,
      text: `${provider} hat viel mehr gesendet, als eine Antwort enthält; deshalb wurde niemand angemeldet. Melden Sie sich anders an oder wenden Sie sich an die Administration.`,
    }),
    provider_nonsense: ({ provider }) => ({
      title: `Unerwartete Antwort von ${provider}`,
      text: `${provider} hat nicht so geantwortet, wie es ein Identitätsanbieter tut; deshalb wurde niemand angemeldet. Versuchen Sie es gleich noch einmal oder melden Sie sich anders an.`,
    }),
    provider_untrusted: ({ provider }) => ({
      title: `${provider} konnte Ihre Identität nicht belegen`,
      text: `Wir konnten die Antwort von ${provider} nicht prüfen; deshalb wurde niemand angemeldet. Versuchen Sie es noch einmal. Wenn das nicht hilft, wenden Sie sich an die Administration.`,
    }),
    provider_client: ({ provider }) => ({
      title: `${provider} kennt uns nicht`,
      text: `${provider} hat unsere client_id oder unser Secret abgelehnt. Die Administration kann das mit providers.test prüfen.`,
    }),
    provider_reported: ({ provider, reported }) => ({
      title: `${provider} meldet einen Fehler`,
      text: `${provider} hat mit dem Fehler „${reported}“ geantwortet, daher wurde niemand angemeldet. Versuchen Sie es noch einmal oder melden Sie sich anders an. Wenn es so bleibt, sagen Sie es der Verwaltung.`,
    }),
    provider_busy: ({ provider }) => ({
      title: `${provider} ist nicht verfügbar`,
      text: `${provider} kann im Moment niemanden anmelden. Versuchen Sie es gleich noch einmal oder melden Sie sich anders an.`,
    }),
    provider_grant: ({ provider }) => ({
      title: 'Bitte beginnen Sie noch einmal',
      text: `Für ${provider} ist diese Anmeldung schon vorbei.`,
    }),
    provider_refused: ({ provider }) => ({
      title: 'Nicht angemeldet',
      text: `Laut ${provider} haben Sie die Anmeldung abgebrochen oder dürfen sich nicht anmelden.`,
    }),
    domain: ({ provider }) => ({
      title: 'Nicht mit dieser Adresse',
      text: `Um sich mit ${provider} anzumelden, brauchen Sie eine bestätigte Adresse in bestimmten Domains, und Ihre gehört nicht dazu. Verwenden Sie dort ein anderes Konto oder wenden Sie sich an die Administration.`,
    }),
    no_account: ({ provider }) => ({
      title: 'Sie haben hier kein Konto',
      text: `Mit Ihrem ${provider}-Konto ist hier kein Konto verknüpft, und die Anmeldung damit erstellt keines. Wenn Sie hier ein Konto haben, melden Sie sich an und verknüpfen Sie ${provider} auf Ihrer Kontoseite. Wenn nicht, wenden Sie sich an die Administration.`,
    }),
    doubtful_address: ({ provider }) => ({
      title: 'Ihre Adresse ist nicht bestätigt',
      text: `${provider} hat Ihre Adresse nicht bestätigt, oder sie lässt sich hier nicht verwenden. Bestätigen Sie sie zuerst dort.`,
    }),
    no_address: ({ provider }) => ({
      title: 'Ihre Adresse fehlt',
      text: `${provider} nennt uns keine Adresse von Ihnen; deshalb können wir nicht bestätigen, dass auch das Konto hier Ihnen gehört. Tragen Sie dort eine ein oder bitten Sie die Administration, die beiden zu verknüpfen.`,
    }),
    other_address: ({ provider }) => ({
      title: 'Die Adressen sind verschieden',
      text: `Die Adresse, die ${provider} bestätigt hat, ist nicht die, die Sie hier bestätigt haben. Ändern Sie eine davon oder bitten Sie die Administration, die beiden Konten zu verknüpfen.`,
    }),
    inactive: () => ({
      title: 'Konto nicht aktiv',
      text: 'Das zugehörige Konto ist hier nicht aktiv. Wenden Sie sich an die Administration.',
    }),
    linked_already: ({ provider }) => ({
      title: 'Schon verknüpft',
      text: `Dieses ${provider}-Konto ist schon mit Ihrem verknüpft.`,
    }),
    of_somebody_else: ({ provider }) => ({
      title: 'Mit einem anderen Konto verknüpft',
      text: `Dieses ${provider}-Konto ist mit einem anderen Konto hier verknüpft. Wenn auch das Ihnen gehört, melden Sie sich dort an und heben Sie die Verknüpfung mit ${provider} auf.`,
    }),
    unproven: ({ provider }) => ({
      title: `${provider} hat nicht gefragt, wer Sie sind`,
      text: `Sie waren bei ${provider} schon angemeldet; das belegt nicht, dass Sie es jetzt sind. Bestätigen Sie es auf andere Weise.`,
    }),
  },

  links: {
    ask: 'Um Zugang bitten',
    sign_in: 'Anmelden',
    try_again: 'Noch einmal versuchen',
    your_services: 'Ihre Dienste',
    your_account: 'Ihr Konto',
    other_ways: 'Andere Möglichkeiten, sich anzumelden',
    other_proofs: 'Andere Möglichkeiten der Bestätigung',
    prove: 'Bestätigen, dass Sie es sind',
    sign_in_and_continue: 'Anmelden und fortfahren',
    new_link: 'Neuen Link anfordern',
    new_password: 'Neues Passwort festlegen',
    switch_account: 'Konto wechseln',
    back: 'Zurück',
  },
  clear_cookies: {
    ours: 'Die Cookies der Anmeldung löschen',
    ours_hint: 'Vielleicht müssen Sie sich neu anmelden.',
    all: 'Alle Cookies dieser Seite löschen',
    all_hint: 'Der Dienst vergisst vielleicht, wer Sie sind und was Sie eingestellt haben.',
  },
  home_is: 'Hier melden Sie sich an und finden Ihre Dienste unter',
  error_number: ({ status }) => `Fehler ${status}`,
}
