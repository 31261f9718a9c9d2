import type { Catalogue, SignatureFault } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { choice, time, wait } = formatsOf('fr')

const signatureFaults: Readonly<Record<SignatureFault, string>> = {
  missing: 'La requête n’a pas de signature.',
  used: 'Ce nonce a déjà été utilisé.',
  pubkey:
    'X-Signature-Pubkey doit être une clé secp256k1 en hexadécimal\u00a0: 33 octets compressés ou 65 octets.',
  signature:
    'X-Signature doit être une signature en hexadécimal\u00a0: r et s, 64 octets, avec le plus petit s.',
  timestamp: 'X-Signature-Timestamp doit être une heure Unix en secondes.',
  nonce: 'X-Signature-Nonce doit être un texte de 16 à 64 caractères compatibles avec les URL.',
  time: 'X-Signature-Timestamp s’écarte de plus de 60 secondes de l’heure d’ici.',
  unknown_key: 'Cette clé n’appartient à personne ici.',
  wrong: 'La signature ne correspond pas à cette clé et à cette requête.',
}

const invalid: Readonly<Record<string, string>> = {
  username:
    'Choisissez un autre nom d’utilisateur\u00a0: 1 à 63 lettres, chiffres, «\u00a0_\u00a0» et «\u00a0-\u00a0», en commençant par une lettre ou un chiffre.',
  email: 'Saisissez une adresse e-mail telle que ada@example.org.',
  password: 'Saisissez un mot de passe.',
  current_password: 'Saisissez votre mot de passe actuel.',
  display_name: 'Saisissez un nom de 200 caractères au plus sur une ligne.',
  name: 'Saisissez un nom sur une ligne, pas trop long.',
  code: 'Saisissez un code à six chiffres ou un code de secours.',
  expires_in: 'Choisissez une durée plus courte, d’au moins un jour.',
  login: 'Saisissez votre nom d’utilisateur ou votre adresse e-mail.',
}

const taken: Readonly<Record<string, string>> = {
  username: 'Ce nom d’utilisateur est déjà pris.',
  email: 'Cette adresse e-mail est déjà utilisée.',
  attestation: 'Cette clé d’accès est déjà enregistrée.',
  subject: 'Ce compte est déjà associé.',
}

export const refusals: Catalogue['refusals'] = {
  problems: {
    no_self_delete: 'Les responsables de ce site suppriment les comptes. Adressez-vous à eux.',
    no_picture:
      'Nous ne pouvons pas accepter cette image : un PNG, JPEG ou WebP de 512 Ko et 4096 pixels de côté au plus.',
    ask_over: 'Cette page est trop ancienne, ou destinée à quelqu’un d’autre. Rouvrez le service.',
    ask_not_needed: 'Vous pouvez déjà ouvrir cela.',
    ask_useless:
      'Vous êtes déjà dans le groupe, mais il n’ouvre pas cela. Adressez-vous aux personnes qui gèrent ce site.',
    ask_waiting: 'Vous avez déjà fait cette demande. Quelqu’un en décidera.',
    ask_refused: ({ until }) => `Cela a été refusé. Vous pourrez redemander après le ${time(until)}.`,
    ask_too_many: ({ most }) =>
      `Vous avez déjà ${most} demandes en cours. Attendez une réponse, ou retirez-en une.`,
    ask_gone: 'Le service ne propose plus cela. Refusez la demande.',
    ask_own: 'C’est à quelqu’un d’autre de décider de votre propre demande.',
    ask_decided: 'Cela a déjà été décidé.',
    parse_error: 'La requête est illisible.',
    invalid_request: 'La requête n’est pas valide.',
    method_not_found: 'Cette action n’existe pas.',
    invalid_params: ({ path }) =>
      invalid[path ?? ''] ?? 'Une de vos saisies n’est pas valide. Vérifiez-la et réessayez.',
    internal_error: 'Une erreur est survenue de notre côté. Réessayez dans un instant.',
    unauthenticated: 'Connectez-vous et réessayez.',
    factor_required: 'Une seconde étape est nécessaire pour se connecter.',
    session_changed: 'Une autre personne s’est connectée entre-temps dans ce navigateur. Rechargez la page.',
    proof_required: 'Confirmez d’abord que c’est bien vous.',
    claim_required: 'Vous n’avez pas le droit de faire cela.',
    not_found: 'Cela n’existe plus.',
    already_exists: ({ path }) => taken[path ?? ''] ?? 'Cela existe déjà.',
    conflict: 'C’est impossible pour le moment.',
    rate_limited: ({ retry_after }) =>
      retry_after === undefined
        ? 'Trop de tentatives. Réessayez plus tard.'
        : `Trop de tentatives. Réessayez dans ${wait(retry_after)}.`,
    unavailable: 'C’est momentanément indisponible. Réessayez dans un instant.',

    administrator_ends: 'Le compte d’un administrateur ne peut pas avoir de fin.',
    invitation_over: 'Cette invitation n’est plus valable. Demandez-en une autre.',
    account_ended:
      'Votre compte a pris fin. S’il doit continuer, adressez-vous aux personnes qui gèrent ce site.',
    awaits_approval: 'Votre inscription doit encore être approuvée. Vous recevrez un e-mail.',
    wrong_login: 'Nom d’utilisateur, adresse e-mail ou mot de passe incorrect.',
    wrong_password: 'Le mot de passe est incorrect.',
    wrong_current_password: 'Votre mot de passe actuel est incorrect.',
    wrong_code: 'Ce code est incorrect ou a déjà été utilisé.',
    password_length: ({ least, most }) => `Choisissez un mot de passe de ${least} à ${most} caractères.`,
    password_guessable:
      'Ce mot de passe est trop facile à deviner. Choisissez-en un plus long ou plusieurs mots sans rapport entre eux.',
    username_reserved: 'Ce nom d’utilisateur est réservé. Choisissez-en un autre.',
    factor_needed:
      'Confirmez avec un code ou une clé d’accès\u00a0: votre compte utilise la validation en deux étapes.',
    passkey_refused: 'Cette clé d’accès n’a pas été acceptée.',
    key_not_alone:
      'Cette clé n’a pas de code PIN et ne peut pas vous connecter à elle seule. Connectez-vous d’abord autrement, puis utilisez-la comme seconde étape.',
    passkey_used: 'Cette réponse de clé d’accès a déjà été utilisée. Réessayez.',
    passkey_of_another: 'Cette clé d’accès appartient à un autre compte.',
    too_many_passkeys: ({ most }) => `Vous avez déjà ${most} clés d’accès. Retirez-en une d’abord.`,
    address_too_new: ({ at }) =>
      `Vous avez changé d’adresse e-mail récemment. Vous pourrez ajouter votre premier second facteur à partir du ${time(at)}\u00a0; d’ici là, l’ancienne adresse peut annuler le changement. Un administrateur peut vous aider plus tôt.`,
    address_needed:
      'Ajoutez d’abord une adresse e-mail à votre compte, ou demandez à un administrateur. Avant le premier second facteur, un code vous est envoyé.',
    enrolment_link_needed:
      'Votre premier second facteur nécessite un lien d’un administrateur. Demandez-en un et ouvrez-le en étant connecté.',
    no_mail:
      'Aucun code ne peut vous être envoyé\u00a0: votre compte n’a pas d’adresse confirmée, ou ce site n’envoie pas d’e-mails.',
    wrong_mailed_code:
      'Ce code est faux, trop ancien, ou a été demandé dans un autre navigateur. Demandez-en un nouveau, ou ouvrez le lien de l’e-mail.',
    dead_link: 'Ce lien ne fonctionne plus. Il a été utilisé, a expiré ou a été remplacé par un plus récent.',
    dead_setup_link:
      'Ce lien d’installation ne fonctionne plus. Redémarrez hero_proxy pour en obtenir un nouveau.',
    already_set_up: 'Il existe déjà un administrateur. Connectez-vous ou demandez-lui de l’aide.',
    set_up_before:
      'Ce site a déjà été installé. Les personnes qui l’exploitent peuvent exécuter `hero-proxy setup`.',
    session_ended: 'Votre session est terminée. Reconnectez-vous.',
    registration_closed:
      'Vous ne pouvez pas créer de compte ici vous-même. Demandez-en un à un administrateur.',
    invitation_needed:
      'Il faut une invitation pour créer un compte ici. Demandez-en une à un administrateur.',
    address_taken: 'Cette adresse appartient désormais à un autre compte.',
    magic_links_off: 'La connexion par e-mail n’est pas disponible ici.',
    elsewhere_off: 'La connexion avec un autre appareil est désactivée ici.',
    elsewhere_unsure:
      'Ici, impossible de dire de quel réseau vous venez\u00a0: aucun appareil ne peut donc en connecter un autre. Connectez-vous autrement. Si vous gérez ce site\u00a0: docs/operating/behind-a-proxy.md explique pourquoi.',
    elsewhere_weak:
      'Un autre appareil a ouvert cette connexion\u00a0: elle ne peut pas en ouvrir d’autres. Utilisez un téléphone sur lequel vous vous êtes connecté vous-même.',
    elsewhere_over: 'C’est terminé. Recommencez dans le navigateur que vous voulez connecter.',
    elsewhere_taken:
      'Un autre téléphone a déjà ouvert ce QR code. Recommencez dans le navigateur que vous voulez connecter.',
    elsewhere_digits:
      'Le navigateur affiche d’autres chiffres\u00a0: personne n’a été connecté. Recommencez là-bas.',
    elsewhere_network:
      'Le navigateur est dans un autre réseau que ce téléphone\u00a0: personne n’a été connecté. Si vous ne le voyez pas devant vous, quelqu’un a voulu se connecter à votre place.',
    elsewhere_family:
      'Le navigateur et ce téléphone joignent ce site par des voies différentes, IPv4 et IPv6\u00a0: impossible de dire s’ils sont dans le même réseau. Utilisez une clé d’accès ou un code par e-mail dans ce navigateur.',
    elsewhere_proves_nothing:
      'Un autre appareil a ouvert cette connexion. Pour cela, connectez-vous ici vous-même.',
    impersonating: ({ user }) => `Vous agissez en tant que ${user}. Cessez d’abord, puis réessayez.`,
    app_exists: 'Vous avez déjà une application d’authentification. Retirez-la d’abord.',
    app_not_begun: 'Recommencez l’ajout de l’application d’authentification.',
    no_factor: 'Ajoutez d’abord une application d’authentification ou une clé d’accès.',
    too_many_tokens: ({ most }) => `Vous avez déjà ${most} jetons. Révoquez-en un d’abord.`,
    last_administrator:
      'Le dernier administrateur actif ne peut être ni retiré, ni désactivé, ni rétrogradé.',
    last_way_in:
      'C’est votre dernière façon de vous connecter. Définissez d’abord un mot de passe, ajoutez une clé d’accès ou associez un autre compte.',
    other_address: ({ title }) =>
      `${title} a vérifié une autre adresse que la vôtre. Vous ne pouvez associer qu’un compte ayant la même adresse.`,
    too_many_flows: 'Trop de connexions ont été commencées sans être terminées. Réessayez dans une minute.',
    form_too_old: 'Cette page est restée ouverte trop longtemps. Saisissez de nouveau votre mot de passe.',
    flow_over: 'Cela a pris trop de temps ou est déjà terminé. Recommencez.',
    damaged:
      'La base de données est endommagée. Rien ne peut être modifié tant qu’un administrateur ne l’a pas restaurée depuis une sauvegarde.',
  },

  notices: {
    upstream_unreachable: {
      title: 'Le service ne répond pas',
      text: 'Il est arrêté ou inaccessible pour le moment. Réessayez dans un instant.',
    },
    upstream_timeout: {
      title: 'Le service a mis trop de temps',
      text: 'Il n’a pas répondu à temps. Réessayez dans un instant.',
    },
    upload_stalled: {
      title: 'Votre envoi s’est interrompu',
      text: 'Nous n’avons plus reçu de données depuis une minute.',
    },
    content_too_large: {
      title: 'Trop volumineux',
      text: 'Ce service n’accepte pas les requêtes de cette taille.',
    },
    access_ended: {
      title: 'Vous n’avez plus accès',
      text: 'Votre accès a pris fin pendant que le service traitait encore cette requête.',
    },
    loop_detected: {
      title: 'Cette adresse tourne en rond',
      text: 'Le service derrière cette adresse renvoie les requêtes ici. Un administrateur peut corriger la route.',
    },
    ambiguous_path: {
      title: 'Chemin ambigu',
      text: 'Ce chemin pourrait appartenir à plusieurs services, ou il peut se lire de trop de façons.',
    },
    foreign_page: {
      title: 'Connexion refusée',
      text: 'Une page d’un autre site a tenté de se connecter avec votre session.',
    },

    sign_in_needed: {
      title: 'Connectez-vous pour continuer',
      text: 'Vous devez être connecté pour utiliser ce service.',
    },
    no_way_in: {
      title: 'Vous ne pouvez pas vous connecter ici',
      text: 'Ce service exige une personne connue, mais n’accepte aucune façon de se connecter.',
    },
    proof_needed: ({ proof }) => ({
      title: 'Confirmez que c’est bien vous',
      text: {
        any: 'Ce service vous demande de confirmer à nouveau votre identité.',
        second:
          'Ce service exige un second facteur\u00a0: un code de votre application d’authentification, une clé de sécurité ou une clé d’accès.',
        passkey: 'Ce service exige une clé d’accès.',
      }[proof],
    }),
    proof_of_token: {
      title: 'Ce jeton ne suffit pas',
      text: 'Ce service exige une personne qui vient de confirmer son identité, et le jeton ne le montre pas. Utilisez un jeton d’accès après une nouvelle connexion, ou ouvrez le service dans un navigateur.',
    },
    token_needed: {
      title: 'Jeton requis',
      text: 'Ce service est destiné aux programmes. Envoyez Authorization: Bearer avec un jeton valide.',
    },
    token_names_nobody: {
      title: 'Ce jeton ne suffit pas',
      text: 'Ce service exige un droit ou une adresse e-mail, et un jeton statique n’a ni l’un ni l’autre. Utilisez le jeton d’accès d’une personne.',
    },
    scope_too_small: {
      title: 'Ce jeton est en lecture seule',
      text: 'Créez un jeton avec la portée write.',
    },
    provider_needed: {
      title: 'Connectez-vous pour continuer',
      text: 'Vous devez être connecté par un fournisseur d’identité pour utiliser ce service.',
    },
    provider_missing: ({ provider }) => ({
      title: 'Vous ne pouvez pas encore vous connecter',
      text:
        provider === null
          ? 'Ce service exige une connexion par un fournisseur d’identité, et aucun n’est configuré ou activé ici. Un administrateur peut changer cela ou donner un autre auth_mode à la route.'
          : `Ce service exige une connexion par le fournisseur d’identité ${provider}, qui n’est pas configuré ici ou est désactivé. Un administrateur peut changer cela ou donner un autre auth_mode à la route.`,
    }),
    not_signed: ({ fault }) => ({
      title: 'Signature requise',
      text: `${signatureFaults[fault]} Ce service accepte les requêtes signées\u00a0: X-Signature-Pubkey, X-Signature, X-Signature-Timestamp et X-Signature-Nonce, avec ECDSA sur secp256k1 et SHA-256. \`hero-proxy sign\` et le SDK les créent.`,
    }),
    signer_inactive: {
      title: 'Compte inactif',
      text: 'Le compte auquel appartient cette clé n’est pas actif.',
    },
    claim_missing: ({ user, signed_in, impersonating, service, group, claims }) => ({
      title: 'Accès refusé',
      text: [
        `${impersonating ? 'Vous agissez en tant que' : signed_in ? 'Vous êtes connecté en tant que' : 'Vous êtes connu ici en tant que'} ${user}.`,
        group === null || service === null
          ? 'Ce compte n’a pas accès à cette page.'
          : `${service} est réservé aux membres de ${group}.`,
        ...(claims.length > 0 ? [`Il faut le droit ${choice(claims)}.`] : []),
        ...(signed_in ? ['Votre mot de passe n’était pas faux.'] : []),
        'Un administrateur peut vous donner accès.',
      ].join(' '),
    }),
    email_not_allowed: ({ email, signed_in }) => ({
      title: 'Accès refusé',
      text: `Ce service est réservé à certaines adresses e-mail, et ${
        {
          none: 'vous n’en avez aucune ici',
          'not verified': 'la vôtre n’est pas vérifiée',
          'not listed': 'la vôtre n’en fait pas partie',
        }[email]
      }. ${signed_in ? 'Votre mot de passe n’était pas faux. ' : ''}Un administrateur peut changer cela.`,
    }),
    claims_too_large: {
      title: 'Trop de droits',
      text: 'Votre compte a plus de droits qu’une requête ne peut en contenir. Adressez-vous à un administrateur.',
    },
    unavailable: {
      title: 'Momentanément indisponible',
      text: 'Nous ne pouvons pas vérifier votre accès pour le moment. Réessayez dans un instant.',
    },
    internal_error: {
      title: 'Une erreur est survenue',
      text: 'hero_proxy n’a pas pu répondre à cette requête. Les personnes qui l’exploitent en trouveront la cause dans le journal.',
    },

    bad_request: ({ detail }) => ({ title: 'Requête incorrecte', text: detail }),
    not_found: { title: 'Page introuvable', text: 'Il n’y a pas de page à cette adresse.' },
    method_not_allowed: ({ allow }) => ({
      title: 'Méthode non autorisée',
      text: `Cette adresse accepte ${allow}.`,
    }),
    not_json_rpc: {
      title: 'Pas du JSON',
      text: 'Envoyez un message JSON-RPC 2.0 en tant que application/json.',
    },
    not_json_object: { title: 'Pas du JSON', text: 'Envoyez un objet JSON en tant que application/json.' },
    not_client_metadata: {
      title: 'Pas du JSON',
      text: 'Envoyez les métadonnées du client en tant que application/json.',
    },
    not_a_form: {
      title: 'Pas un formulaire',
      text: 'Cette adresse accepte application/x-www-form-urlencoded. Les programmes appellent les méthodes sur /rpc.',
    },
    misdirected: {
      title: 'Mauvaise connexion',
      text: 'Le navigateur a ouvert cette connexion pour un autre nom. Rechargez la page.',
    },
    form_of_another: ({ user, present }) => ({
      title: `Cette page était destinée à ${user}`,
      text: `Le compte ${present} est maintenant connecté\u00a0: rien n’a été modifié. Rouvrez la page.`,
    }),
    session_over: {
      title: 'Vous n’êtes plus connecté',
      text: 'Votre session est terminée\u00a0: rien n’a été modifié. Connectez-vous pour continuer.',
    },
    dead_link: {
      title: 'Ce lien ne fonctionne plus',
      text: 'Il a été utilisé, a expiré ou a été remplacé par un lien plus récent. Rien n’a changé.',
    },
    foreign_form: {
      title: 'Veuillez réessayer',
      text: 'Ce formulaire a expiré ou ne vient pas de ce site. Autorisez les cookies et rouvrez la page.',
    },
    insecure_transport: {
      title: 'HTTPS est requis pour se connecter',
      text: 'En HTTP simple, d’autres pourraient lire votre mot de passe. Ouvrez ce site en https ou sur localhost. Un exploitant qui accepte ce risque peut activer insecure_cookies.',
    },
    proxy_not_trusted: {
      title: 'La configuration de ce site n’est pas terminée',
      text: 'Votre navigateur utilise peut-être https, mais le proxy qui a transmis votre requête n’est pas approuvé, donc personne ne peut se connecter. Si vous exploitez ce site\u00a0: le journal indique l’adresse à ajouter à trusted_proxies. Le code est proxy_not_trusted, expliqué dans docs/operating/behind-a-proxy.md.',
    },
    body_too_large: ({ most }) => ({
      title: 'Trop volumineux',
      text: `Le corps de cette requête peut contenir ${most} octets au plus.`,
    }),
    body_too_slow: { title: 'Trop lent', text: 'Le corps de la requête n’est pas arrivé à temps.' },
    body_broken: { title: 'Requête incorrecte', text: 'Le corps de la requête a été interrompu.' },
    head_beyond_reading: {
      title: 'La requête est trop grande',
      text: 'Son en-tête est si grand que personne ne le lit. Si vous voyez ceci dans un navigateur, effacez les cookies de ce site dans ses réglages.',
    },
    head_too_large: ({ most, cookies }) =>
      cookies === 0
        ? {
            title: 'La requête est trop grande',
            text: `L’en-tête d’une requête contient au plus ${most} octets.`,
          }
        : {
            title: 'Trop de cookies',
            text: `Votre navigateur envoie ici ${cookies} ${cookies === 1 ? 'cookie' : 'cookies'} à chaque requête. Ensemble, ils dépassent les ${most} octets qu’une requête peut contenir.`,
          },
    bodies_full: {
      title: 'Trop de demandes',
      text: 'Trop de requêtes arrivent en même temps. Réessayez dans un instant.',
    },

    may_not_ask: {
      title: 'Question non autorisée',
      text: 'Forward auth ne répond qu’aux proxys de forward_auth_from. Le journal indique l’adresse qui a posé la question.',
    },
    forward_auth_method: {
      title: 'Méthode non autorisée',
      text: 'Interrogez l’authentification déléguée avec GET et indiquez la méthode concernée dans X-Forwarded-Method.',
    },
    own_path: {
      title: 'Ce chemin n’est pas celui du service',
      text: 'Ce chemin appartient à hero_proxy sur tous les hôtes. Le proxy placé devant doit l’envoyer à hero_proxy, pas au service.',
    },

    not_signed_in: { title: 'Non connecté', text: 'Il faut être connecté pour cela.' },
    sign_in_failed: { title: 'Échec de la connexion', text: '' },
    left_service: ({ host }) => ({
      title: 'Déconnecté',
      text: `Vous êtes déconnecté de ${host} dans ce navigateur. Vous restez connecté ici et aux autres services.`,
    }),
    keeps_no_cookies: {
      title: 'Votre navigateur n’a pas gardé la connexion',
      text: 'Vous êtes connecté, mais le cookie de ce site n’est pas revenu. Autorisez les cookies pour ce site, vérifiez que son adresse commence par https et rouvrez-le. Safari ne garde pas ces cookies sur http://localhost\u00a0: utilisez-y un autre navigateur.',
    },
    wrong_origin: ({ origin }) => ({
      title: 'Cette page a été ouverte à une autre adresse',
      text: `Ce site est connu sous ${origin}, mais la requête est arrivée autrement. Un proxy placé devant ne dit peut-être pas quelle adresse le navigateur a utilisée, ou n’est pas dans trusted_proxies. La cause figure dans le journal sous proxy_not_trusted.`,
    }),
    no_destination: {
      title: 'Cette adresse ne mène nulle part',
      text: 'Le lien vers cette page nomme un service auquel personne ne se connecte ici. Rouvrez le service.',
    },
    registration_closed: {
      title: 'Les inscriptions sont fermées',
      text: 'Seuls les administrateurs créent des comptes ici.',
    },
    registration_by_invitation: {
      title: 'Invitation requise',
      text: 'Il faut une invitation pour créer un compte ici.',
    },
    registration_waits: {
      title: 'Votre compte attend une approbation',
      text: 'Chaque nouveau compte est examiné ici. Dès que le vôtre sera approuvé, vous pourrez vous connecter ; vous recevrez un e-mail si vous avez donné une adresse.',
    },
    account_ready: {
      title: 'Votre compte est prêt',
      text: 'Connectez-vous avec votre nom d’utilisateur et votre mot de passe.',
    },
    check_email_to_confirm: {
      title: 'Consultez votre messagerie',
      text: 'Nous vous avons envoyé un lien. Ouvrez-le pour confirmer votre adresse et choisir un mot de passe.',
    },
    check_email: {
      title: 'Consultez votre messagerie',
      text: 'S’il existe un compte avec cette adresse, nous y avons envoyé un lien. Il peut mettre une minute à arriver.',
    },
    address_confirmed: ({ user }) => ({
      title: 'Adresse confirmée',
      text: `C’est désormais l’adresse du compte ${user}.`,
    }),
    account_closed: ({ at }) => ({
      title: 'Votre compte est supprimé',
      text: `Vous êtes déconnecté partout. Votre compte disparaît le ${time(at)}. D’ici là, le lien que nous vous avons envoyé annule la suppression.`,
    }),
    account_closed_for_good: ({ at }) => ({
      title: 'Votre compte est supprimé',
      text: `Vous êtes déconnecté partout. Votre compte disparaît le ${time(at)}. D’ici là, seuls les responsables de ce site peuvent annuler la suppression.`,
    }),
    account_reopened: {
      title: 'Votre compte est de retour',
      text: 'Il est réactivé. Connectez-vous comme avant.',
    },
    ended_everywhere: ({ user }) => ({
      title: 'Déconnecté partout',
      text: `Toutes les sessions du compte ${user} sont terminées. Choisissez maintenant un nouveau mot de passe\u00a0: nous vous envoyons un lien pour cela. Connectez-vous ensuite et retirez les clés d’accès, applications d’authentification et comptes liés qui ne sont pas les vôtres.`,
    }),
    address_restored: ({ user }) => ({
      title: 'Votre adresse est rétablie',
      text: `Le compte ${user} utilise de nouveau cette adresse, et toutes ses sessions sont terminées. Choisissez maintenant un nouveau mot de passe\u00a0: nous vous envoyons un lien pour cela. Si l’on vous demande ensuite une clé d’accès ou une application qui n’est pas la vôtre, contactez les responsables de ce site.`,
    }),
    address_of_another: ({ address }) => ({
      title: 'Cette adresse appartient maintenant à un autre compte',
      text: `La modification ne peut pas être annulée, car l’adresse ${address} appartient désormais à un autre compte. Rien n’a été changé. Si c’était votre compte, contactez les responsables de ce site.`,
    }),
    ended_at_old_address: ({ user }) => ({
      title: 'Déconnecté partout',
      text: `Toutes les sessions du compte ${user} sont terminées. Le compte a désormais une autre adresse, vous ne pouvez donc pas recevoir de nouveau mot de passe\u00a0: contactez les responsables de ce site.`,
    }),
    password_set: {
      title: 'Votre mot de passe est défini',
      text: 'Connectez-vous avec votre nouveau mot de passe.',
    },
    magic_links_off: {
      title: 'Non disponible',
      text: 'La connexion par e-mail n’est pas disponible ici.',
    },
    ask_over: {
      title: 'Veuillez recommencer',
      text: 'Cette page est trop ancienne, destinée à quelqu’un d’autre, ou il n’y a plus rien à demander. Rouvrez le service.',
    },
    ask_not_now: { title: 'Pas maintenant', text: 'Vous ne pouvez pas demander cela maintenant.' },
    interaction_over: {
      title: 'Veuillez recommencer',
      text: 'Cette connexion a pris trop de temps ou a été commencée dans un autre navigateur. Retournez à l’application et réessayez.',
    },
    impersonating: ({ user }) => ({
      title: `Pas pendant que vous agissez en tant que ${user}`,
      text: 'Vous ne pouvez vous connecter aux applications qu’en votre propre nom. Cessez d’abord d’agir à la place de cette personne.',
    }),

    flow_over: {
      title: 'Veuillez recommencer',
      text: 'Cette connexion a pris trop de temps, était déjà terminée ou a été commencée dans un autre navigateur. Rien n’a changé.',
    },
    provider_unreachable: ({ provider }) => ({
      title: `${provider} ne répond pas`,
      text: `Nous ne parvenons pas à joindre ${provider} pour le moment. Réessayez dans un instant ou connectez-vous autrement.`,
    }),
    provider_slow: ({ provider }) => ({
      title: `${provider} a mis trop de temps`,
      text: `${provider} n’a pas répondu à temps. Réessayez dans un instant ou connectez-vous autrement.`,
    }),
    provider_insecure: ({ provider }) => ({
      title: `${provider} n’est pas fiable`,
      text: `${provider} n’a pas de certificat valide pour le moment, donc nous ne lui avons rien envoyé. Connectez-vous autrement ou prévenez un administrateur.`,
    }),
    provider_local: ({ provider }) => ({
      title: `Nous n’interrogeons pas l’adresse de ${provider}`,
      text: `L’adresse de ${provider} mène à cette machine ou à son réseau immédiat. Un administrateur peut l’autoriser avec providers_may_be_local.`,
    }),
    provider_too_large: ({ provider }) => ({
      title: `Réponse inattendue de ${provider}`,
      text: `${provider} a envoyé bien plus que ce que contient une réponse, donc personne n’a été connecté. Connectez-vous autrement ou prévenez un administrateur.`,
    }),
    provider_nonsense: ({ provider }) => ({
      title: `Réponse inattendue de ${provider}`,
      text: `${provider} n’a pas répondu comme le fait un fournisseur d’identité, donc personne n’a été connecté. Réessayez dans un instant ou connectez-vous autrement.`,
    }),
    provider_untrusted: ({ provider }) => ({
      title: `${provider} n’a pas pu prouver votre identité`,
      text: `Nous n’avons pas pu vérifier la réponse de ${provider}, donc personne n’a été connecté. Réessayez. Si cela ne suffit pas, prévenez un administrateur.`,
    }),
    provider_client: ({ provider }) => ({
      title: `${provider} ne nous connaît pas`,
      text: `${provider} a refusé notre client_id ou notre secret. Un administrateur peut vérifier avec providers.test.`,
    }),
    provider_reported: ({ provider, reported }) => ({
      title: `${provider} signale une erreur`,
      text: `${provider} a répondu par l’erreur «\u00a0${reported}\u00a0», personne n’a donc été connecté. Réessayez ou connectez-vous autrement. Si l’erreur persiste, prévenez l’administration.`,
    }),
    provider_busy: ({ provider }) => ({
      title: `${provider} n’est pas disponible`,
      text: `${provider} ne peut connecter personne pour le moment. Réessayez dans un instant ou connectez-vous autrement.`,
    }),
    provider_grant: ({ provider }) => ({
      title: 'Veuillez recommencer',
      text: `Pour ${provider}, cette connexion est terminée.`,
    }),
    provider_refused: ({ provider }) => ({
      title: 'Non connecté',
      text: `Selon ${provider}, vous avez interrompu la connexion ou n’avez pas le droit de vous connecter.`,
    }),
    domain: ({ provider }) => ({
      title: 'Pas avec cette adresse',
      text: `Pour se connecter avec ${provider}, il faut une adresse vérifiée dans certains domaines, et la vôtre n’en fait pas partie. Utilisez-y un autre compte ou adressez-vous à un administrateur.`,
    }),
    no_account: ({ provider }) => ({
      title: 'Vous n’avez pas de compte ici',
      text: `Aucun compte n’est associé ici à votre compte ${provider}, et se connecter avec lui n’en crée pas. Si vous avez un compte ici, connectez-vous et associez ${provider} sur la page de votre compte. Sinon, adressez-vous à un administrateur.`,
    }),
    doubtful_address: ({ provider }) => ({
      title: 'Votre adresse n’est pas vérifiée',
      text: `${provider} n’a pas vérifié votre adresse, ou elle ne peut pas être utilisée ici. Vérifiez-la d’abord là-bas.`,
    }),
    no_address: ({ provider }) => ({
      title: 'Votre adresse manque',
      text: `${provider} ne nous communique aucune adresse de vous, donc nous ne pouvons pas confirmer que le compte d’ici est aussi le vôtre. Ajoutez-en une là-bas ou demandez à un administrateur d’associer les deux.`,
    }),
    other_address: ({ provider }) => ({
      title: 'Les adresses diffèrent',
      text: `L’adresse que ${provider} a vérifiée n’est pas celle que vous avez confirmée ici. Modifiez l’une des deux ou demandez à un administrateur d’associer les comptes.`,
    }),
    inactive: () => ({
      title: 'Compte inactif',
      text: 'Le compte correspondant n’est pas actif ici. Adressez-vous à un administrateur.',
    }),
    linked_already: ({ provider }) => ({
      title: 'Déjà associé',
      text: `Ce compte ${provider} est déjà associé au vôtre.`,
    }),
    of_somebody_else: ({ provider }) => ({
      title: 'Associé à un autre compte',
      text: `Ce compte ${provider} est associé à un autre compte ici. Si celui-ci est aussi à vous, connectez-vous-y et dissociez ${provider}.`,
    }),
    unproven: ({ provider }) => ({
      title: `${provider} ne vous a pas demandé qui vous êtes`,
      text: `Vous étiez déjà connecté chez ${provider}, ce qui ne prouve pas que c’est vous maintenant. Confirmez-le autrement.`,
    }),
  },

  links: {
    ask: 'Demander l’accès',
    sign_in: 'Se connecter',
    try_again: 'Réessayer',
    your_services: 'Vos services',
    your_account: 'Votre compte',
    other_ways: 'Autres façons de se connecter',
    other_proofs: 'Autres façons de confirmer',
    prove: 'Confirmer que c’est vous',
    sign_in_and_continue: 'Se connecter et continuer',
    new_link: 'Demander un nouveau lien',
    new_password: 'Choisir un nouveau mot de passe',
    switch_account: 'Changer de compte',
    back: 'Retour',
  },
  clear_cookies: {
    ours: 'Effacer les cookies de connexion',
    ours_hint: 'Il faudra peut-être vous reconnecter.',
    all: 'Effacer tous les cookies de ce site',
    all_hint: 'Le service peut oublier qui vous êtes et vos réglages.',
  },
  home_is: 'Ici, on se connecte et on trouve ses services à l’adresse',
  error_number: ({ status }) => `Erreur ${status}`,
}
