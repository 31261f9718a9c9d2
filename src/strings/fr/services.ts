import type { Catalogue } from '../catalogue.ts'
import { formatsOf } from '../formats.ts'

const { time } = formatsOf('fr')

export const services: Catalogue['services'] = {
  title: 'Mes services',
  none: 'Il n’y a pas encore de service que vous puissiez ouvrir ici.',
  ask: 'Les personnes qui gèrent ce site donnent les accès. S’il vous manque un service, adressez-vous à elles.',
  asking: {
    closed: 'Vous pouvez demander l’accès à ces services',
    ask: 'Demander l’accès',
    waiting: 'Vous avez demandé l’accès. Quelqu’un en décidera.',
    gone: 'un service qui n’existe plus',
    withdraw: 'Retirer la demande',
    refused: ({ until }) => `Refusé. Vous pourrez redemander après le ${time(until)}.`,
    answer: ({ answer }) => `La raison donnée\u00a0: ${answer}`,
    until: ({ until }) => `Jusqu’au ${time(until)}`,
    title: 'Demander l’accès',
    lead: ({ name }) =>
      `Vous voudriez ouvrir ${name}. Les personnes qui en décident reçoivent votre nom et votre raison.`,
    reason: 'Pourquoi en avez-vous besoin\u00a0?',
    reason_hint: '300 caractères au plus. Vous pouvez laisser ce champ vide.',
    button: 'Demander l’accès',
  },
  navigation: 'Vos pages',
  pages: {
    services: 'Mes services',
    groups: 'Mes groupes',
    overview: 'Vue d’ensemble',
    profile: 'Profil',
    security: 'Sécurité',
    passkeys: 'Clés d’accès',
    sessions: 'Sessions',
    applications: 'Applications',
    tokens: 'Jetons',
    data: 'Mes données',
  },
}
