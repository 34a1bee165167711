/** What a session says to its game, and what the game says to it. */
export {};
