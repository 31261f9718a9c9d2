import type { Catalogue } from '../catalogue.ts'

export const elsewhere: Catalogue['elsewhere'] = {
  title: 'Se connecter avec un autre appareil',
  passkey:
    'Avez-vous une clé d’accès sur votre téléphone\u202f? Alors utilisez-la\u00a0: votre navigateur affiche son propre QR code, et la connexion compte pleinement.',
  lead: 'Un téléphone sur lequel vous êtes connecté ici peut vous connecter dans ce navigateur. Il scanne un QR code, et vous y saisissez deux chiffres.',
  limits:
    'Une telle connexion dure 12 heures au plus. Les changements importants, l’administration et certains services vous demandent ensuite de vous connecter vous-même.',
  show: 'Afficher un QR code',
  waiting: {
    title: 'Scannez ceci avec votre téléphone',
    lead: 'Scannez le code avec l’appareil photo de votre téléphone. Il fonctionne pendant cinq minutes. Quand votre téléphone le demande, saisissez-y ces deux chiffres\u00a0:',
    picture: 'Un QR code pour votre téléphone. Il ouvre une page de ce site.',
  },
  opened: {
    title: 'Saisissez maintenant les chiffres',
    lead: 'Votre téléphone a ouvert la page. Saisissez-y ces deux chiffres\u00a0:',
  },
  reload: 'Je les ai saisis',
  approved: {
    title: 'Presque terminé',
    lead: ({ user }) =>
      `Votre téléphone a accepté. Le bouton vous connecte dans ce navigateur en tant que ${user}.`,
    button: 'Se connecter',
  },
  ended: {
    title: 'Personne n’a été connecté',
    network:
      'Le téléphone était dans un autre réseau que ce navigateur. Connectez les deux au même réseau, par exemple votre Wi-Fi à la maison.',
    family:
      'Le téléphone et ce navigateur joignent ce site par des voies différentes, IPv4 et IPv6\u00a0: impossible de dire s’ils sont dans le même réseau. Utilisez ici une clé d’accès ou un code par e-mail.',
    digits: 'Les chiffres saisis sur le téléphone ne sont pas ceux que cette page affichait.',
    over: 'Les cinq minutes sont écoulées, ou c’est déjà terminé.',
    again: 'Afficher un nouveau QR code',
    email_link: 'Se connecter par e-mail',
  },
  phone: {
    title: 'Connecter un autre navigateur\u202f?',
    lead: ({ user }) =>
      `Vous avez scanné le QR code d’un navigateur. Si vous continuez, il peut être connecté en tant que ${user}.`,
    warning:
      'Continuez seulement si vous avez commencé vous-même, dans un navigateur que vous voyez devant vous. Arrêtez si quelqu’un vous a envoyé le code ou vous demande de le scanner.',
    button: 'Continuer',
    stop: 'Arrêter',
  },
  digits: {
    title: 'Saisissez les chiffres',
    lead: ({ user }) => `Ce navigateur sera connecté en tant que ${user}\u00a0:`,
    device: ({ device }) => `Appareil\u00a0: ${device}`,
    address: ({ address }) => `Adresse réseau\u00a0: ${address}`,
    network: {
      same: 'Il est dans le réseau de ce téléphone.',
      other: 'Il n’est PAS dans le réseau de ce téléphone. Continuez seulement si vous le voyez devant vous.',
      family:
        'Impossible de dire s’il est dans le réseau de ce téléphone\u00a0: l’un utilise IPv4, l’autre IPv6.',
    },
    label: 'Les deux chiffres qu’il affiche',
    hint: 'Vous avez un essai.',
    button: 'Le connecter',
  },
  done: {
    title: 'Accepté',
    lead: 'Appuyez maintenant sur le bouton dans l’autre navigateur. Il reste connecté 12 heures au plus, et nous vous écrivons à ce sujet. Vous pouvez y mettre fin à tout moment sous «\u00a0Sessions\u00a0».',
    sessions: 'Vos sessions',
  },
}
