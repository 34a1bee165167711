/** What `meta` of a refusal has, by its code. A code that is not listed here has none that a program would need. */
export {};
