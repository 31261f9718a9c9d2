import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { duration, time } = formatsOf('fr')

const ignore =
  'Si ce n’était pas vous, ignorez ce message. Il ne se passe rien tant que personne ne clique sur le bouton.'

export const mails: Catalogue['mails'] = {
  greeting: ({ name }) => (name === '' ? 'Bonjour,' : `Bonjour ${name},`),
  code: ({ code }) => `Votre code\u00a0: ${code}`,
  code_warning:
    'Personne ne vous demandera jamais ce code. Saisissez-le seulement sur la page où vous avez demandé cet e-mail.',
  lasts: ({ seconds }) => duration(seconds),
  kinds: {
    verify: ({ site, lasts }) => ({
      subject: `Confirmez votre adresse pour ${site}`,
      paragraphs: [
        `Quelqu’un, vous sans doute, a créé un compte sur ${site} avec cette adresse.`,
        `Le lien est valable ${lasts}. ${ignore}`,
      ],
      button: 'Confirmer l’adresse',
    }),
    taken: ({ site }) => ({
      subject: `Vous avez déjà un compte sur ${site}`,
      paragraphs: [
        `Quelqu’un, vous sans doute, a voulu utiliser cette adresse sur ${site}. Vous avez déjà un compte avec elle.`,
        'Connectez-vous à ce compte ou demandez un nouveau mot de passe si vous avez oublié le vôtre. Si ce n’était pas vous, rien n’a changé.',
      ],
    }),
    reset: ({ site, lasts }) => ({
      subject: `Choisissez un nouveau mot de passe pour ${site}`,
      paragraphs: [
        `Quelqu’un, vous sans doute, a demandé un nouveau mot de passe sur ${site}.`,
        `Le lien fonctionne une fois et est valable ${lasts}. ${ignore}`,
      ],
      button: 'Choisir un nouveau mot de passe',
    }),
    magic: ({ site, lasts }) => ({
      subject: `Connexion à ${site}`,
      paragraphs: [
        `Quelqu’un, vous sans doute, veut se connecter à ${site}.`,
        `Le lien fonctionne une fois et est valable ${lasts}. Ne le transférez jamais. ${ignore}`,
      ],
      button: 'Se connecter',
    }),
    code: ({ site }) => ({
      subject: `Confirmez votre identité sur ${site}`,
      paragraphs: [
        `Quelqu’un, vous espérons-le, souhaite modifier la protection de votre compte sur ${site}. Si ce n’était pas vous, changez votre mot de passe\u00a0: cette personne est connectée à votre place.`,
      ],
    }),
    invite: ({ site, lasts, by }) => ({
      subject: `Vous êtes invité sur ${site}`,
      paragraphs: [
        by === ''
          ? `Un administrateur de ${site} vous invite à y créer un compte.`
          : `${by} vous invite à créer un compte sur ${site}.`,
        `Le lien fonctionne une fois et est valable ${lasts}.`,
      ],
      button: 'Accepter l’invitation',
    }),
    registration_waiting: ({ site }) => ({
      subject: `Quelqu’un attend votre approbation sur ${site}`,
      paragraphs: [
        `Quelqu’un s’est inscrit sur ${site} par une invitation et attend une approbation. Voir et décider : registrations.list, registrations.approve, registrations.refuse. Si d’autres personnes arrivent aujourd’hui, vous ne recevrez pas d’autre message à ce sujet.`,
      ],
    }),
    registration_approved: ({ site }) => ({
      subject: `Votre compte sur ${site} est prêt`,
      paragraphs: [`Votre inscription sur ${site} a été approuvée. Vous pouvez vous connecter.`],
      button: 'Se connecter',
    }),
    registration_refused: ({ site }) => ({
      subject: `Votre inscription sur ${site}`,
      paragraphs: [`Votre inscription sur ${site} n’a pas été approuvée. Vos données ont été supprimées.`],
    }),
    change: ({ site, lasts }) => ({
      subject: `Confirmez votre nouvelle adresse pour ${site}`,
      paragraphs: [
        `Vous avez demandé à ${site} d’utiliser cette adresse pour votre compte.`,
        `Le lien est valable ${lasts}. ${ignore}`,
      ],
      button: 'Confirmer l’adresse',
    }),
    reopen: ({ site, lasts }) => ({
      subject: `Votre compte sur ${site} sera supprimé`,
      paragraphs: [
        `Vous avez demandé à ${site} de supprimer votre compte. Il est désactivé et disparaîtra quand ce lien ne fonctionnera plus, dans ${lasts}.`,
        'Si vous changez d’avis, ou si ce n’était pas vous, annulez la suppression : utilisez le bouton sur la page derrière le lien.',
      ],
      button: 'Annuler la suppression',
    }),
    account_ends: ({ site, at }) => ({
      subject: `Votre compte sur ${site} prend bientôt fin`,
      paragraphs: [
        `Votre compte sur ${site} prend fin le ${time(at)}. Vous ne pourrez alors plus vous connecter ici ni aux services qui en dépendent.`,
        'Enregistrez avant cela ce dont vous avez encore besoin. Si le compte doit continuer, adressez-vous aux personnes qui gèrent ce site.',
      ],
    }),
    password_changed: ({ site }) => ({
      subject: `Votre mot de passe pour ${site} a été modifié`,
      paragraphs: [
        `Le mot de passe de votre compte sur ${site} a été modifié. Vous avez été déconnecté partout ailleurs.`,
      ],
    }),
    recovery_link: ({ site, about }) => ({
      subject: `Un lien vers votre compte sur ${site}`,
      paragraphs: [
        `${about} a créé un lien permettant de choisir un nouveau mot de passe pour votre compte sur ${site}. Si vous l’avez demandé, on vous le remettra.`,
      ],
    }),
    enrolment_link: ({ site, about }) => ({
      subject: `Quelqu’un a créé un lien vers votre compte sur ${site}`,
      paragraphs: [
        `${about} a créé un lien permettant d’ajouter un premier second facteur à votre compte sur ${site}. Si vous l’avez demandé, cette personne vous le remettra.`,
      ],
    }),
    address_changed: ({ site, about, restores }) => ({
      subject: `Votre adresse pour ${site} a été modifiée`,
      paragraphs: [
        about === ''
          ? `Votre compte sur ${site} n’utilise plus cette adresse.`
          : `Votre compte sur ${site} utilise désormais l’adresse ${about} à la place de celle-ci.`,
        ...(restores ? [] : ['Si c’est une erreur, contactez immédiatement les responsables de ce site.']),
      ],
    }),
    factors_changed: ({ site, about }) => ({
      subject: `Votre façon de vous connecter à ${site} a changé`,
      paragraphs: [about],
    }),
    new_device: ({ site }) => ({
      subject: `Connexion à ${site} depuis un nouvel appareil`,
      paragraphs: [
        `Quelqu’un, vous sans doute, s’est connecté à votre compte sur ${site} avec un appareil que nous ne connaissons pas encore.`,
      ],
    }),
    signed_in_elsewhere: ({ site }) => ({
      subject: `Un autre appareil a connecté un navigateur à ${site}`,
      paragraphs: [
        `Quelqu’un, vous sans doute, a scanné un QR code avec un appareil sur lequel vous êtes connecté à ${site}, et a ainsi connecté un navigateur. Cela dure 12 heures au plus, et vous pouvez y mettre fin sur la page de vos sessions.`,
      ],
    }),
    access_requested: ({ site, by, about }) => ({
      subject: `${by} demande un accès sur ${site}`,
      paragraphs: [
        `${by} voudrait ouvrir ${about}. Vous pouvez décider de cette demande, et de toutes celles qui vous attendent, sur la page Mes groupes.`,
        'Ouvrir la page ne change rien. Si d’autres demandes arrivent dans l’heure, vous ne recevrez pas d’autre message à ce sujet.',
      ],
      button: 'Ouvrir Mes groupes',
    }),
    access_approved: ({ site, about, until }) => ({
      subject: `Vous avez maintenant accès à ${about}`,
      paragraphs: [
        until === null
          ? `Votre demande sur ${site} a été acceptée\u00a0: vous pouvez ouvrir ${about} dès maintenant.`
          : `Votre demande sur ${site} a été acceptée. Vous pouvez ouvrir ${about} jusqu’au ${time(until)}.`,
      ],
      button: 'Ouvrir',
    }),
    access_refused: ({ site, about, said }) => ({
      subject: `Votre demande sur ${site} a été refusée`,
      paragraphs: [
        `Vous avez demandé l’accès à ${about}, et cette demande a été refusée. Vous pourrez la refaire dans une semaine.`,
        ...(said === '' ? [] : [`La raison donnée\u00a0: ${said}`]),
      ],
    }),
    trust_ended: ({ site }) => ({
      subject: `Un navigateur n’est plus de confiance pour ${site}`,
      paragraphs: [
        `Un navigateur a présenté une ancienne preuve de votre confiance. Elle a peut-être été copiée : votre compte sur ${site} y redemande donc le second facteur.`,
      ],
    }),
    test: ({ site }) => ({
      subject: `Message de test de ${site}`,
      paragraphs: [
        'Voici le message de test que vous avez demandé. Les réglages de messagerie fonctionnent.',
      ],
    }),
  },
  not_me: {
    text: 'Si ce n’était pas vous, cliquez sur le bouton de la page derrière ce lien. Il déconnecte votre compte partout, puis la page explique comment choisir un nouveau mot de passe.',
    restores:
      'Si ce n’était pas vous, cliquez sur le bouton de la page derrière ce lien. Il rend cette adresse à votre compte et le déconnecte partout, puis la page explique comment choisir un nouveau mot de passe.',
    button: 'Ce n’était pas moi',
  },
  event: {
    time: ({ at }) => `Date\u00a0: ${time(at)}`,
    device: ({ device }) => `Appareil\u00a0: ${device}`,
    address: ({ address }) => `Adresse réseau\u00a0: ${address}`,
    administrator: 'Par\u00a0: un administrateur',
  },
  factor_changes: {
    app_added: () => 'Une application d’authentification a été ajoutée à votre compte.',
    app_removed: () => 'Votre application d’authentification a été retirée.',
    passkey_added: ({ name }) => `La clé d’accès «\u00a0${name}\u00a0» a été ajoutée à votre compte.`,
    passkey_removed: ({ name }) => `La clé d’accès «\u00a0${name}\u00a0» a été retirée.`,
    identity_added: ({ name }) =>
      `Un compte chez ${name} a été lié au vôtre\u00a0: il permet de s’y connecter.`,
    identity_removed: ({ name }) => `Un compte chez ${name} n’est plus lié au vôtre.`,
    recovery_code_used: () => 'Un code de secours a été utilisé pour se connecter.',
    cleared: () => 'Un administrateur a retiré tous vos seconds facteurs.',
  },
}
