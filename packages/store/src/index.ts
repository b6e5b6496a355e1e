/** The hub's own database. @module */
export {};
