import type { Catalogue } from '../catalogue.ts'

export const services: Catalogue['services'] = {
  title: 'Mes services',
  none: 'Il n’y a pas encore de service que vous puissiez ouvrir ici.',
  ask: 'Les personnes qui gèrent ce site donnent les accès. S’il vous manque un service, adressez-vous à elles.',
  navigation: 'Vos pages',
  pages: {
    services: 'Mes services',
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
