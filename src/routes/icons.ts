/** The pictures that a route can have: the path of an SVG of 24 by 24 units that is drawn in lines. */
export const icons = {
  app: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  archive: 'M3 4h18v5H3zM5 9v11h14V9M10 13h4',
  book: 'M12 6c-2-2-5-2-9-2v14c4 0 7 0 9 2 2-2 5-2 9-2V4c-4 0-7 0-9 2zM12 6v14',
  calendar: 'M4 6h16v14H4zM4 11h16M8 3v4M16 3v4',
  camera: 'M3 8h4l2-3h6l2 3h4v11H3zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  chart: 'M4 4v16h16M8 16v-4M12 16V8M16 16v-6',
  chat: 'M4 5h16v11h-9l-4 4v-4H4zM8 10h8',
  cloud: 'M7 19a4 4 0 0 1-.5-8A6 6 0 0 1 18 10.5A4.3 4.3 0 0 1 17.5 19z',
  code: 'M8 7l-5 5 5 5M16 7l5 5-5 5M14 5l-4 14',
  database: 'M4 6c0-3 16-3 16 0s-16 3-16 0zM4 6v12c0 3 16 3 16 0V6M4 12c0 3 16 3 16 0',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  film: 'M3 5h18v14H3zM7 5v14M17 5v14M3 12h4M17 12h4',
  folder: 'M3 6h6l2 2h10v11H3z',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v4M12 17v4M3 12h4M17 12h4M5.6 5.6l2.8 2.8M15.6 15.6l2.8 2.8M5.6 18.4l2.8-2.8M15.6 8.4l2.8-2.8',
  globe: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18',
  heart: 'M12 20C5 15 3 12 3 9a4.5 4.5 0 0 1 9-1 4.5 4.5 0 0 1 9 1c0 3-2 6-9 11z',
  house: 'M3 12l9-8 9 8M6 10v10h12V10M10 20v-6h4v6',
  image: 'M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 5M15 8h2',
  key: 'M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l9-9M16 7l3 3',
  lamp: 'M9 17a6 6 0 1 1 6 0v2H9zM10 22h4',
  list: 'M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1',
  lock: 'M5 11h14v10H5zM8 11V8a4 4 0 0 1 8 0v3',
  mail: 'M3 6h18v13H3zM3 7l9 7 9-7',
  map: 'M3 6l6-2 6 2 6-2v14l-6 2-6-2-6 2zM9 4v14M15 6v14',
  music:
    'M9 18V5l11-2v13M6.5 15.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM17.5 13.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z',
  people:
    'M9 4a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM3 20c0-8 12-8 12 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14c2 1 3 3 3 6',
  pen: 'M4 20l1-5L16 4l4 4L9 19zM14 6l4 4',
  server: 'M4 4h16v7H4zM4 13h16v7H4zM8 7.5h1M8 16.5h1',
  shield: 'M12 3l8 3c0 7-2 12-8 15-6-3-8-8-8-15z',
  shop: 'M4 9l1-5h14l1 5M4 9c0 4 5 4 5 0 0 4 6 4 6 0 0 4 5 4 5 0M5 12v8h14v-8',
  star: 'M12 3l2.7 6 6.3.7-4.7 4.3 1.3 6.5L12 17.2l-5.6 3.3 1.3-6.5L3 9.7 9.3 9z',
  terminal: 'M3 5h18v14H3zM7 9l3 3-3 3M12 15h5',
  tool: 'M20 7l-3 3-3-3 3-3a5 5 0 0 0-6 7l-7 7 2 2 7-7a5 5 0 0 0 7-6z',
} as const

export type IconName = keyof typeof icons

export const iconNames = Object.keys(icons) as readonly IconName[]
