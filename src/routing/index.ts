// src/routing/index.ts — where does it go? Pure over facts.
export { route } from './route.ts'
