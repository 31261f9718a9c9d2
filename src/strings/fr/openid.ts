import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'
import { sentence, strong } from '../sentence.ts'

const { duration, list } = formatsOf('fr')

export const openid: Catalogue['openid'] = {
  scopes: {
    openid: 'voir qui vous êtes',
    email: 'voir votre adresse e-mail',
    profile: 'voir votre profil : nom, nom d’utilisateur, image et autres informations sur vous',
    groups: 'voir les groupes dont vous faites partie',
    claims: 'voir ce que vous avez le droit de faire ici',
    offline_access: 'garder son accès en votre absence',
    read: 'lire des données en votre nom',
    write: 'modifier des données en votre nom',
    admin: 'administrer en votre nom',
  },
  scope_at: ({ may, resource }) => `${may} sur ${resource}`,
  scope_list: ({ scopes }) => list(scopes),

  consent: {
    title: 'Autoriser l’accès',
    heading: ({ name }) => `Donner accès à ${name}\u202f?`,
    lead: ({ user, name, host }) =>
      host === ''
        ? sentence`Vous êtes connecté en tant que ${strong(user)}. ${strong(name)} souhaite\u00a0:`
        : sentence`Vous êtes connecté en tant que ${strong(user)}. ${strong(name)}, sur ${strong(host)}, souhaite\u00a0:`,
    self_registered:
      'Cette application s’est enregistrée elle-même. Personne ici n’a vérifié qu’elle est ce qu’elle prétend être.',
    self_described: ({ host }) =>
      sentence`Cette application se décrit elle-même sur ${strong(host)}. Personne ici n’a vérifié ce qu’elle affirme.`,
    revocable: 'Vous pouvez retirer cet accès à tout moment sur la page de votre compte.',
    allow: 'Autoriser',
    refuse: 'Ne pas autoriser',
  },
  no_access: {
    title: 'Accès refusé',
    lead: ({ user, name }) => `Vous êtes connecté en tant que ${user}. ${name} n’est pas ouvert à ce compte.`,
    password_right: 'Votre mot de passe était correct. Un administrateur du site peut vous donner accès.',
    switch_account: 'Changer de compte',
    back: ({ host }) => `Retour à ${host}`,
  },
  switch: {
    title: 'Autre compte requis',
    heading: 'Un autre compte est requis',
    lead: ({ name, user }) =>
      sentence`Vous êtes connecté en tant que ${strong(user)}, mais ${strong(name)} attend une autre personne.`,
    accept: 'Utiliser un autre compte',
    refuse: 'Annuler',
  },
  instead: {
    title: 'Continuer sans preuve',
    optional: ({ name }: { name: string }) =>
      `${name} vous demande de confirmer votre identité plus fortement ou à nouveau. Vous pouvez continuer sans ; ${name} saura alors que la preuve manque.`,
    needed: ({ name }: { name: string }) =>
      `${name} exige que vous confirmiez votre identité plus fortement ou à nouveau. Vous pouvez revenir en arrière ; ${name} saura alors que la preuve manque.`,
    prove: 'Confirmer mon identité',
    without: 'Continuer sans',
    back: 'Retour à l’application',
  },
  choose_account: {
    title: 'Choisir un compte',
    heading: 'Quel compte\u202f?',
    lead: ({ name }) => sentence`${strong(name)} demande quel compte vous voulez utiliser.`,
    stay: ({ user }) => `Continuer en tant que ${user}`,
    another: 'Utiliser un autre compte',
  },
  end_session: {
    title: 'Déconnexion',
    heading: 'Se déconnecter\u202f?',
    lead: 'Vous serez déconnecté ici et de tous les services que vous avez ouverts depuis ici.',
    lead_for: ({ name }) =>
      sentence`${strong(name)} demande votre déconnexion. Vous serez déconnecté ici et de tous les services que vous avez ouverts depuis ici.`,
    accept: 'Se déconnecter',
    refuse: 'Rester connecté',
  },
  signed_out: { title: 'Déconnecté', again: 'Se reconnecter' },
  device: {
    title: 'Connecter un appareil',
    lead: 'Saisissez le code que l’appareil affiche.',
    code: 'Code',
    button: 'Continuer',
    some_device: 'L’appareil',
    confirm_heading: 'Est-ce votre appareil\u202f?',
    confirm_lead: ({ name, address, user }) =>
      sentence`${strong(name)} demande depuis ${address} à être connecté en tant que ${strong(user)}. Vérifiez qu’il affiche ce code\u00a0:`,
    warning:
      'Si quelqu’un vous a envoyé ce code, arrêtez\u00a0: cette personne serait connectée à votre place.',
    mine: 'C’est mon appareil',
    not_mine: 'Ce n’est pas mon appareil',
    done_title: 'Connecté',
    done: ({ name }) => sentence`${strong(name)} est connecté. Vous pouvez fermer cette page.`,
    problems: {
      AbortedError: 'La connexion a été interrompue. L’appareil n’est pas connecté.',
      AlreadyUsedError: 'Ce code a déjà été utilisé.',
      ExpiredError: 'Ce code a expiré. Demandez-en un nouveau sur l’appareil.',
      NoCodeError: 'Saisissez le code que l’appareil affiche.',
      NotFoundError: 'Ce code n’existe pas. Vérifiez l’appareil et réessayez.',
    },
    failed: 'Une erreur est survenue. Réessayez.',
    too_many: ({ retry_after }) =>
      `Trop de codes erronés. Attendez ${duration(retry_after)}, puis regardez bien l’appareil.`,
  },
  error: {
    title: 'Échec de la connexion',
    ours: 'Une erreur est survenue de notre côté. Retournez à l’application et réessayez.',
    unknown_client: 'son client_id ne correspond à aucune application ici',
    theirs: ({ problem }) =>
      `L’application a envoyé une requête que nous ne pouvons pas accepter\u00a0: ${problem}. Rien n’a changé. Contactez les responsables de l’application.`,
  },
}
