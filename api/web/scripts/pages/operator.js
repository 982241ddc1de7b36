// What an operator sees of the house; from the database alone.

import { get, post } from '../http.js'

export const operator = () => ({
  overview: null,
  problem: null,

  init() {},
})
