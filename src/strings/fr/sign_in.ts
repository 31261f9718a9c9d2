import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration, plural, time } = formatsOf('fr')

export const sign_in: Catalogue['sign_in'] = {
  username: 'Nom d’utilisateur',
  username_hint:
    'Utilisez des lettres, des chiffres, «\u00a0_\u00a0» et «\u00a0-\u00a0». Vous ne pourrez plus le modifier.',
  display_name: 'Nom',
  display_name_hint: 'Ce que les autres voient. Vous pouvez le modifier plus tard, ou le laisser vide.',
  email: 'Adresse e-mail',
  password: 'Mot de passe',
  new_password_hint: 'Plusieurs mots sans rapport entre eux sont faciles à retenir et difficiles à deviner.',
  code: 'Code',
  code_hint:
    'Saisissez les six chiffres de votre application d’authentification ou l’un de vos codes de secours.',
  continue: 'Continuer',
  use_passkey_of: ({ host }) => `Utiliser une clé d’accès de ${host}`,
  use_passkey: 'Utiliser une clé d’accès',
  back: 'Retour à la connexion',
  passkey_exists: 'Cet appareil a déjà une clé d’accès pour votre compte.',
  passkey_missing: 'Votre appareil n’a fourni aucune clé d’accès.',

  page: {
    title: 'Connexion',
    login: 'Nom d’utilisateur ou adresse e-mail',
    button: 'Se connecter',
    other_ways: 'Autres façons de se connecter',
    more_ways: 'Plus de possibilités',
    last_used: 'Dernière utilisée',
    show_password: 'Afficher le mot de passe',
    for_service: ({ host, title }) =>
      title === null
        ? sentence`Connectez-vous pour ouvrir ${strong(host)}.`
        : sentence`Connectez-vous pour ouvrir ${strong(title)} à l’adresse ${host}.`,
    with_provider: ({ provider }) => `Se connecter avec ${provider}`,
    forgot_password: 'Mot de passe oublié\u202f?',
    email_link: 'Recevoir un lien de connexion par e-mail',
    another_device: 'Se connecter avec un autre appareil',
    anew: {
      another_device:
        'Un autre appareil vous a connecté dans ce navigateur. Pour cela, connectez-vous ici vous-même.',
      to_stay: 'Pour rester connecté dans ce navigateur, connectez-vous encore une fois et cochez la case.',
    },
    create_account: 'Créer un compte',
  },
  remember: {
    label: ({ seconds }) => `Rester connecté pendant ${duration(seconds)}`,
    hint: ({ most }) =>
      `À compter de votre dernière visite, et au plus pendant ${duration(most)}. Seulement sur un appareil que personne d’autre n’utilise.`,
  },
  trust: ({ seconds }) => ({
    label: `Faire confiance à ce navigateur pendant ${duration(seconds)}`,
    hint: 'Il ne demandera plus cette étape à la connexion. Seulement sur un appareil que personne d’autre n’utilise.',
  }),
  factor: {
    title: 'Encore une étape',
    lead: 'Confirmez que c’est bien vous.',
  },
  prove: {
    title: 'Confirmez que c’est bien vous',
    lead: 'Cette modification est importante\u00a0: confirmez votre identité. Nous ne vous la redemanderons pas pendant 15 minutes.',
    place: {
      any: 'Pour continuer, confirmez votre identité.',
      second:
        'Pour continuer, confirmez avec votre second facteur\u00a0: un code, une clé de sécurité ou une clé d’accès.',
      passkey: 'Pour continuer, confirmez avec une clé d’accès.',
    },
    recent: ({ seconds }: { seconds: number }) => `La preuve peut dater de ${duration(seconds)} au plus.`,
    none: {
      any: 'Vous n’avez aucun moyen de confirmer votre identité ici. Un administrateur peut vous aider.',
      second:
        'Vous n’avez pas encore de second facteur. Ajoutez une application d’authentification ou une clé d’accès à votre compte, puis revenez.',
      passkey: 'Vous n’avez pas encore de clé d’accès. Ajoutez-en une à votre compte, puis revenez.',
    },
    add: 'L’ajouter à votre compte',
    instead: 'Continuer sans cette preuve',
    with_provider: ({ provider }) => `Se reconnecter avec ${provider}`,
    email_link: 'Recevoir un lien de connexion par e-mail',
    forgot_password: 'Mot de passe oublié ou jamais défini\u202f?',
    no_password: 'Pas de mot de passe\u202f? Un administrateur peut en définir un pour vous.',
  },
  /** Behind a link for the first second factor. */
  enrol: {
    title: 'Ajouter un second facteur',
    lead: ({ user }: { user: string }) =>
      `Avec ce lien, vous pouvez ajouter une application d’authentification ou une clé d’accès au compte ${user} pendant les 15 prochaines minutes.`,
    button: 'Continuer',
  },
  register: {
    title: 'Créer un compte',
    /** Of a link for several people, with a mail server and without one. */
    by_link: 'Vous avez été invité. Nous vous enverrons un lien par e-mail pour confirmer votre adresse.',
    by_link_alone: 'Vous avez été invité. Choisissez un nom d’utilisateur et un mot de passe.',
    then_approved: 'Quelqu’un devra ensuite approuver votre compte.',
    works: ({ count, at }: { count: number; at: number }) =>
      `Valable pour ${plural(count, { one: 'une personne', other: `${count} personnes` })}, jusqu’au ${time(at)}.`,
    invited: ({ address }: { address: string }) =>
      `Vous avez été invité. Votre compte utilisera l’adresse ${address}.`,
    button: 'Créer le compte',
  },
  verify: {
    title: 'Confirmez votre adresse e-mail',
    lead: 'Cliquez sur le bouton si vous avez fait cette demande. Sinon, fermez cette page\u00a0: rien ne changera.',
    button: 'Confirmer l’adresse',
  },
  new_account: {
    title: 'Choisissez un mot de passe',
    lead: ({ user, address }: { user: string; address: string }) =>
      `Votre compte ${user} aura l’adresse ${address}. Si vous n’avez pas demandé de compte, fermez cette page\u00a0: rien ne changera.`,
    button: 'Créer le compte',
  },
  own_names: ({ address }: { address: string }) =>
    `L’adresse ${address} est enregistrée ici, mais personne ne l’a encore confirmée. Choisissez les noms de votre compte. Si vous n’avez rien demandé, fermez cette page\u00a0: rien ne changera.`,
  forgot: {
    title: 'Mot de passe oublié\u202f?',
    lead: 'Nous vous enverrons un lien pour choisir un nouveau mot de passe.',
    button: 'Envoyer le lien',
  },
  reset: {
    title: 'Choisissez un nouveau mot de passe',
    /** Of a link that somebody handed over. */
    recovery: ({ user }: { user: string }) =>
      `Ceci définit le mot de passe du compte ${user} et le déconnecte partout. La validation en deux étapes reste inchangée.`,
    lead: ({ address }: { address: string }) =>
      `Vous définissez le mot de passe du compte de ${address}, qui sera déconnecté partout.`,
    button: 'Définir le mot de passe',
  },
  reopen: {
    title: 'Reprendre votre compte',
    lead: 'Votre compte a été supprimé et disparaîtra bientôt. Le bouton le réactive.',
    button: 'Garder mon compte',
  },
  not_me: {
    title: 'Ce n’était pas vous\u202f?',
    lead: ({ address, at }) =>
      `Le bouton déconnecte partout le compte de ${address}. Il met aussi fin à ce qui y a été créé depuis le ${time(at)}\u00a0: accès d’applications, jetons et liens envoyés. Il ne connecte personne.`,
    button: 'Déconnecter partout',
    restore: {
      lead: ({ address, at }) =>
        `Le bouton rend au compte l’adresse ${address}, le déconnecte partout et supprime son mot de passe. Il met aussi fin à ce qui y a été créé depuis le ${time(at)}\u00a0: accès d’applications, jetons, liens envoyés et comptes qui y ont été liés. Il ne connecte personne.`,
      button: 'Annuler la modification',
    },
  },
  magic: {
    title: 'Connexion par e-mail',
    lead: 'Nous vous enverrons un lien. Toute personne qui l’ouvre est connectée à votre place.',
    button: 'Envoyer le lien',
  },
  mailed_code: {
    title: 'Consultez votre messagerie',
    lead: 'S’il existe un compte avec cette adresse, nous y avons envoyé un code et un lien. Ils peuvent mettre une minute à arriver. Saisissez le code ici, ou ouvrez le lien.',
    button: 'Se connecter',
    label: 'Code reçu par e-mail',
    hint: 'Huit lettres. Le code ne fonctionne que dans ce navigateur, pendant dix minutes.',
    again: 'Envoyer un autre code',
  },
  mailed_proof: {
    title: 'Confirmez votre adresse e-mail',
    lead: 'Avant d’ajouter votre premier second facteur, nous vous envoyons un code par e-mail\u00a0: il montre que le compte est le vôtre. Vous avez ensuite 15 minutes.',
    button: 'M’envoyer un code',
    sent: 'Nous avons envoyé un code à l’adresse de votre compte. Il peut mettre une minute à arriver.',
    confirm: 'Confirmer',
  },
  enter: {
    title: 'Connexion',
    lead: ({ address, host }: { address: string; host: string | undefined }) =>
      `Le bouton vous connecte sur cet appareil en tant que ${address}${host === undefined ? '' : ` et ouvre ${host}`}.`,
    button: 'Se connecter',
  },
  setup: {
    title: 'Créer le premier administrateur',
    lead: 'Ce compte peut tout faire ici. Le lien qui vous a amené ici ne fonctionne qu’une fois.',
    button: 'Créer le compte',
  },
  sign_out: {
    title: 'Déconnexion',
    heading: 'Se déconnecter\u202f?',
    lead: 'Cela met fin à votre connexion dans ce navigateur et à tous les services que vous y avez ouverts.',
    lead_from: ({ host }) =>
      `Vous venez de ${host}. Vous pouvez vous déconnecter de tous les services ouverts dans ce navigateur, ou de celui-ci seulement.`,
    everywhere: 'Se déconnecter partout',
    only_here: ({ host }) => `Se déconnecter de ${host} seulement`,
  },
  replace: {
    title: 'Se connecter avec un autre compte\u202f?',
    lead: ({ present, next }) =>
      `Ce navigateur est connecté au compte ${present}, et vous venez de vous connecter au compte ${next}. Si vous continuez avec ${next}, ${present} est déconnecté ici et de tous les services.`,
    accept: ({ next }) => `Continuer avec ${next}`,
    refuse: ({ present }) => `Garder ${present}`,
  },
  /** A service that asks each person once. */
  confirm: {
    title: 'Se connecter à ce service\u202f?',
    lead: ({ host }) => `${host} saura qui vous êtes, et ne le demande qu’une fois.`,
    button: 'Se connecter',
  },
  /** For a form that was older than its cookie. */
  resend: {
    title: 'Veuillez renvoyer ce formulaire',
    lead: 'Cette page est restée ouverte trop longtemps\u00a0: rien n’a été modifié. Vérifiez que c’est toujours ce que vous voulez.',
    button: 'Renvoyer',
  },
  switch_account: {
    title: 'Changer de compte',
    lead: ({ user }) =>
      `Vous êtes connecté en tant que ${user}. Pour se connecter avec un autre compte, ${user} est d’abord déconnecté, ici et de tous les services que vous avez ouverts dans ce navigateur.`,
    button: ({ user }) => `Déconnecter ${user} et continuer`,
    cancel: 'Annuler',
  },
  framed: {
    title: 'Ouvrez cette page dans son propre onglet',
    lead: 'Pour vous protéger, cette page ne connecte personne à l’intérieur d’une autre page.',
    open: 'Ouvrir dans un nouvel onglet',
  },
  away: {
    title: 'Utiliser votre clé d’accès',
    lead: ({ host, home }) => `Votre clé d’accès a été créée pour ${host}. Elle vous connecte à ${home}.`,
  },
  /** A service that the person had signed out of alone. */
  come_back: {
    title: 'Se reconnecter\u202f?',
    lead: ({ host }) =>
      `Vous vous êtes déconnecté de ${host} dans ce navigateur. Voulez-vous le rouvrir\u202f?`,
    button: 'Ouvrir',
  },
  link: {
    title: 'Associer un compte',
    heading: ({ provider }) => `Associer ${provider} à votre compte\u202f?`,
    guest: ({ provider, email }) =>
      sentence`Un compte utilise déjà ici l’adresse ${strong(email)}, que ${provider} a vérifiée. Connectez-vous à ce compte comme d’habitude, puis confirmez que les deux comptes sont à vous.`,
    signed_in: ({ user, provider, account }) =>
      sentence`Vous êtes connecté ici en tant que ${strong(user)} et chez ${provider} en tant que ${strong(account)}.`,
    warning: ({ provider }) =>
      `Toute personne qui peut se connecter à ce compte ${provider} pourra se connecter ici à votre place.`,
    sign_in: 'Se connecter',
    accept: 'Associer les comptes',
    refuse: 'Ne pas associer',
  },
  leaving: {
    signing_in: 'Connexion en cours',
    signing_out: 'Déconnexion en cours',
    continue: 'Continuer si rien ne se passe',
  },
}
