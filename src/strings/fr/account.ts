import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { code, sentence, strong } from '../sentence.ts'

const { list, plural, time } = formatsOf('fr')

const used = (last_used_at: number | null) =>
  last_used_at === null ? 'jamais utilisée' : `dernière utilisation\u00a0: ${time(last_used_at)}`

const usedToken = (last_used_at: number | null) =>
  last_used_at === null ? 'Jamais utilisé' : `Dernière utilisation\u00a0: ${time(last_used_at)}`

export const account: Catalogue['account'] = {
  title: 'Votre compte',
  recovery_link: ({ by, at }: { by: string; at: number }) =>
    `${by} a créé le ${time(at)} un lien permettant de choisir un nouveau mot de passe pour votre compte.`,
  ends: ({ at }) => `Votre compte prend fin le ${time(at)}.`,
  signed_in: 'Vous êtes connecté.',
  username: 'Nom d’utilisateur',
  email: 'Adresse e-mail',
  claims: 'Droits',
  sign_out: 'Se déconnecter',
  impersonating: ({ user }) => sentence`Vous agissez en tant que ${strong(user)}.`,
  stop_impersonating: 'Ne plus agir à sa place',

  /** For a person whom only the address identifies. */
  by_network: {
    title: 'Reconnu à votre réseau',
    lead: 'Nous connaissons votre réseau. Vous n’êtes pas connecté.',
    sign_in: 'Se connecter',
  },

  groups: {
    heading: 'Mes groupes',
    none: 'Vous n’êtes dans aucun groupe.',
    no_end: 'Sans fin',
    ends: ({ at }) => `Jusqu’au ${time(at)}`,
    own_requests: 'Ce que vous avez demandé',
    waiting: ({ at }) => `Demandé le ${time(at)}. Quelqu’un en décidera.`,
    requests: 'Demandes dont vous décidez',
    asks: ({ user, title, group }) =>
      sentence`${strong(user)} voudrait ouvrir ${strong(title)}, comme membre de ${strong(group)}.`,
    asked: ({ at, until }) => `Demandé le ${time(at)}, à décider avant le ${time(until)}`,
    opens: 'Faire partie du groupe ouvre\u00a0:',
    opens_nothing: 'Faire partie du groupe n’ouvre aucun service ni aucune application qui exige un droit.',
    administers: 'Faire partie du groupe permet à cette personne d’administrer hero_proxy lui-même.',
    all_claims: ({ count }) =>
      plural(count, { one: 'Le droit que cela donne', other: `Les ${count} droits que cela donne` }),
    days: 'Pour combien de jours',
    approve: 'Accepter',
    refuse: 'Refuser',
    refuse_reason: 'La raison, pour la personne qui demande',
    members_of: ({ name }) => `Membres de ${name}`,
    no_members: 'Personne.',
    through: ({ group }) => `par ${group}`,
    remove: 'Retirer du groupe',
    add: 'Ajouter un membre',
    empty_for_ever: 'Laissez ce champ vide pour une adhésion sans fin.',
  },
  profile: {
    heading: 'Profil',
    change_name: 'Modifier votre nom',
    name: 'Nom',
    save_name: 'Enregistrer le nom',
    change_email: 'Modifier votre adresse e-mail',
    new_email: 'Nouvelle adresse',
    send_link: 'Envoyer le lien de confirmation',
    change_password: 'Modifier votre mot de passe',
    current_password: 'Mot de passe actuel',
    new_password: 'Nouveau mot de passe',
    password_hint: 'Vous serez déconnecté partout ailleurs.',
    save_password: 'Modifier le mot de passe',
  },
  details: {
    heading: 'Vos informations',
    about: 'Les applications qui peuvent voir votre profil les reçoivent.',
    names: {
      given_name: 'Prénom',
      family_name: 'Nom de famille',
      locale: 'Langue, par exemple fr ou fr-CA',
      zoneinfo: 'Fuseau horaire',
    },
    unset: 'Non renseigné',
    yes: 'Oui',
    no: 'Non',
    one_per_line: 'Un par ligne',
    save: 'Enregistrer les informations',
    set_for_you: 'Définies pour vous',
    by_others: 'Vous ne pouvez pas les modifier ici.',
  },
  data: {
    heading: 'Mes données',
    about:
      'Téléchargez en un fichier ce qui est enregistré sur vous : compte, informations et image, moyens de connexion, groupes, sessions, applications, e-mails et ce que vous avez fait. Il ne contient ni mots de passe ni clés.',
    download: 'Télécharger mes données',
    close_heading: 'Supprimer votre compte',
    close_about: ({ days }) =>
      `Votre compte est désactivé aussitôt, et les applications vous déconnectent. Après ${plural(days, { one: '1 jour', other: `${days} jours` })}, il disparaît ; d’ici là, un lien que nous vous envoyons annule la suppression.`,
    stays:
      'Ce qui reste : les lignes du journal jusqu’à leur échéance, et votre nom d’utilisateur, que personne ne reçoit plus.',
    close: 'Supprimer mon compte',
    not_here: 'Les responsables de ce site suppriment les comptes. Adressez-vous à eux.',
  },
  picture: {
    heading: 'Votre image',
    choose: 'Choisir une image',
    hint: 'Un PNG, JPEG ou WebP de 512 Ko au plus. Le lieu de la prise de vue et l’appareil sont retirés.',
    save: 'Enregistrer l’image',
    remove: 'Retirer l’image',
  },
  factors: {
    heading: 'Validation en deux étapes',
    about: 'Une application d’authentification fournit un code, demandé en plus de votre mot de passe.',
    add_app: 'Ajouter une application d’authentification',
    app_added: ({ at }) => `Application d’authentification ajoutée le ${time(at)}.`,
    remove_app: 'Retirer l’application d’authentification',
    codes_left: ({ count }) =>
      plural(count, {
        one: `Il vous reste ${count} code de secours.`,
        other: `Il vous reste ${count} codes de secours.`,
      }),
    new_codes: 'Créer de nouveaux codes de secours',
  },
  totp: {
    title: 'Ajouter une application d’authentification',
    lead: 'Scannez ce code QR avec l’application, puis saisissez le code qu’elle affiche.',
    picture: 'Code QR de la clé ci-dessous',
    by_hand: ({ key }) => sentence`Impossible de le scanner\u202f? Saisissez cette clé\u00a0: ${code(key)}`,
    code: 'Code',
    button: 'Activer',
    later: 'Pas maintenant',
  },
  recovery: {
    title: 'Codes de secours',
    lead: 'Chaque code vous connecte une fois si vous perdez tout le reste. Imprimez-les ou gardez-les en lieu sûr. Nous ne les afficherons plus.',
    done: 'Je les ai enregistrés',
  },
  passkeys: {
    heading: 'Clés d’accès',
    about: 'Une clé d’accès vous connecte sans mot de passe.',
    synced: 'synchronisée',
    dates: ({ created_at, last_used_at }) => `Ajoutée le ${time(created_at)}, ${used(last_used_at)}`,
    change: 'Renommer ou retirer',
    name: 'Nom',
    rename: 'Renommer',
    remove: 'Retirer la clé d’accès',
    new_name: 'Nom de la nouvelle clé d’accès',
    first_name: 'Clé d’accès',
    add: 'Ajouter une clé d’accès',
    needs_script: 'Les clés d’accès nécessitent JavaScript.',
    second_only:
      'Seconde étape uniquement : cette clé n’a pas demandé de code PIN et ne connecte donc pas à elle seule.',
    depends: ({ host }) =>
      `Cette clé d’accès appartient à ${host}, l’ancienne adresse de ce site. Si cette adresse est abandonnée, la clé ne fonctionnera plus\u00a0: ajoutez-en une nouvelle et retirez celle-ci.`,
    by_mail:
      'Avant d’ajouter votre première clé d’accès, confirmez que vous lisez les e-mails de votre compte.',
    elsewhere: 'Vous pouvez ajouter des clés d’accès à l’adresse principale de ce site.',
  },
  sessions: {
    heading: 'Sessions',
    current: 'cet appareil',
    device: ({ browser, system }) => `${browser} sur ${system}`,
    program: 'Un programme',
    unknown_device: 'Appareil inconnu',
    about:
      'Chaque ligne est une connexion. Si vous y mettez fin, vous êtes aussi déconnecté de tous les hôtes que vous avez ouverts avec elle.',
    kept: 'Reste connecté quand le navigateur est fermé',
    keep: 'Rester connecté dans ce navigateur',
    by_another_device:
      'Connecté par un autre de vos appareils\u00a0: cela ne prouve rien et dure 12 heures au plus',
    end_it: 'Y mettre fin',
    kept_about:
      '« Rester connecté » ne prouve rien. Les changements importants, l’administration et certains services demandent toujours qui vous êtes.',
    details: ({ address, last_used_at }) => `${address === '' ? '' : `${address} · `}${used(last_used_at)}`,
    signed_in: ({ at, proofs }) => `Connexion le ${time(at)} par ${list(proofs)}`,
    proved: {
      any: ({ at }: { at: number }) => `Confirmé ${time(at)}`,
      second: ({ at }: { at: number }) => `Confirmé avec un second facteur ${time(at)}`,
      passkey: ({ at }: { at: number }) => `Confirmé avec une clé d’accès ${time(at)}`,
      unknown: 'Date de confirmation inconnue',
    },
    opened: ({ hosts }) => `A ouvert ${list(hosts)}`,
    factors: {
      totp: 'application d’authentification',
      recovery: 'code de secours',
      passkey: 'clé d’accès',
    },
    ways: {
      password: 'mot de passe',
      passkey: 'clé d’accès',
      magic_link: 'lien par e-mail',
      another_device: 'un autre appareil',
      setup: 'lien d’installation',
      network: 'réseau',
    },
    trusted: {
      heading: 'Navigateurs de confiance',
      about:
        'Ils ne demandent pas de second facteur à la connexion. Ils demandent toujours votre mot de passe, et le second facteur partout où un changement, un service ou l’administration l’exige. La confiance prend fin si vous changez de mot de passe ou de facteur.',
      none: 'Aucun. Vous pouvez faire confiance à un navigateur en vous connectant avec un second facteur.',
      dates: ({ created_at, expires_at }) =>
        `De confiance depuis le ${time(created_at)}, jusqu’au ${time(expires_at)}`,
      end: 'Ne plus lui faire confiance',
    },
    end: 'Déconnecter cette session',
    end_others: 'Déconnecter toutes les autres sessions',
  },
  applications: {
    heading: 'Applications',
    none: 'Aucune pour l’instant. Les applications auxquelles vous donnez accès apparaissent ici.',
    access: ({ name, may }) => sentence`${strong(name)} peut ${may}`,
    since: ({ at }) => `Depuis le ${time(at)}`,
    revoke: 'Retirer l’accès',
  },
  tokens: {
    heading: 'Jetons d’accès',
    about: 'Un jeton donne accès à un script sans votre mot de passe.',
    dates: ({ last_used_at, expires_at }) => `${usedToken(last_used_at)}, expire le ${time(expires_at)}`,
    revoke: 'Révoquer le jeton',
    create: 'Créer un jeton',
    name: 'À quoi il sert',
    scope: 'Ce qu’il permet',
    read: 'Lire',
    write: 'Lire et modifier',
    admin: 'Administrer, dans la limite de vos droits',
    days: 'Jours avant expiration',
    button: 'Créer le jeton',
    new_title: 'Votre nouveau jeton',
    new_lead: sentence`Copiez-le maintenant. Nous ne l’afficherons plus. Les programmes l’envoient dans l’en-tête ${code('Authorization: Bearer …')}`,
    copied: 'Je l’ai copié',
  },
  identities: {
    heading: 'Comptes associés',
    none: 'Aucun.',
    offer: 'Associez un compte que vous avez ailleurs\u00a0: il vous servira à vous connecter.',
    last_used: ({ last_used_at }) => usedToken(last_used_at),
    unlink: 'Dissocier',
    link: ({ provider }) => `Associer ${provider}`,
  },
  once: {
    download: 'Télécharger',
    copy: 'Copier',
    copied: 'Copié',
    failed: 'La copie a échoué. Sélectionnez le texte et copiez-le vous-même.',
  },
  questions: {
    cancel: 'Annuler',
    revoke: {
      title: 'Déconnecter cette session\u202f?',
      ends: ({ hosts }) =>
        hosts.length === 0
          ? 'Il faudra se reconnecter sur cet appareil.'
          : `Il faudra se reconnecter sur cet appareil, y compris sur ${list(hosts)}.`,
      button: 'Déconnecter',
    },
    untrust: {
      title: 'Ne plus faire confiance à ce navigateur\u202f?',
      ends: 'Il redemandera votre second facteur à la connexion. Les sessions restent ouvertes.',
      button: 'Ne plus lui faire confiance',
    },
    revoke_all: {
      title: 'Déconnecter toutes les autres sessions\u202f?',
      ends: 'Il faudra se reconnecter sur ces appareils, sur chaque hôte qu’ils ont ouvert. Cette session reste ouverte.',
      button: 'Déconnecter toutes les autres',
    },
    revoke_consent: {
      title: 'Retirer l’accès\u202f?',
      ends: 'Les jetons de l’application cessent aussitôt de fonctionner. Elle devra vous demander de nouveau l’accès.',
      button: 'Retirer l’accès',
    },
    revoke_token: {
      title: 'Révoquer le jeton\u202f?',
      ends: 'Les programmes qui utilisent ce jeton perdent aussitôt leur accès. Cette action est définitive.',
      button: 'Révoquer le jeton',
    },
    remove_passkey: {
      title: 'Retirer la clé d’accès\u202f?',
      ends: 'Vous ne pourrez plus vous connecter avec cette clé d’accès. Votre appareil en garde peut-être une copie tant que vous ne l’y supprimez pas.',
      button: 'Retirer la clé d’accès',
    },
    remove_totp: {
      title: 'Retirer l’application d’authentification\u202f?',
      ends: 'Les codes de l’application cessent de fonctionner et ne vous seront plus demandés à la connexion.',
      button: 'Retirer l’application',
    },
    unlink: {
      title: 'Dissocier le compte\u202f?',
      ends: 'Vous ne pourrez plus vous connecter avec ce compte. Les sessions qu’il a ouvertes prennent fin, ainsi que les appartenances à des groupes qui en venaient.',
      button: 'Dissocier le compte',
    },
    withdraw_request: {
      title: 'Retirer la demande\u00a0?',
      ends: 'Plus personne n’en décidera. Vous pourrez redemander.',
      button: 'Retirer la demande',
    },
    remove_member: {
      title: 'Retirer du groupe\u00a0?',
      ends: 'Cette personne perd aussitôt ce que le groupe donne.',
      button: 'Retirer du groupe',
    },
    close_account: {
      title: 'Supprimer votre compte ?',
      button: 'Supprimer mon compte',
    },
    renew_recovery_codes: {
      title: 'Créer de nouveaux codes de secours\u202f?',
      ends: 'Vos anciens codes de secours cessent aussitôt de fonctionner.',
      button: 'Créer de nouveaux codes',
    },
  },
  done: {
    approve_request: 'La demande est acceptée.',
    refuse_request: 'La demande est refusée.',
    withdraw_request: 'La demande est retirée.',
    add_member: 'La personne est maintenant membre.',
    remove_member: 'La personne n’est plus membre.',
    profile: 'Votre nom est enregistré.',
    details: 'Vos informations sont enregistrées.',
    picture: 'Votre image est enregistrée.',
    remove_picture: 'Votre image est retirée.',
    email: 'Nous avons envoyé un lien à la nouvelle adresse. Ouvrez-le pour confirmer la modification.',
    password: 'Votre mot de passe est modifié et vous êtes déconnecté partout ailleurs.',
    confirm_totp: 'Votre application d’authentification est activée.',
    remove_totp: 'L’application d’authentification est retirée.',
    add_passkey: 'La clé d’accès est ajoutée.',
    rename_passkey: 'La clé d’accès est renommée.',
    remove_passkey: 'La clé d’accès est retirée.',
    revoke_consent: 'Cette application n’a plus accès.',
    revoke_token: 'Le jeton est révoqué.',
    unlink: 'Ce compte n’est plus associé.',
    revoke: 'Cette session est déconnectée.',
    untrust: 'Ce navigateur redemande votre second facteur.',
    revoke_all: 'Toutes les autres sessions sont déconnectées.',
    link: 'Ce compte est maintenant associé. Il vous sert désormais à vous connecter.',
  },
}
